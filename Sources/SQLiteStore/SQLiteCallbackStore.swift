package import Domain
import FoundationEssentials
import GRDB

/// Waiting callbacks in SQLite; `SQLiteTaskStore` puts them in.
package final class SQLiteCallbackStore: CallbackStore {
    private let database: TaskDatabase

    package init(_ database: TaskDatabase) { self.database = database }

    package func due(
        at time: Timestamp, limit: Int, except busy: Set<String>
    ) async throws(CodeForgeError) -> [Callback] {
        let (condition, arguments) = SQLiteCallbackStore.without(busy)
        return try await database.read("read the callbacks that are due") { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM callbacks WHERE \(condition) AND due_at <= ? ORDER BY due_at, id LIMIT ?",
                arguments: arguments + [time.nanoseconds, max(0, limit)]
            ).map(SQLiteCallbackStore.callback)
        }
    }

    package func nextDue(except busy: Set<String>) async throws(CodeForgeError) -> Timestamp? {
        let (condition, arguments) = SQLiteCallbackStore.without(busy)
        return try await database.read("look for the next callback") { db in
            try Int64.fetchOne(
                db, sql: "SELECT due_at FROM callbacks WHERE \(condition) ORDER BY due_at LIMIT 1",
                arguments: arguments)
        }.map(Timestamp.init(nanoseconds:))
    }

    package func release(task id: String, at time: Timestamp) async throws(CodeForgeError) {
        try await write(
            "release the callbacks of task \(id)",
            "UPDATE callbacks SET due_at = ?1 WHERE task_id = ?2 AND attempts = 0 AND due_at > ?1",
            [time.nanoseconds, id])
    }

    package func postpone(_ id: String, attempts: Int, until time: Timestamp) async throws(CodeForgeError) {
        try await write(
            "postpone callback \(id)", "UPDATE callbacks SET attempts = ?, due_at = ? WHERE id = ?",
            [attempts, time.nanoseconds, id])
    }

    package func remove(_ id: String) async throws(CodeForgeError) {
        try await write("remove callback \(id)", "DELETE FROM callbacks WHERE id = ?", [id])
    }

    private func write(
        _ operation: String, _ sql: String, _ arguments: StatementArguments
    ) async throws(CodeForgeError) {
        try await database.write(operation) { db in try db.execute(sql: sql, arguments: arguments) }
    }

    // MARK: Rows

    private static func without(_ ids: Set<String>) -> (condition: String, arguments: StatementArguments) {
        ("id NOT IN (\(ids.map { _ in "?" }.joined(separator: ", ")))", StatementArguments(ids))
    }

    static func insert(_ callback: Callback, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO callbacks (id, task_id, url, event, trace_id, attempts, due_at, body)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                callback.id, callback.taskID, TaskRow.stored(callback.url), callback.event,
                TaskRow.stored(callback.traceID), callback.attempts, callback.dueAt.nanoseconds, Data(callback.body),
            ])
    }

    private static func callback(_ row: Row) -> Callback {
        Callback(
            id: row["id"], taskID: row["task_id"], url: TaskRow.text(row, "url") ?? "", event: row["event"],
            traceID: TaskRow.text(row, "trace_id"), body: [UInt8](row["body"] as Data), attempts: row["attempts"],
            dueAt: Timestamp(nanoseconds: row["due_at"]))
    }
}
