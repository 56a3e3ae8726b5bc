/// Whether somebody vouches for the code of a pull request.
public enum TaskTrust: String, Sendable, Hashable, Codable {
    /// Its author may write to the repository, and its head is no fork.
    case trusted
    /// Anything else, and whatever is not known.
    case untrusted
}

/// Why a pending task is kept from running.
public struct TaskHold: Sendable, Hashable, Codable {
    public enum Reason: String, Sendable, Codable {
        /// The forge is being asked who wrote the code.
        case trustCheck = "trust_check"
        /// Nobody vouches for the code: a person must let it run.
        case approval
    }

    public var reason: Reason
    /// What is known, for people; may be empty.
    public var detail: String
    /// Whether a webhook made the task, so that `code_review.untrusted_policy` says what becomes of untrusted code.
    public var isUnattended: Bool

    public init(_ reason: Reason, detail: String = "", isUnattended: Bool) {
        self.reason = reason
        self.detail = detail
        self.isUnattended = isUnattended
    }
}

/// What becomes of pull requests nobody vouches for, when a webhook tells of them.
public enum UntrustedPolicy: String, Sendable, CaseIterable {
    /// They are reviewed under the profile of untrusted code.
    case review
    /// They wait for a person's approval, then likewise.
    case hold
    /// They are not run.
    case ignore
}
