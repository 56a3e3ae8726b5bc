/// The record of registered keys. Tokens in it are sealed by the caller.
package protocol KeyStore: Sendable {
    /// Durable when it returns.
    ///
    /// - Returns: Whether it is new; a key of that provider and name stays as it is.
    func insert(_ key: RegisteredKey, sealedToken: String) async throws(CodeForgeError) -> Bool

    /// In the order of their creation.
    func keys() async throws(CodeForgeError) -> [RegisteredKey]

    /// Keys of that name, of any provider, in the order of their creation.
    func keys(named name: String) async throws(CodeForgeError) -> [(key: RegisteredKey, sealedToken: String)]

    /// Removes every provider's key of that name.
    ///
    /// - Returns: How many there were.
    func remove(named name: String) async throws(CodeForgeError) -> Int

    /// Replaces every sealed token by what `reseal` makes of it, all or none.
    ///
    /// - Returns: How many there are.
    /// - Throws: What `reseal` throws, with nothing changed.
    func reseal(
        _ reseal: @escaping @Sendable (_ key: RegisteredKey, _ sealed: String) throws(CodeForgeError) -> String
    ) async throws(CodeForgeError) -> Int
}
