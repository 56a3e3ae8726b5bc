package import Domain

/// The sole owner of what clients may do about reviews.
package struct ReviewService: Sendable {
    private let store: any TaskStore
    private let queue: any TaskQueue
    private let secrets: any TaskSecretStore
    private let events: any EventLog
    private let reviewers: Set<String>
    private let hasWorkspace: @Sendable (CodeTask) async throws(CodeForgeError) -> Bool

    /// - Parameters:
    ///   - reviewers: CLIs that can review.
    ///   - hasWorkspace: Whether what a task did is still there.
    package init(
        store: any TaskStore, queue: any TaskQueue, secrets: any TaskSecretStore, events: any EventLog,
        reviewers: Set<String>,
        hasWorkspace: @escaping @Sendable (CodeTask) async throws(CodeForgeError) -> Bool
    ) {
        self.store = store
        self.queue = queue
        self.secrets = secrets
        self.events = events
        self.reviewers = reviewers
        self.hasWorkspace = hasWorkspace
    }

    /// Queues a review of what a task did.
    ///
    /// - Parameters:
    ///   - cli: Empty: the task's own.
    ///   - model: Empty: the task's own.
    /// - Throws: `.invalidArgument` for a CLI that can't review, before the task is looked up; `.notFound`; `.conflict`
    ///   for a wrong status, a workspace that is gone, and a task that changed meanwhile.
    package func start(_ id: String, cli: String?, model: String?) async throws(CodeForgeError) -> CodeTask {
        let cli = cli ?? ""
        guard cli.isEmpty || reviewers.contains(cli) else {
            let reason = cli == "shell" ? "shell runs scripts and can't review" : "unknown CLI: \(cli)"
            throw CodeForgeError(.invalidArgument, "cli: \(reason)", fields: [("cli", reason)])
        }
        guard let seen = try await store.task(id) else { throw TaskService.unknown(id) }
        try ReviewService.checkStatus(seen.status)
        guard try await hasWorkspace(seen) else {
            throw CodeForgeError(.conflict, JobPlanner.noWorkspace(of: seen))
        }
        let task = try await store.update(id) { task throws(CodeForgeError) in
            guard task.status == seen.status, task.iteration == seen.iteration, task.attempt == seen.attempt else {
                throw CodeForgeError(.conflict, "task state changed concurrently, retry the request")
            }
            task.followUpWaits = task.status == .awaitingInstruction
            try task.status.checkTransition(to: .reviewing)
            task.status = .reviewing
            task.endedAttempt = task.attempt
            task.error = nil
            task.reviewCLI = cli.isEmpty ? nil : cli
            task.reviewModel = model.flatMap { $0.isEmpty ? nil : $0 }
            return nil
        }
        try? await secrets.expire(id, seconds: nil)  // both only postpone an expiry far in the future
        try? await events.expire(id, seconds: nil)
        try? await queue.enqueue(id)  // the reconciler queues it otherwise
        return task
    }

    private static func checkStatus(_ status: TaskStatus) throws(CodeForgeError) {
        switch status {
        case .completed, .awaitingInstruction: break
        case .running, .cloning, .creatingPR, .reviewing:
            throw CodeForgeError(.conflict, "task is currently \(status.rawValue), cannot start review")
        case .failed: throw CodeForgeError(.conflict, "task has failed, create a new task instead")
        case .pending, .prCreated:
            throw CodeForgeError(.conflict, "task in status \(status.rawValue) cannot be reviewed")
        }
    }
}
