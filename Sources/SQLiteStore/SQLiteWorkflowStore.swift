package import Domain
import GRDB

/// Workflow definitions in SQLite, each sealed as a whole.
package final class SQLiteWorkflowStore: WorkflowStore {
    private let database: TaskDatabase
    private let box: any SecretBox

    package init(_ database: TaskDatabase, box: any SecretBox) {
        self.database = database
        self.box = box
    }

    package func insert(_ workflow: Workflow) async throws(CodeForgeError) {
        try await database.write("insert workflow \(workflow.name)") { [box] db in
            try db.execute(
                sql: "INSERT INTO workflows (name, built_in, sealed, created_at) VALUES (?, ?, ?, ?)",
                arguments: [
                    workflow.name, workflow.isBuiltIn, try box.seal(try TaskRow.json(workflow) ?? ""),
                    workflow.createdAt.nanoseconds,
                ])
        }
    }

    package func replaceBuiltIn(_ workflows: [Workflow]) async throws(CodeForgeError) {
        try await database.write("bring the built-in workflows up to date") { [box] db in
            let wanted = Set(workflows.map(\.name))
            for name in try String.fetchAll(db, sql: "SELECT name FROM workflows WHERE built_in")
            where !wanted.contains(name) {
                try db.execute(sql: "DELETE FROM workflows WHERE name = ?", arguments: [name])
            }
            for workflow in workflows {
                try db.execute(
                    sql: """
                        INSERT INTO workflows (name, built_in, sealed, created_at) VALUES (?, TRUE, ?, ?)
                        ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed WHERE built_in
                        """,
                    arguments: [
                        workflow.name, try box.seal(try TaskRow.json(workflow) ?? ""), workflow.createdAt.nanoseconds,
                    ])
            }
        }
    }

    package func workflows() async throws(CodeForgeError) -> [Workflow] {
        try await read("read the workflows", "ORDER BY built_in DESC, position")
    }

    package func workflow(_ name: String) async throws(CodeForgeError) -> Workflow? {
        try await read("read workflow \(name)", "WHERE name = ?", [name]).first
    }

    package func remove(_ name: String) async throws(CodeForgeError) -> Bool {
        try await database.write("delete workflow \(name)") { db in
            try db.execute(sql: "DELETE FROM workflows WHERE name = ?", arguments: [name])
            return db.changesCount == 1
        }
    }

    /// Replaces every sealed definition; see `TaskDatabase.reseal`.
    @discardableResult
    package func reseal(
        isTrial: Bool = false,
        _ reseal: @escaping @Sendable (_ name: String, _ sealed: String) throws(CodeForgeError) -> String
    ) async throws(CodeForgeError) -> Int {
        try await database.reseal("workflows", name: "name", isTrial: isTrial, reseal)
    }

    private func read(
        _ operation: String, _ condition: String, _ arguments: [String] = []
    ) async throws(CodeForgeError) -> [Workflow] {
        try await database.read(operation) { [box] db in
            try Row.fetchAll(
                db, sql: "SELECT name, built_in, sealed, created_at FROM workflows \(condition)",
                arguments: StatementArguments(arguments)
            ).compactMap { row in
                guard var workflow: Workflow = try TaskRow.value(try SQLiteWorkflowStore.opened(row, box)) else {
                    return nil
                }
                workflow.isBuiltIn = row["built_in"]
                workflow.createdAt = Timestamp(nanoseconds: row["created_at"])
                return workflow
            }
        }
    }

    private static func opened(_ row: Row, _ box: any SecretBox) throws -> String {
        do {
            return try box.open(row["sealed"])
        } catch {
            throw CodeForgeError(
                .unavailable,
                "workflow '\(row["name"] as String)' can't be opened: it was stored under another encryption key; "
                    + "delete and create it again")
        }
    }
}
