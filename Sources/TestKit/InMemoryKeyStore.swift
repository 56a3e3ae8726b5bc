package import Domain
import Synchronization

/// Keys in an array.
package final class InMemoryKeyStore: KeyStore {
    private struct Row {
        var key: RegisteredKey
        var sealedToken: String
    }

    private let rows = Mutex<[Row]>([])

    package init() {}

    package func insert(_ key: RegisteredKey, sealedToken: String) async throws(CodeForgeError) -> Bool {
        rows.withLock { rows in
            guard !rows.contains(where: { $0.key.provider == key.provider && $0.key.name == key.name }) else {
                return false
            }
            rows.append(Row(key: key, sealedToken: sealedToken))
            return true
        }
    }

    package func keys() async throws(CodeForgeError) -> [RegisteredKey] { rows.withLock { $0.map(\.key) } }

    package func keys(
        named name: String
    ) async throws(CodeForgeError) -> [(key: RegisteredKey, sealedToken: String)] {
        rows.withLock { $0.filter { $0.key.name == name }.map { ($0.key, $0.sealedToken) } }
    }

    package func remove(named name: String) async throws(CodeForgeError) -> Int {
        rows.withLock { rows in
            let before = rows.count
            rows.removeAll { $0.key.name == name }
            return before - rows.count
        }
    }

    package func reseal(
        _ reseal: @escaping @Sendable (_ key: RegisteredKey, _ sealed: String) throws(CodeForgeError) -> String
    ) async throws(CodeForgeError) -> Int {
        try rows.withLock { rows throws(CodeForgeError) in
            var changed = rows
            for index in changed.indices {
                changed[index].sealedToken = try reseal(changed[index].key, changed[index].sealedToken)
            }
            rows = changed
            return rows.count
        }
    }
}
