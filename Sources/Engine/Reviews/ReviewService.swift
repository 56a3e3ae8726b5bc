package import Domain

/// The sole owner of what clients may do about reviews.
package struct ReviewService: Sendable {
    private let store: any TaskStore
    private let queue: any TaskQueue
    private let secrets: any TaskSecretStore
    private let events: any EventLog
    private let reviewers: Set<String>
    private let hasWorkspace: @Sendable (CodeTask) async throws(CodeForgeError) -> Bool
    private let poster: ReviewPoster
    private let destination: @Sendable (CodeTask) async throws(CodeForgeError) -> ReviewDestination

    /// - Parameters:
    ///   - reviewers: CLIs that can review.
    ///   - hasWorkspace: Whether what a task did is still there.
    ///   - destination: Where a task's review goes, with what the task itself brought.
    package init(
        store: any TaskStore, queue: any TaskQueue, secrets: any TaskSecretStore, events: any EventLog,
        reviewers: Set<String>,
        hasWorkspace: @escaping @Sendable (CodeTask) async throws(CodeForgeError) -> Bool, poster: ReviewPoster,
        destination: @escaping @Sendable (CodeTask) async throws(CodeForgeError) -> ReviewDestination
    ) {
        self.store = store
        self.queue = queue
        self.secrets = secrets
        self.events = events
        self.reviewers = reviewers
        self.hasWorkspace = hasWorkspace
        self.poster = poster
        self.destination = destination
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
            task.reviewModel = model?.filled
            return nil
        }
        try? await secrets.expire(id, seconds: nil)  // both only postpone an expiry far in the future
        try? await events.expire(id, seconds: nil)
        try? await queue.enqueue(id)  // the reconciler queues it otherwise
        return task
    }

    /// Posts a task's review to its pull request. The task's status is neither asked nor changed.
    ///
    /// - Parameter number: Of the pull request; ≤ 0 or `nil`: the task's.
    /// - Returns: What was posted, and where.
    /// - Throws: `.notFound`; `.invalidArgument` without a review, a number, a token or a repository that is named as
    ///   one; `.upstream` when the forge is of no known kind or does not take it.
    package func post(
        _ id: String, number: Int?
    ) async throws(CodeForgeError) -> (posted: PostedReview, number: Int) {
        guard let task = try await store.task(id) else { throw TaskService.unknown(id) }
        guard let review = task.review else {
            throw CodeForgeError(.invalidArgument, "task has no review result: review it first")
        }
        guard let number = [number, task.config?.prNumber, task.prNumber].compactMap({ $0 }).first(where: { $0 > 0 })
        else {
            throw CodeForgeError(.invalidArgument, "pr_number is required: the task has none")
        }
        if task.providerKey == nil, try await secrets.secrets(of: id).accessToken == nil {
            throw CodeForgeError(.invalidArgument, "no access token available: the task has neither a token nor a key")
        }
        let place = try await destination(task)
        do throws(ForgeError) {
            return (try await poster.post(review, on: number, at: place, marker: ReviewPosting.makeMarker()), number)
        } catch {
            if error.reason == .cancelled { throw error.failure }
            throw CodeForgeError(.upstream, "failed to post review comments: \(error.message)")
        }
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
