import Domain

/// What went wrong with Redis, inside this module.
struct RedisError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable {
        /// Not reachable, connection lost, no answer in time: trying again later may help.
        case away
        /// It answered that it can't now (loading, out of memory, failing over).
        case refusing
        /// It answered with another error: trying again does not help.
        case rejected
        /// The answer was larger than the caller takes.
        case tooLarge
    }

    var code: Code
    /// Redis' own or the system's words.
    var cause: String

    init(_ code: Code, _ cause: String) {
        self.code = code
        self.cause = cause
    }

    /// Sorts an error reply by its first word. Source: Redis documentation, "RESP protocol", and server.c.
    init(reply: String) {
        let word = reply.prefix { $0 != " " }
        switch word {
        case "LOADING", "MASTERDOWN", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "MISCONF", "OOM", "NOREPLICAS":
            self.init(.refusing, reply)
        default: self.init(.rejected, reply)
        }
    }

    /// Trying again may help.
    var isTransient: Bool { code == .away || code == .refusing }

    /// First word of an error reply, such as `NOGROUP`.
    var word: Substring { cause.prefix { $0 != " " } }

    var description: String { cause }

    func portError(_ operation: String) -> CodeForgeError {
        let portCode: CodeForgeError.Code =
            switch code {
            case .away, .refusing: .unavailable
            case .rejected: .internal
            case .tooLarge: .limited
            }
        return CodeForgeError(portCode, "redis: \(operation): \(cause)")
    }
}
