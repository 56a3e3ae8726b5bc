package import Domain
import GRDB

/// MCP servers in SQLite, each definition sealed as a whole.
package final class SQLiteMCPServerStore: MCPServerStore {
    private let database: TaskDatabase
    private let box: any SecretBox

    package init(_ database: TaskDatabase, box: any SecretBox) {
        self.database = database
        self.box = box
    }

    package func insert(
        _ server: MCPServer, named name: String, at time: Timestamp
    ) async throws(CodeForgeError) {
        try await database.write("insert MCP server \(name)") { [box] db in
            try db.execute(
                sql: "INSERT INTO mcp_servers (name, sealed, created_at) VALUES (?, ?, ?)",
                arguments: [name, try box.seal(try TaskRow.json(server) ?? ""), time.nanoseconds])
        }
    }

    package func servers() async throws(CodeForgeError) -> [RegisteredMCPServer] {
        let rows: [(name: String, sealed: String, time: Int64)] = try await database.read("read the MCP servers") {
            db in
            try Row.fetchAll(db, sql: "SELECT name, sealed, created_at FROM mcp_servers ORDER BY position").map {
                ($0["name"], $0["sealed"], $0["created_at"])
            }
        }
        var servers: [RegisteredMCPServer] = []
        for row in rows {
            let server: MCPServer?
            do {
                server = try TaskRow.value(try box.open(row.sealed))
            } catch {
                throw CodeForgeError(
                    .unavailable,
                    "MCP server '\(row.name)' can't be opened: it was stored under another encryption key; "
                        + "delete and register it again")
            }
            if let server {
                servers.append(RegisteredMCPServer(server: server, createdAt: Timestamp(nanoseconds: row.time)))
            }
        }
        return servers
    }

    package func remove(_ name: String) async throws(CodeForgeError) -> Bool {
        return try await database.write("delete MCP server \(name)") { db in
            try db.execute(sql: "DELETE FROM mcp_servers WHERE name = ?", arguments: [name])
            return db.changesCount == 1
        }
    }

    /// Replaces every sealed definition in one transaction.
    ///
    /// - Parameters:
    ///   - isTrial: Whether nothing is to be changed.
    ///   - reseal: When it throws, nothing is changed.
    /// - Returns: The number of servers.
    @discardableResult
    package func reseal(
        isTrial: Bool = false,
        _ reseal: @escaping @Sendable (_ name: String, _ sealed: String) throws(CodeForgeError) -> String
    ) async throws(CodeForgeError) -> Int {
        return try await database.write("seal MCP servers anew") { db in
            let rows = try Row.fetchAll(db, sql: "SELECT name, sealed FROM mcp_servers")
            for row in rows {
                let sealed = try reseal(row["name"], row["sealed"])
                guard !isTrial else { continue }
                try db.execute(
                    sql: "UPDATE mcp_servers SET sealed = ? WHERE name = ?",
                    arguments: [sealed, row["name"] as String])
            }
            return rows.count
        }
    }
}
