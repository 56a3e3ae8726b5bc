/// Where a task is in its life. The raw values are the API's.
public enum TaskStatus: String, Sendable, Hashable, Codable, CaseIterable {
    case pending, cloning, running, completed, failed
    case awaitingInstruction = "awaiting_instruction"
    case reviewing
    case creatingPR = "creating_pr"
    case prCreated = "pr_created"

    /// A stream opened in one of these ends at once.
    public var isFinished: Bool { self == .completed || self == .failed || self == .prCreated }

    /// A supervisor is, or should be, at work on it.
    public var isActive: Bool { self == .cloning || self == .running || self == .reviewing }

    /// A worker may take it from the queue in these states only; anything else is a stale or duplicate entry.
    public var isClaimable: Bool { self == .pending || self == .awaitingInstruction || self == .reviewing }

    /// The transitions the API promises; `API reference, "Task Lifecycle"`.
    public var successors: Set<TaskStatus> {
        switch self {
        case .pending: [.cloning, .failed]
        case .cloning: [.running, .failed]
        case .running: [.completed, .failed]
        case .completed: [.awaitingInstruction, .creatingPR, .reviewing]
        case .reviewing: [.completed, .failed]
        case .awaitingInstruction: [.running, .reviewing, .failed]
        case .creatingPR: [.prCreated, .failed]
        case .prCreated: [.awaitingInstruction, .completed]
        case .failed: []
        }
    }

    /// - Throws: `.conflict` when the API's table has no such transition.
    public func checkTransition(to next: TaskStatus) throws(CodeForgeError) {
        guard successors.contains(next) else {
            throw CodeForgeError(.conflict, "invalid transition: \(rawValue) → \(next.rawValue)")
        }
    }
}

/// What kind of work a task is; decides the prompt template, the sandbox profile and whether the output is a review.
public enum TaskType: String, Sendable, Hashable, Codable, CaseIterable {
    case code, plan, review
    case prReview = "pr_review"

    /// Everything but `code` gets the workspace read-only.
    public var isReadOnly: Bool { self != .code }
    public var isReview: Bool { self == .review || self == .prReview }

    public var label: String {
        switch self {
        case .code: "Code"
        case .plan: "Plan"
        case .review: "Review"
        case .prReview: "PR Review"
        }
    }

    public var summary: String {
        switch self {
        case .code: "Write or modify code based on the prompt"
        case .plan: "Analyze the codebase and create an implementation plan without modifying files"
        case .review: "Review repository code quality, security, and architecture"
        case .prReview: "Review a pull request / merge request diff and post comments"
        }
    }
}
