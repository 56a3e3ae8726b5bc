/// Looks host names up, outside every sandbox.
package protocol NameResolver: Sendable {
    /// Every address of `name`, once.
    ///
    /// - Throws: `.unavailable` when there is none; `.timeout` after `limit`; `.cancelled` when the caller is.
    func addresses(of name: String, within limit: Duration) async throws(CodeForgeError) -> [IPAddress]
}
