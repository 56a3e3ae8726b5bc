import Domain
import Logging
import ServiceLifecycle
import Synchronization

/// Carries runs out: several at a time, in the order they were started in.
///
/// The record decides, and says before each step that it begins: a run that a stopped or killed server left is taken up
/// at the step it was in.
package final class WorkflowRunner: Service {
    private let parts: RunParts
    private let rules: RunRules
    /// Runs at work, each with what makes it look at its record.
    private let active = Mutex<[String: Waker]>([:])
    private let waker = Waker()

    package init(_ parts: RunParts, _ rules: RunRules) {
        self.parts = parts
        self.rules = rules
    }

    /// Tells that a run waits.
    package func look() { waker.wake() }

    /// Tells that somebody wants a run's end.
    package func wake(_ id: String) { active.withLock { $0[id] }?.wake() }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                var waiting: [String] = []
                while !Task.isCancelled {
                    do throws(CodeForgeError) {
                        while self.hasRoom {
                            if waiting.isEmpty { waiting = try await self.open() }
                            guard !waiting.isEmpty else { break }
                            let id = waiting.removeFirst()
                            guard let waker = self.claim(id) else { continue }
                            group.addTask {
                                await self.carryOut(id, waker)
                                self.release(id)
                            }
                        }
                        await self.waker.wait(atMost: .seconds(30))
                    } catch {
                        Logger.current.warning("runs not read, trying again", metadata: ["error": "\(error)"])
                        await self.waker.wait(atMost: .seconds(1))
                    }
                }
            }
        }
    }

    private var hasRoom: Bool { active.withLock { $0.count < rules.concurrency } }

    /// Runs nobody is at, those first that were under way.
    private func open() async throws(CodeForgeError) -> [String] {
        let open = try await parts.runs.openRuns(of: nil)
        let busy = active.withLock { Set($0.keys) }
        let ids = (open.filter { $0.status == .running } + open.filter { $0.status != .running }).map(\.id)
        return ids.filter { !busy.contains($0) }
    }

    private func claim(_ id: String) -> Waker? {
        let claimed: (Waker, Int)? = active.withLock { active in
            guard active[id] == nil else { return nil }
            let waker = Waker()
            active[id] = waker
            return (waker, active.count)
        }
        if let claimed { WorkflowMetrics.active(claimed.1) }
        return claimed?.0
    }

    private func release(_ id: String) {
        let count = active.withLock { active in
            active[id] = nil
            return active.count
        }
        WorkflowMetrics.active(count)
        waker.wake()
    }

    // MARK: One run

    private enum Verdict: Sendable, Equatable {
        case ended(RunExecution.End)
        case canceled
        case timedOut
        /// The service stops.
        case stopped
    }

    private func carryOut(_ id: String, _ waker: Waker) async {
        let journal = RunJournal(
            runID: id, runs: parts.runs, events: parts.events, clock: parts.clock, historyTTL: rules.historyTTL)
        do throws(StepFailure) {
            guard let run = try await journal.begin() else { return }
            Logger.current.info(
                "workflow run under way", metadata: ["run.id": "\(id)", "workflow": "\(run.workflowName)"])
            guard run.isReadable else {
                let error = "the run can't be opened: it was stored under another encryption key"
                return try await end(journal, .failed, error: error, stepError: error)
            }
            switch await verdict(run, journal, waker) {
            case .stopped, .ended(.interrupted): return
            case .ended(.completed): try await end(journal, .completed, error: nil, stepError: "")
            case .ended(.failed(let step, let message)):
                let error = step.isEmpty ? message : "step '\(step)' failed: \(message)"
                try await end(journal, .failed, error: error, stepError: message)
            case .canceled:
                try await stopTask(journal)
                try await end(journal, .canceled, error: "canceled by user", stepError: "canceled")
            case .timedOut:
                try await stopTask(journal)
                let error = "the run timed out after \(rules.maximumSeconds) seconds"
                try await end(journal, .failed, error: error, stepError: error)
            }
        } catch {
            guard !Task.isCancelled else { return }  // the next start takes it up
            Logger.current.error("workflow run left", metadata: ["run.id": "\(id)", "error": "\(error)"])
            try? await Task.sleep(for: .seconds(1))  // then it is looked at again
        }
    }

    private func end(
        _ journal: RunJournal, _ status: WorkflowRun.Status, error: String?, stepError: String
    ) async throws(StepFailure) {
        try await journal.end(status, error: error, stepError: stepError)
        WorkflowMetrics.ended(status)
        Logger.current.info(
            "workflow run ended",
            metadata: ["run.id": "\(journal.runID)", "status": "\(status.rawValue)", "error": "\(error ?? "")"])
    }

    /// The steps, beside somebody who looks whether the run may go on.
    private func verdict(_ run: WorkflowRun, _ journal: RunJournal, _ waker: Waker) async -> Verdict {
        let execution = RunExecution(run: run, parts: parts, rules: rules, journal: journal)
        return await withTaskGroup(of: Verdict.self) { group in
            group.addTask { .ended(await execution.perform()) }
            group.addTask { await self.watch(run, waker) }
            var verdict = Verdict.stopped
            for await next in group {
                // What came to its end before it could be stopped has come to its end.
                if next != .stopped, next != .ended(.interrupted) { verdict = next }
                group.cancelAll()
            }
            return verdict
        }
    }

    private func watch(_ run: WorkflowRun, _ waker: Waker) async -> Verdict {
        let start = run.startedAt ?? run.createdAt
        let deadline = start.advanced(by: .seconds(rules.maximumSeconds))
        while !Task.isCancelled {
            // A record that is away is looked at again.
            if let now = try? await parts.runs.run(run.id), now.isCancelRequested { return .canceled }
            let left = deadline.seconds(since: parts.clock.now())
            if left <= 0 { return .timedOut }
            await waker.wait(atMost: min(.seconds(left), rules.pollInterval))
        }
        return .stopped
    }

    /// The task of the step that was cut off is not to go on, nor to begin.
    private func stopTask(_ journal: RunJournal) async throws(StepFailure) {
        guard let step = try await journal.steps().last(where: { $0.finishedAt == nil }), let id = step.taskID,
            step.type == WorkflowStep.Kind.task.rawValue
        else { return }
        try await retrying { () throws(CodeForgeError) in try await parts.tasks.abandon(id) }
    }
}
