package import Domain
import GRDB

/// Registered tools in SQLite.
package final class SQLiteToolStore: ToolStore {
    private let database: TaskDatabase

    package init(_ database: TaskDatabase) { self.database = database }

    package func insert(_ tool: Tool, at time: Timestamp) async throws(CodeForgeError) {
        do {
            let definition = try TaskRow.json(tool)
            try await database.writes.write { db in
                try db.execute(
                    sql: "INSERT INTO tools (name, definition, created_at) VALUES (?, ?, ?)",
                    arguments: [tool.name, definition, time.nanoseconds])
            }
        } catch { throw portError("insert tool \(tool.name)", error) }
    }

    package func tools() async throws(CodeForgeError) -> [RegisteredTool] {
        do {
            return try await database.pool.read { db in
                try Row.fetchAll(db, sql: "SELECT definition, created_at FROM tools ORDER BY position")
                    .compactMap(SQLiteToolStore.tool)
            }
        } catch { throw portError("read the tools", error) }
    }

    package func tool(_ name: String) async throws(CodeForgeError) -> RegisteredTool? {
        do {
            return try await database.pool.read { db in
                try Row.fetchOne(db, sql: "SELECT definition, created_at FROM tools WHERE name = ?", arguments: [name])
                    .flatMap(SQLiteToolStore.tool)
            }
        } catch { throw portError("read tool \(name)", error) }
    }

    package func remove(_ name: String) async throws(CodeForgeError) -> Bool {
        do {
            return try await database.writes.write { db in
                try db.execute(sql: "DELETE FROM tools WHERE name = ?", arguments: [name])
                return db.changesCount == 1
            }
        } catch { throw portError("delete tool \(name)", error) }
    }

    private static func tool(_ row: Row) throws -> RegisteredTool? {
        let tool: Tool? = try TaskRow.value(row["definition"])
        return tool.map { RegisteredTool(tool: $0, createdAt: Timestamp(nanoseconds: row["created_at"])) }
    }
}
