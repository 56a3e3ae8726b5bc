/// Names of things that clients register.
public enum NameRule {
    public static let message = "name must contain only alphanumeric characters, hyphens, and underscores"

    public static func accepts(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
                default: false
                }
            }
    }

    /// - Throws: `.invalidArgument` with `message`.
    public static func check(_ name: String) throws(CodeForgeError) {
        guard accepts(name) else { throw CodeForgeError(.invalidArgument, message) }
    }
}
