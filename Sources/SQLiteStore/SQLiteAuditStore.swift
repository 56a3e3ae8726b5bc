package import Domain
import GRDB

/// Audit records in SQLite.
package final class SQLiteAuditStore: AuditStore {
    private let database: TaskDatabase

    package init(_ database: TaskDatabase) { self.database = database }

    @discardableResult
    package func append(_ batches: [AuditBatch]) async throws(CodeForgeError) -> [AuditRecord] {
        guard batches.contains(where: { !$0.records.isEmpty }) else { return [] }
        return try await database.write("append to the audit") { db in
            let statement = try db.cachedStatement(sql: SQLiteAuditStore.insert)
            return try batches.flatMap { batch in
                try batch.records.filter { record in
                    let values = try SQLiteAuditStore.values(record, batch.run)
                    try statement.execute(arguments: StatementArguments(values))
                    return db.changesCount == 1
                }
            }
        }
    }

    package func entries(_ query: AuditQuery) async throws(CodeForgeError) -> [AuditEntry] {
        var conditions: [String]
        var arguments: [(any DatabaseValueConvertible)?]
        switch query.scope {
        case .task(let id): (conditions, arguments) = (["task_id = ?"], [id])
        case .iteration(let id, let number):
            (conditions, arguments) = (["task_id = ?", "iteration = ?"], [id, number])
        case .sandbox(let id): (conditions, arguments) = (["sandbox = ?"], [id])
        }
        if let kind = query.kind {
            conditions.append("kind = ?")
            arguments.append(kind.rawValue)
        }
        if let verdict = query.verdict {
            conditions.append("verdict = ?")
            arguments.append(verdict.rawValue)
        }
        let sql = """
            SELECT id, \(SQLiteAuditStore.columns.joined(separator: ", ")) FROM audit
            WHERE \(conditions.joined(separator: " AND ")) AND id > ? ORDER BY id LIMIT ?
            """
        arguments += [query.after, max(1, query.limit)]
        let bound = StatementArguments(arguments)
        return try await database.read("read the audit") { db in
            try Row.fetchAll(db, sql: sql, arguments: bound).map(SQLiteAuditStore.entry)
        }
    }

    @discardableResult
    package func remove(before time: Timestamp) async throws(CodeForgeError) -> Int {
        try await database.remove(
            "remove old audit records", "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE time < ? LIMIT ?)",
            [time.nanoseconds])
    }

    // MARK: Rows

    private static let columns = [
        "task_id", "iteration", "attempt", "purpose", "number", "time", "sandbox", "kind", "name", "verdict", "detail",
        "suppressed",
    ]

    private static let insert = """
        INSERT INTO audit (\(columns.joined(separator: ", "))) VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))
        ON CONFLICT (task_id, iteration, attempt, purpose, number) DO NOTHING
        """

    private static func values(_ record: AuditRecord, _ run: RunID) throws -> [(any DatabaseValueConvertible)?] {
        [
            run.taskID, run.iteration, run.attempt, run.purpose.rawValue, record.number, record.time.nanoseconds,
            TaskRow.stored(record.sandbox), record.kind.rawValue, TaskRow.stored(record.name), record.verdict.rawValue,
            try TaskRow.json(record.detail), record.suppressed,
        ]
    }

    private static func entry(_ row: Row) throws -> AuditEntry {
        guard let purpose = JobSpec.Purpose(rawValue: row["purpose"]),
            let kind = AuditRecord.Kind(rawValue: row["kind"]),
            let verdict = AuditRecord.Verdict(rawValue: row["verdict"])
        else { throw CodeForgeError(.internal, "audit record \(row["id"] as Int64) is of an unknown kind") }
        return AuditEntry(
            id: row["id"],
            run: RunID(
                taskID: row["task_id"], iteration: row["iteration"], attempt: row["attempt"], purpose: purpose),
            record: AuditRecord(
                number: row["number"], time: Timestamp(nanoseconds: row["time"]),
                sandbox: TaskRow.text(row, "sandbox") ?? "", kind: kind, name: TaskRow.text(row, "name") ?? "",
                verdict: verdict, detail: try TaskRow.value(row["detail"]) ?? .null, suppressed: row["suppressed"]))
    }
}
