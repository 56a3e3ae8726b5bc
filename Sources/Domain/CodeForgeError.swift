/// The one error that crosses a port: what kind of failure it is, and one sentence for a person.
///
/// A message names the step and its operands, holds no secret, and says what to do when that is known.
public struct CodeForgeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure; `API` maps each to one HTTP status.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case invalidArgument, notFound, conflict, unauthorized, forbidden, limited, unavailable, timeout
            case cancelled, upstream, failed, `internal`
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The caller's input is wrong and stays wrong.
        public static let invalidArgument = Code(.invalidArgument)
        /// What was named does not exist.
        public static let notFound = Code(.notFound)
        /// It exists, but its state forbids this now.
        public static let conflict = Code(.conflict)
        public static let unauthorized = Code(.unauthorized)
        /// Refused by policy.
        public static let forbidden = Code(.forbidden)
        /// A quota or rate is used up.
        public static let limited = Code(.limited)
        /// A part we need (Redis, SQLite, a kernel feature) is away; trying again may help.
        public static let unavailable = Code(.unavailable)
        public static let timeout = Code(.timeout)
        public static let cancelled = Code(.cancelled)
        /// A service of others that we asked for a client (a forge, Sentry) failed or answered with an error.
        public static let upstream = Code(.upstream)
        /// It was tried and did not succeed, for a reason that the caller may know and cannot help.
        public static let failed = Code(.failed)
        /// A defect of ours, or a failure nobody can act on from outside.
        public static let `internal` = Code(.internal)

        public var description: String { value.rawValue }

        /// The code that `description` names.
        public init?(_ description: String) {
            guard let value = Value(rawValue: description) else { return nil }
            self.value = value
        }
    }

    public var code: Code
    public var message: String
    /// Validation failures by JSON member name, in request order; empty otherwise.
    public var fields: [(name: String, reason: String)]

    public init(_ code: Code, _ message: String, fields: [(name: String, reason: String)] = []) {
        self.code = code
        self.message = message
        self.fields = fields
    }

    public static func == (a: CodeForgeError, b: CodeForgeError) -> Bool {
        a.code == b.code && a.message == b.message && a.fields.elementsEqual(b.fields, by: { $0 == $1 })
    }

    public var description: String { "\(code): \(message)" }
}
