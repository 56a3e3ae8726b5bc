package import Domain
import GRDB

/// Registered keys in SQLite.
package final class SQLiteKeyStore: KeyStore {
    private let database: TaskDatabase

    package init(_ database: TaskDatabase) { self.database = database }

    package func insert(_ key: RegisteredKey, sealedToken: String) async throws(CodeForgeError) -> Bool {
        return try await database.write("register key \(key.name)") { db in
            try db.execute(
                sql: """
                    INSERT INTO keys (provider, name, scope, base_url, token, created_at) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (provider, name) DO NOTHING
                    """,
                arguments: [
                    key.provider.rawValue, key.name, TaskRow.stored(key.scope), key.base?.text, sealedToken,
                    key.createdAt.milliseconds,
                ])
            return db.changesCount == 1
        }
    }

    package func keys() async throws(CodeForgeError) -> [RegisteredKey] {
        try await rows("list keys", "").map(\.key)
    }

    package func keys(
        named name: String
    ) async throws(CodeForgeError) -> [(key: RegisteredKey, sealedToken: String)] {
        try await rows("read key", "WHERE name = ?", [name]).map { ($0.key, $0.sealedToken) }
    }

    package func remove(named name: String) async throws(CodeForgeError) -> Int {
        return try await database.write("remove key") { db in
            try db.execute(sql: "DELETE FROM keys WHERE name = ?", arguments: [name])
            return db.changesCount
        }
    }

    package func reseal(
        _ reseal: @escaping @Sendable (_ key: RegisteredKey, _ sealed: String) throws(CodeForgeError) -> String
    ) async throws(CodeForgeError) -> Int {
        return try await database.write("seal keys anew") { db in
            let rows = try SQLiteKeyStore.fetch(db, "")
            for row in rows {
                try db.execute(
                    sql: "UPDATE keys SET token = ? WHERE id = ?",
                    arguments: [try reseal(row.key, row.sealedToken), row.id])
            }
            return rows.count
        }
    }

    // MARK: Rows

    private struct Record: Sendable {
        var id: Int64
        var key: RegisteredKey
        var sealedToken: String
    }

    private func rows(
        _ operation: String, _ condition: String, _ arguments: [String] = []
    ) async throws(CodeForgeError) -> [Record] {
        return try await database.read(operation) { db in try SQLiteKeyStore.fetch(db, condition, arguments) }
    }

    private static func fetch(_ db: Database, _ condition: String, _ arguments: [String] = []) throws -> [Record] {
        try Row.fetchAll(
            db, sql: "SELECT id, provider, name, scope, base_url, token, created_at FROM keys \(condition) ORDER BY id",
            arguments: StatementArguments(arguments)
        ).map { row in
            guard let provider = KeyProvider(rawValue: row["provider"]) else {
                throw CodeForgeError(.internal, "key \(row["name"] as String) is of an unknown provider")
            }
            let base = try (row["base_url"] as String?).flatMap { try ForgeBase($0, provider: provider) }
            let created = Timestamp(nanoseconds: (row["created_at"] as Int64) * 1_000_000)
            return Record(
                id: row["id"],
                key: RegisteredKey(
                    name: row["name"], provider: provider, scope: TaskRow.text(row, "scope") ?? "", base: base,
                    createdAt: created), sealedToken: row["token"])
        }
    }
}
