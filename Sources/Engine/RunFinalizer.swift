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
    /// Seconds the task's secrets stay after a run ended: a follow-up or a pull request may still need them.
    private let secretsTTL: Int
    private let callbacks: CallbackService?
    private let queue: any TaskQueue
    private let onPosting: (@Sendable () -> Void)?
    private let tracing: RunTracing?
    private let postsUntrusted: Bool

    /// - Parameters:
    ///   - postsUntrusted: Whether reviews of code nobody vouched for are posted by themselves.
    ///   - onPosting: Called when a task's `posting` became ready; `nil`: nobody posts reviews.
    package init(
        store: any TaskStore, workspaces: any WorkspaceStore, events: any EventLog, secrets: any TaskSecretStore,
        queue: any TaskQueue, cliName: @escaping @Sendable (CodeTask) -> String, clock: any WallClock, historyTTL: Int,
        secretsTTL: Int, callbacks: CallbackService? = nil, tracing: RunTracing? = nil, postsUntrusted: Bool = true,
        onPosting: (@Sendable () -> Void)?
    ) {
        self.store = store
        self.workspaces = workspaces
        self.queue = queue
        self.onPosting = onPosting
        self.events = events
        self.secrets = secrets
        self.cliName = cliName
        self.clock = clock
        self.historyTTL = historyTTL
        self.secretsTTL = secretsTTL
        self.callbacks = callbacks
        self.tracing = tracing
        self.postsUntrusted = postsUntrusted
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
        // Before the record says that the run is over: who sees that finds the diff.
        try await measured(run, outcome)
        let marker = ReviewPosting.makeMarker()
        let canPost = onPosting != nil && (postsUntrusted || outcome.review?.isUntrusted == false)
        let callbacks = callbacks
        let task = try await store.update(run.taskID) { task throws(CodeForgeError) in
            guard run.isCurrent(of: task), task.isUnderWay else { return nil }
            task.endedAttempt = task.attempt
            task.callback = callbacks?.callback(for: task, run: run, outcome: outcome, at: now)
            task.finishedAt = now
            if canPost, RunFinalizer.wantsPosting(run, outcome, of: task) {
                task.posting = ReviewPosting(run: run, marker: marker)
            }
            return try RunFinalizer.end(&task, run, outcome, at: now, cli: cliName(task))
        }
        // A run that was given up and replaced has no say any more.
        guard task.iteration > run.iteration || task.endedAttempt == run.attempt else { return }
        let wantsPosting = RunFinalizer.wantsPosting(run, outcome, of: task)
        let posts = canPost && wantsPosting
        var closing = closing(run: run, outcome: outcome, at: now)
        if wantsPosting, onPosting != nil, !canPost { closing.append(RunFinalizer.notPosted(at: now)) }
        if !posts { closing.append(RunFinalizer.done(run, outcome)) }
        let first = try await events.appendOnce(
            closing, to: run.taskID, key: "end:\(run.purpose.rawValue):\(run.iteration):\(run.attempt)")
        if !posts { try await callbacks?.release(task: run.taskID) }
        if task.status == .awaitingInstruction {
            try? await queue.enqueue(run.taskID)  // the reconciler queues it otherwise
        } else if task.iteration == run.iteration {
            try await events.expire(run.taskID, seconds: historyTTL)
            try await secrets.expire(run.taskID, seconds: secretsTTL)
        }
        if posts { try await hand(over: run) }
        guard first else { return }
        let cli = run.purpose == .review ? task.reviewCLI : nil
        tracing?.record(task, run, outcome, cli: cli ?? cliName(task), end: now)
        EngineMetrics.ended(
            status: outcome.failure == nil ? .completed : .failed, purpose: run.purpose, seconds: outcome.seconds)
        if outcome.review?.isFallback == true { EngineMetrics.reviewNotParsed() }
    }

    private func measured(_ run: RunID, _ outcome: JobOutcome) async throws(CodeForgeError) {
        guard outcome.workspaceBytes != nil || outcome.diff != nil, let task = try await store.task(run.taskID),
            run.isCurrent(of: task), task.isUnderWay
        else { return }
        try await workspaces.record(
            WorkspaceMeasurement(
                taskID: run.taskID, iteration: run.iteration, usedTaskID: task.config?.workspaceTaskID,
                bytes: outcome.workspaceBytes, diff: outcome.diff))
    }

    /// What a run's end does to its task.
    ///
    /// - Returns: The iteration's record; a review that succeeded is none.
    private static func end(
        _ task: inout CodeTask, _ run: RunID, _ outcome: JobOutcome, at now: Timestamp, cli: String
    ) throws(CodeForgeError) -> Iteration? {
        let isReview = run.purpose == .review
        let status: TaskStatus = outcome.failure == nil ? .completed : .failed
        // The record passes through `running` even when that report was lost with its supervisor.
        if task.status == .cloning, status == .completed { task.status = .running }
        try task.status.checkTransition(to: status)
        task.status = status
        if let session = outcome.sessionID, !isReview {
            task.sessionID = session
            task.sessionCLI = cli
            task.sessionUsage = outcome.sessionUsage
        }
        if status == .completed {
            task.result = outcome.result
            task.error = nil
            task.usage = outcome.usage
            if let review = outcome.review { task.review = review }
            if !isReview { task.changes = outcome.changes }
        } else {
            task.error = outcome.error
        }
        if isReview, status == .completed {
            if task.followUpWaits {
                try task.status.checkTransition(to: .awaitingInstruction)
                task.status = .awaitingInstruction
                task.followUpWaits = false
            }
            return nil
        }
        var item = Iteration(
            number: run.iteration, prompt: task.activePrompt, status: status, error: outcome.error,
            usage: outcome.usage, startedAt: outcome.startedAt ?? task.startedAt ?? task.createdAt, endedAt: now,
            profile: outcome.profile?.name)
        item.effectiveProfile = outcome.profile?.json
        item.missingLayers = outcome.missingLayers
        item.limit = outcome.limit?.rawValue
        if status == .completed {
            item.result = outcome.result
            item.changes = outcome.changes
        }
        return item
    }

    // MARK: Posting

    private static func notPosted(at time: Timestamp) -> LoggedEvent.Body {
        let reason = "the code is untrusted, and code_review.untrusted_comments is off"
        return .event(
            json: TaskEvent(.system, "review_not_posted", data: ["reason": .string(reason)], time: time).json)
    }

    /// Whether a run's review is to go to its pull request by itself. Says the same however often it is asked.
    private static func wantsPosting(_ run: RunID, _ outcome: JobOutcome, of task: CodeTask) -> Bool {
        run.purpose == .task && outcome.failure == nil && outcome.review != nil
            && task.config?.outputMode == "post_comments" && (task.config?.prNumber ?? 0) > 0
    }

    /// The run's events are in the log: its review may follow. Not again, when that is long done.
    private func hand(over run: RunID) async throws(CodeForgeError) {
        try await store.update(run.taskID) { task throws(CodeForgeError) in
            if task.posting?.run == run { task.posting?.isReady = true }
            return nil
        }
        onPosting?()
    }

    // MARK: Events

    /// The events that say how a run ended.
    private func closing(run: RunID, outcome: JobOutcome, at time: Timestamp) -> [LoggedEvent.Body] {
        var events: [TaskEvent] = []
        if outcome.failure != nil {
            events.append(.failed(outcome.error, time: time))
        } else if run.purpose == .task {
            events.append(
                TaskEvent(
                    .result, "task_completed",
                    data: [
                        "result": .string(Truncation.cut(outcome.result, utf8: 2000)),
                        "changes_summary": outcome.changes?.json ?? .null, "usage": outcome.usage.json,
                        "iteration": .int(Int64(run.iteration)),
                    ], time: time))
        }
        if outcome.failure == nil, let review = outcome.review {
            var data: [String: JSONValue] = [
                "verdict": .string(review.verdict), "score": .int(Int64(review.score)),
                "issues_count": .int(Int64(review.issues.count)),
            ]
            if run.purpose == .review { data["duration"] = .double(review.durationSeconds) }
            let name = run.purpose == .review ? "review_completed" : "review_parsed"
            events.append(TaskEvent(.system, name, data: .object(data), time: time))
        }
        return events.map { .event(json: $0.json) }
    }

    /// The end of the stream.
    private static func done(_ run: RunID, _ outcome: JobOutcome) -> LoggedEvent.Body {
        .done(
            run, status: outcome.failure == nil ? .completed : .failed,
            changes: outcome.failure == nil ? outcome.changes : nil)
    }
}

extension TaskEvent {
    static func failed(_ error: String, time: Timestamp) -> TaskEvent {
        TaskEvent(.system, "task_failed", data: ["error": .string(error)], time: time)
    }
}

extension LoggedEvent.Body {
    /// The end of a run.
    static func done(_ run: RunID, status: TaskStatus, changes: ChangesSummary?) -> LoggedEvent.Body {
        var json = JSONWriter()
        json.value([
            "task_id": .string(run.taskID), "status": .string(status.rawValue),
            "changes_summary": changes?.json ?? .null,
        ])
        return .done(json: json.bytes)
    }
}

extension ReviewPosting {
    static func makeMarker() -> String {
        var random = SystemRandomNumberGenerator()
        return String(random.next(), radix: 36) + String(random.next(), radix: 36)
    }
}

extension RunID {
    /// Whether a task's record is about this very run.
    package func isCurrent(of task: CodeTask) -> Bool {
        task.id == taskID && task.iteration == iteration && task.attempt == attempt
    }
}
