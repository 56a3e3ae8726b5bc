/// Bearer tokens. Another process may change them at any time.
public protocol TokenStore: Sendable {
    /// Durable when it returns.
    ///
    /// - Parameter digest: SHA-256 of the token.
    /// - Throws: `.conflict` when there is a token of that name.
    func insert(name: String, role: TokenRole, digest: [UInt8], at time: Timestamp) async throws(CodeForgeError)

    /// By name.
    func tokens() async throws(CodeForgeError) -> [APIToken]

    /// - Returns: `nil` when no such token is good, as of now.
    func token(digest: [UInt8]) async throws(CodeForgeError) -> APIToken?

    /// - Throws: `.notFound` (`token '<name>' not found`).
    func remove(name: String) async throws(CodeForgeError)
}
