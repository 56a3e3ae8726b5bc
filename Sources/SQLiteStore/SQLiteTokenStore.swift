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
        try await database.write("insert a token") { db in
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
    }

    package func tokens() async throws(CodeForgeError) -> [APIToken] {
        return try await database.read("list tokens") { db in
            try Row.fetchAll(db, sql: "SELECT * FROM tokens ORDER BY name").map(SQLiteTokenStore.token)
        }
    }

    package func token(digest: [UInt8]) async throws(CodeForgeError) -> APIToken? {
        return try await database.read("look for a token") { db in
            let statement = try db.cachedStatement(sql: "SELECT * FROM tokens WHERE digest = ?")
            return try Row.fetchOne(statement, arguments: [Data(digest)]).map(SQLiteTokenStore.token)
        }
    }

    package func remove(name: String) async throws(CodeForgeError) {
        try await database.write("remove a token") { db in
            try db.execute(sql: "DELETE FROM tokens WHERE name = ?", arguments: [name])
            guard db.changesCount == 1 else { throw CodeForgeError(.notFound, "token '\(name)' not found") }
        }
    }

    private static func token(_ row: Row) throws -> APIToken {
        guard let role = TokenRole(rawValue: row["role"]) else {
            throw CodeForgeError(.internal, "token '\(row["name"] as String)' has an unknown role")
        }
        return APIToken(
            id: row["id"], name: row["name"], role: role, createdAt: Timestamp(nanoseconds: row["created_at"]))
    }
}
