package import Domain

/// A registered key with its token.
package struct OpenedKey: Sendable, CustomStringConvertible {
    package var key: RegisteredKey
    package var token: String

    /// Without the token, so that a careless log line is still safe.
    package var description: String { "OpenedKey(\(key.provider.rawValue) \(key.name))" }
}

/// The registered keys, to be opened where they are used.
package struct KeyRing: Sendable {
    package let store: any KeyStore
    private let box: any SecretBox

    package init(store: any KeyStore, box: any SecretBox) {
        self.store = store
        self.box = box
    }

    package func add(_ key: RegisteredKey, token: String) async throws(CodeForgeError) -> Bool {
        try await store.insert(key, sealedToken: try box.seal(token))
    }

    /// The first key of that name for which `isWanted` holds, in the order of creation.
    ///
    /// - Throws: `.unavailable` when it is there and can't be opened.
    package func first(
        named name: String, where isWanted: (RegisteredKey) -> Bool = { _ in true }
    ) async throws(CodeForgeError) -> OpenedKey? {
        guard let found = try await store.keys(named: name).first(where: { isWanted($0.key) }) else { return nil }
        do throws(CodeForgeError) {
            return OpenedKey(key: found.key, token: try box.open(found.sealedToken))
        } catch {
            throw CodeForgeError(.unavailable, "key '\(name)': \(error.message)")
        }
    }

    /// - Throws: `.notFound` (`key '<name>' not found`).
    package func key(named name: String) async throws(CodeForgeError) -> OpenedKey {
        guard let key = try await first(named: name) else { throw KeyRing.unknown(name) }
        return key
    }

    /// Keys that can't be opened.
    package func unreadable() async throws(CodeForgeError) -> [RegisteredKey] {
        var found: [RegisteredKey] = []
        for name in Set(try await store.keys().map(\.name)).sorted() {
            for stored in try await store.keys(named: name) where (try? box.open(stored.sealedToken)) == nil {
                found.append(stored.key)
            }
        }
        return found
    }

    static func unknown(_ name: String) -> CodeForgeError { CodeForgeError(.notFound, "key '\(name)' not found") }
}
