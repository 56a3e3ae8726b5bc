/// A pull request in the making, as it is on record: enough to go on with it after a crash at any point.
public struct Publication: Sendable, Hashable {
    public enum State: String, Sendable, CaseIterable {
        /// Commit and branch are being made and pushed, or may have been.
        case pushing
        /// The branch is there; the pull request may be.
        case pushed
        case created, failed

        public var isOpen: Bool { self == .pushing || self == .pushed }
    }

    public var taskID: String
    /// 1-based, for each task; given by the store.
    public var number: Int
    /// Of the supervisor at work on it; unlike any other of the task's publications. Given by the store.
    public var attempt: Int
    public var iteration: Int
    public var title: String
    public var description: String
    /// Branch the pull request is for.
    public var base: String
    /// Branch with the changes: as intended, and from `pushed` on as it is.
    public var branch: String
    public var state: State
    public var createdAt: Timestamp

    public init(
        taskID: String, iteration: Int, title: String, description: String, base: String, branch: String,
        createdAt: Timestamp
    ) {
        self.taskID = taskID
        number = 0
        attempt = 0
        self.iteration = iteration
        self.title = title
        self.description = description
        self.base = base
        self.branch = branch
        state = .pushing
        self.createdAt = createdAt
    }

    public var run: RunID { RunID(taskID: taskID, iteration: iteration, attempt: attempt, purpose: .publish) }
}

/// Commit and push as a supervisor is told to make them.
public struct PublishSpec: Sendable, Codable, Equatable {
    /// Number of the publication: a repeated attempt goes on with the commit of the first.
    public var number: Int
    /// Name of the new branch; one that is taken gets `-1` … `-99` behind it.
    public var branch: String
    public var message: String
    /// Author and committer.
    public var authorName: String
    public var authorEmail: String

    public init(number: Int, branch: String, message: String, authorName: String, authorEmail: String) {
        self.number = number
        self.branch = branch
        self.message = message
        self.authorName = authorName
        self.authorEmail = authorEmail
    }
}

/// What was pushed.
public struct PushedBranch: Sendable, Codable, Hashable {
    public var name: String
    /// Object id.
    public var commit: String

    public init(name: String, commit: String) {
        self.name = name
        self.commit = commit
    }
}
