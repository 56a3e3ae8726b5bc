/// Why a forge did not do what it was asked.
package struct ForgeError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// It answered with this HTTP status.
        case status(Int)
        /// Its rate limit is used up, until then if it said so.
        case limited(until: Timestamp?)
        /// It was not reached, or the connection broke.
        case unreachable
        /// Its answer is not what its documentation says.
        case unreadable
        /// The caller stopped waiting.
        case cancelled
    }

    package var reason: Reason
    /// One sentence for a person, with at most 500 bytes of what the forge said and no secret.
    package var message: String

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The HTTP status that made it an error; `nil` without an answer and for a used up rate limit.
    package var status: Int? {
        if case .status(let status) = reason { return status }
        return nil
    }

    package var description: String { message }

    /// As the API's clients see it.
    package var failure: CodeForgeError { CodeForgeError(reason == .cancelled ? .cancelled : .upstream, message) }
}
