package import Domain
import FoundationEssentials
import GRDB

/// Bearer tokens in SQLite. Each look-up reads the file, so that another process's changes hold at once.
package final class SQLiteTokenStore: TokenStore {
    private let database: TaskDatabase

    package init(_ database: TaskDatabase) { self.database = database }

    package func insert(
        name: String, role: TokenRole, digest: [UInt8], at time: Timestamp
    ) async throws(CodeForgeError) {
        do {
            try await database.writes.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO tokens (name, role, digest, created_at) VALUES (?, ?, ?, ?)
                        ON CONFLICT (name) DO NOTHING
                        """,
                    arguments: [name, role.rawValue, Data(digest), time.nanoseconds])
                guard db.changesCount == 1 else {
                    throw CodeForgeError(.conflict, "there is a token '\(name)' already")
                }
            }
        } catch { throw portError("insert a token", error) }
    }

    package func tokens() async throws(CodeForgeError) -> [APIToken] {
        do {
            return try await database.pool.read { db in
                try Row.fetchAll(db, sql: "SELECT * FROM tokens ORDER BY name").map(SQLiteTokenStore.token)
            }
        } catch { throw portError("list tokens", error) }
    }

    package func token(digest: [UInt8]) async throws(CodeForgeError) -> APIToken? {
        do {
            return try await database.pool.read { db in
                let statement = try db.cachedStatement(sql: "SELECT * FROM tokens WHERE digest = ?")
                return try Row.fetchOne(statement, arguments: [Data(digest)]).map(SQLiteTokenStore.token)
            }
        } catch { throw portError("look for a token", error) }
    }

    package func remove(name: String) async throws(CodeForgeError) {
        do {
            try await database.writes.write { db in
                try db.execute(sql: "DELETE FROM tokens WHERE name = ?", arguments: [name])
                guard db.changesCount == 1 else { throw CodeForgeError(.notFound, "token '\(name)' not found") }
            }
        } catch { throw portError("remove a token", error) }
    }

    private static func token(_ row: Row) throws -> APIToken {
        guard let role = TokenRole(rawValue: row["role"]) else {
            throw CodeForgeError(.internal, "token '\(row["name"] as String)' has an unknown role")
        }
        return APIToken(
            id: row["id"], name: row["name"], role: role, createdAt: Timestamp(nanoseconds: row["created_at"]))
    }
}
