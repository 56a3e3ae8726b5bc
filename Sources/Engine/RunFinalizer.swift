package import Domain
import Metrics

/// Puts what a supervisor reported on record, and tells the task's followers how the run ended.
///
/// Everything here may happen twice for one report: the server can die at any point and gets the report again.
package struct RunFinalizer: Sendable {
    private let store: any TaskStore
    private let workspaces: any WorkspaceStore
    private let events: any EventLog
    private let secrets: any TaskSecretStore
    private let cliName: @Sendable (CodeTask) -> String
    private let clock: any WallClock
    /// Seconds the event history stays after a run ended.
    private let historyTTL: Int
    private let callbacks: CallbackService?

    package init(
        store: any TaskStore, workspaces: any WorkspaceStore, events: any EventLog, secrets: any TaskSecretStore,
        cliName: @escaping @Sendable (CodeTask) -> String, clock: any WallClock, historyTTL: Int,
        callbacks: CallbackService? = nil
    ) {
        self.store = store
        self.workspaces = workspaces
        self.events = events
        self.secrets = secrets
        self.cliName = cliName
        self.clock = clock
        self.historyTTL = historyTTL
        self.callbacks = callbacks
    }

    /// - Throws: `.unavailable` when the record or the log is away; the report must be applied again then. Reports of
    ///   unknown tasks and of runs that were given up are ignored.
    package func apply(_ report: JobReport) async throws(CodeForgeError) {
        do throws(CodeForgeError) {
            switch report.body {
            case .running: try await enterRunning(report)
            case .audit: break  // `Projector` puts those of many runs on record together
            case .finished(let outcome): try await finish(report, outcome)
            }
        } catch {
            // A report for a task that is gone has nobody to tell.
            if error.code != .notFound { throw error }
        }
    }

    private func enterRunning(_ report: JobReport) async throws(CodeForgeError) {
        try await store.update(report.run.taskID) { task throws(CodeForgeError) in
            guard report.run.isCurrent(of: task), task.status == .cloning else { return nil }
            task.status = .running
            task.startedAt = report.time
            return nil
        }
    }

    private func finish(_ report: JobReport, _ outcome: JobOutcome) async throws(CodeForgeError) {
        let run = report.run
        let now = clock.now()
        let cliName = cliName
        let status: TaskStatus = outcome.failure == nil ? .completed : .failed
        // Before the record says that the run is over: who sees that finds the diff.
        try await measured(run, outcome)
        let callbacks = callbacks
        let task = try await store.update(run.taskID) { task throws(CodeForgeError) in
            guard run.isCurrent(of: task), task.status.isActive else { return nil }
            task.callback = callbacks?.callback(for: task, run: run, outcome: outcome, at: now)
            // The record passes through `running` even when that report was lost with its supervisor.
            if task.status == .cloning, status == .completed { task.status = .running }
            try task.status.checkTransition(to: status)
            task.status = status
            task.finishedAt = now
            var item = Iteration(
                number: run.iteration, prompt: task.activePrompt, status: status, error: outcome.error,
                usage: outcome.usage, startedAt: task.startedAt ?? task.createdAt, endedAt: now,
                profile: outcome.profile?.name)
            item.effectiveProfile = outcome.profile?.json
            item.missingLayers = outcome.missingLayers
            item.limit = outcome.limit?.rawValue
            if outcome.failure == nil {
                task.result = outcome.result
                task.error = nil
                task.changes = outcome.changes
                task.usage = outcome.usage
                item.result = outcome.result
                item.changes = outcome.changes
            } else {
                task.error = outcome.error
            }
            if let session = outcome.sessionID {
                task.sessionID = session
                task.sessionCLI = cliName(task)
            }
            return item
        }
        // A run that was given up and replaced has no say any more.
        guard task.iteration > run.iteration || (run.isCurrent(of: task) && !task.status.isActive) else { return }
        let first = try await events.appendOnce(
            closing(run: run, status: status, outcome: outcome, at: now), to: run.taskID,
            key: "end:\(run.purpose.rawValue):\(run.iteration):\(run.attempt)")
        try await callbacks?.release(task: run.taskID)
        if task.iteration == run.iteration {
            try await events.expire(run.taskID, seconds: historyTTL)
            try await secrets.expire(run.taskID, seconds: historyTTL)
        }
        if first { EngineMetrics.ended(status: status, seconds: outcome.seconds) }
    }

    private func measured(_ run: RunID, _ outcome: JobOutcome) async throws(CodeForgeError) {
        guard outcome.workspaceBytes != nil || outcome.diff != nil, let task = try await store.task(run.taskID),
            run.isCurrent(of: task), task.status.isActive
        else { return }
        try await workspaces.record(
            WorkspaceMeasurement(
                taskID: run.taskID, iteration: run.iteration, usedTaskID: task.config?.workspaceTaskID,
                bytes: outcome.workspaceBytes, diff: outcome.diff))
    }

    /// The last events of a run: how it ended, then the end of the stream.
    private func closing(
        run: RunID, status: TaskStatus, outcome: JobOutcome, at time: Timestamp
    ) -> [LoggedEvent.Body] {
        let changes = outcome.changes?.json ?? .null
        let event: TaskEvent
        if status == .completed {
            event = TaskEvent(
                .result, "task_completed",
                data: [
                    "result": .string(Truncation.cut(outcome.result, utf8: 2000)), "changes_summary": changes,
                    "usage": outcome.usage.json, "iteration": .int(Int64(run.iteration)),
                ], time: time)
        } else {
            event = TaskEvent(.system, "task_failed", data: ["error": .string(outcome.error)], time: time)
        }
        var done = JSONWriter()
        done.value([
            "task_id": .string(run.taskID), "status": .string(status.rawValue),
            "changes_summary": status == .completed ? changes : .null,
        ])
        return [.event(json: event.json), .done(json: done.bytes)]
    }
}

extension RunID {
    /// Whether a task's record is about this very run.
    package func isCurrent(of task: CodeTask) -> Bool {
        task.id == taskID && task.iteration == iteration && task.attempt == attempt
    }
}

/// Cuts texts for places that show only their beginning.
package enum Truncation {
    /// At most `limit` bytes of UTF-8, on a character boundary, with `...` when something was cut.
    package static func cut(_ text: String, utf8 limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: limit)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return text[..<end] + "..."
    }
}
