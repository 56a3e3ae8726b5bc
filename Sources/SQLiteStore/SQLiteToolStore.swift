package import Domain
import GRDB

/// Registered tools in SQLite.
package final class SQLiteToolStore: ToolStore {
    private let database: TaskDatabase

    package init(_ database: TaskDatabase) { self.database = database }

    package func insert(_ tool: Tool, at time: Timestamp) async throws(CodeForgeError) {
        try await database.write("insert tool \(tool.name)") { db in
            try db.execute(
                sql: "INSERT INTO tools (name, definition, created_at) VALUES (?, ?, ?)",
                arguments: [tool.name, try TaskRow.json(tool), time.nanoseconds])
        }
    }

    package func tools() async throws(CodeForgeError) -> [RegisteredTool] {
        return try await database.read("read the tools") { db in
            try Row.fetchAll(db, sql: "SELECT definition, created_at FROM tools ORDER BY position")
                .compactMap(SQLiteToolStore.tool)
        }
    }

    package func tool(_ name: String) async throws(CodeForgeError) -> RegisteredTool? {
        return try await database.read("read tool \(name)") { db in
            try Row.fetchOne(db, sql: "SELECT definition, created_at FROM tools WHERE name = ?", arguments: [name])
                .flatMap(SQLiteToolStore.tool)
        }
    }

    package func remove(_ name: String) async throws(CodeForgeError) -> Bool {
        return try await database.write("delete tool \(name)") { db in
            try db.execute(sql: "DELETE FROM tools WHERE name = ?", arguments: [name])
            return db.changesCount == 1
        }
    }

    private static func tool(_ row: Row) throws -> RegisteredTool? {
        let tool: Tool? = try TaskRow.value(row["definition"])
        return tool.map { RegisteredTool(tool: $0, createdAt: Timestamp(nanoseconds: row["created_at"])) }
    }
}
