package import Domain
import GRDB

/// Tasks and iterations in SQLite.
package final class SQLiteTaskStore: TaskStore {
    private let database: TaskDatabase

    package init(_ database: TaskDatabase) { self.database = database }

    package func insert(_ task: CodeTask, receipt: Receipt?) async throws(CodeForgeError) {
        try await database.write("insert task \(task.id)") { db in
            if let receipt { try SQLiteReceiptStore.insert(receipt, db) }
            try db.cachedStatement(sql: TaskRow.insert).execute(arguments: StatementArguments(TaskRow.values(task)))
        }
    }

    package func task(_ id: String) async throws(CodeForgeError) -> CodeTask? {
        try await database.read("read task \(id)") { db in try SQLiteTaskStore.fetch(id, db) }
    }

    @discardableResult
    package func update(
        _ id: String,
        _ change: @escaping @Sendable (inout CodeTask) throws(CodeForgeError) -> Iteration?
    ) async throws(CodeForgeError) -> CodeTask {
        try await database.write("update task \(id)") { db in
            guard var task = try SQLiteTaskStore.fetch(id, db) else {
                throw CodeForgeError(.notFound, "task \(id) not found")
            }
            let iteration = try change(&task)
            // The id is the row's name: a change of it would be lost, or hit another task.
            task.id = id
            let values = try TaskRow.values(task)
            try db.cachedStatement(sql: TaskRow.update).execute(
                arguments: StatementArguments(Array(values.dropFirst()) + [id])
            )
            if let iteration { try SQLiteTaskStore.append(iteration, to: id, db) }
            if let callback = task.callback { try SQLiteCallbackStore.insert(callback, db) }
            task.callback = nil
            return task
        }
    }

    package func list(
        status: String?,
        limit: Int,
        offset: Int
    ) async throws(CodeForgeError) -> (tasks: [CodeTask], total: Int) {
        let page = try await database.read("list tasks") { db in
            let filter = status == nil ? "" : "WHERE status = ?"
            let arguments = StatementArguments(status.map { [$0] } ?? [])
            let total = try Int.fetchOne(
                db, sql: "SELECT sum(number) FROM task_counts \(filter)", arguments: arguments)
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(TaskRow.listed) FROM tasks \(filter) ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
                    """,
                arguments: arguments + [max(0, limit), max(0, offset)]
            )
            return Page(tasks: try rows.map(TaskRow.task), total: total ?? 0)
        }
        return (page.tasks, page.total)
    }

    package func tasks(in statuses: Set<TaskStatus>) async throws(CodeForgeError) -> [CodeTask] {
        let values = statuses.map(\.rawValue)
        let marks = values.map { _ in "?" }.joined(separator: ", ")
        return try await database.read("read tasks by status") { db in
            try Row.fetchAll(
                db,
                sql: "SELECT \(TaskRow.list) FROM tasks WHERE status IN (\(marks)) ORDER BY created_at, id",
                arguments: StatementArguments(values)
            ).map(TaskRow.task)
        }
    }

    package func waiting() async throws(CodeForgeError) -> [String] {
        try await database.read("read waiting tasks") { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT id FROM tasks
                    WHERE status IN ('pending', 'awaiting_instruction', 'reviewing') AND hold IS NULL
                        AND (status <> 'reviewing' OR attempt <= ended_attempt)
                    ORDER BY created_at, id
                    """)
        }
    }

    package func held() async throws(CodeForgeError) -> [CodeTask] {
        try await database.read("read held tasks") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT \(TaskRow.list) FROM tasks WHERE hold IS NOT NULL AND status = 'pending'
                    ORDER BY created_at, id
                    """
            ).map(TaskRow.task)
        }
    }

    package func tasksToPost() async throws(CodeForgeError) -> [CodeTask] {
        try await database.read("read tasks to post") { db in
            try Row.fetchAll(
                db, sql: "SELECT \(TaskRow.list) FROM tasks WHERE posting IS NOT NULL ORDER BY created_at, id"
            ).map(TaskRow.task)
        }
    }

    package func iterations(of id: String) async throws(CodeForgeError) -> [Iteration] {
        try await database.read("read iterations of task \(id)") { db in
            try String.fetchAll(
                db,
                sql: "SELECT record FROM iterations WHERE task_id = ? ORDER BY position",
                arguments: [id]
            ).compactMap { try TaskRow.value($0) }
        }
    }

    package func ping() async throws(CodeForgeError) {
        _ = try await database.read("ping the database") { db in try Int.fetchOne(db, sql: "SELECT 1") }
    }

    private struct Page: Sendable {
        var tasks: [CodeTask]
        var total: Int
    }

    private static func fetch(_ id: String, _ db: Database) throws -> CodeTask? {
        let statement = try db.cachedStatement(sql: "SELECT \(TaskRow.list) FROM tasks WHERE id = ?")
        return try Row.fetchOne(statement, arguments: [id]).map(TaskRow.task)
    }

    private static func append(_ iteration: Iteration, to id: String, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO iterations (task_id, number, position, record)
                VALUES (?1, ?2, (SELECT coalesce(max(position), 0) + 1 FROM iterations WHERE task_id = ?1), ?3)
                """,
            arguments: [id, iteration.number, try TaskRow.json(iteration)]
        )
    }
}
