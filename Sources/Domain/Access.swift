/// What a token may do; each role may also do what those before it may.
public enum TokenRole: String, Sendable, CaseIterable, Comparable {
    /// Look at everything but secrets.
    case read
    /// Create tasks and steer them.
    case submit
    /// Everything.
    case admin

    public static func < (a: TokenRole, b: TokenRole) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .read: 0
        case .submit: 1
        case .admin: 2
        }
    }
}

/// A bearer token on record, without the token itself: only its SHA-256 is kept.
public struct APIToken: Sendable, Hashable {
    /// Never given to another token, also after this one is gone.
    public var id: Int64
    public var name: String
    public var role: TokenRole
    public var createdAt: Timestamp

    public init(id: Int64, name: String, role: TokenRole, createdAt: Timestamp) {
        self.id = id
        self.name = name
        self.role = role
        self.createdAt = createdAt
    }

    /// Bytes of randomness in a token.
    public static let randomBytes = 32
    /// Begins every token, so that people and scanners know one when they see it.
    private static let prefix = "cft_"

    /// The token made of `bytes`, which must be random and `randomBytes` many.
    public static func text(_ bytes: [UInt8]) -> String {
        prefix + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Whether a text could be a token: what is not is never looked up.
    public static func hasForm(_ text: String) -> Bool {
        text.hasPrefix(prefix) && text.utf8.count == prefix.utf8.count + 2 * randomBytes
    }

    /// Whether a token may have this name: 1…64 letters, digits, `-` and `_`.
    public static func isName(_ name: String) -> Bool {
        name.utf8.count <= 64 && NameRule.accepts(name)
    }
}
