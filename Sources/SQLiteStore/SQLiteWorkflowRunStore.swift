package import Domain
import GRDB

/// Runs of workflows and their steps in SQLite; definitions, parameters and outputs are sealed.
package final class SQLiteWorkflowRunStore: WorkflowRunStore {
    private let database: TaskDatabase
    private let box: any SecretBox

    package init(_ database: TaskDatabase, box: any SecretBox) {
        self.database = database
        self.box = box
    }

    /// What a run was started with; never changes.
    private struct Start: Codable {
        var workflow: Workflow
        var params: [String: String]
    }

    package func insert(_ run: WorkflowRun, receipt: Receipt?) async throws(CodeForgeError) {
        try await database.write("insert workflow run \(run.id)") { [box] db in
            if let receipt { try SQLiteReceiptStore.insert(receipt, db) }
            let start = Start(workflow: run.workflow, params: run.params)
            try db.execute(
                sql: """
                    INSERT INTO workflow_runs
                        (id, workflow, sealed, status, error, cancel_requested, trace_id, trace_parent, created_at,
                         started_at, finished_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    run.id, run.workflowName, try box.seal(try TaskRow.json(start) ?? ""), run.status.rawValue,
                    TaskRow.stored(run.error), run.isCancelRequested, TaskRow.stored(run.traceID),
                    run.trace?.traceparent, run.createdAt.nanoseconds, run.startedAt?.nanoseconds,
                    run.finishedAt?.nanoseconds,
                ])
        }
    }

    package func run(_ id: String) async throws(CodeForgeError) -> WorkflowRun? {
        try await database.read("read workflow run \(id)") { [box] db in
            try SQLiteWorkflowRunStore.fetch(db, "WHERE id = ?", [id], box).first
        }
    }

    package func steps(of runID: String) async throws(CodeForgeError) -> [RunStep] {
        try await database.read("read the steps of workflow run \(runID)") { [box] db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM workflow_steps WHERE run_id = ? ORDER BY number", arguments: [runID]
            ).map { try SQLiteWorkflowRunStore.step($0, box) }
        }
    }

    @discardableResult
    package func update(
        _ id: String, _ change: @escaping @Sendable (inout WorkflowRun) throws(CodeForgeError) -> RunStep?
    ) async throws(CodeForgeError) -> WorkflowRun {
        try await database.write("update workflow run \(id)") { [box] db in
            guard var run = try SQLiteWorkflowRunStore.fetch(db, "WHERE id = ?", [id], box).first else {
                throw CodeForgeError(.notFound, "workflow run '\(id)' not found")
            }
            let step = try change(&run)
            run.id = id
            try db.execute(
                sql: """
                    UPDATE workflow_runs SET status = ?, error = ?, cancel_requested = ?, started_at = ?, finished_at = ?
                    WHERE id = ?
                    """,
                arguments: [
                    run.status.rawValue, TaskRow.stored(run.error), run.isCancelRequested,
                    run.startedAt?.nanoseconds, run.finishedAt?.nanoseconds, id,
                ])
            if let step { try SQLiteWorkflowRunStore.put(step, of: id, db, box) }
            return run
        }
    }

    package func runs(of workflow: String?, limit: Int) async throws(CodeForgeError) -> [WorkflowRun] {
        let condition = (workflow == nil ? "" : "WHERE workflow = ? ") + "ORDER BY position DESC LIMIT ?"
        let names = StatementArguments(workflow.map { [$0] } ?? [])
        return try await database.read("list workflow runs") { [box] db in
            try SQLiteWorkflowRunStore.fetch(db, condition, names + [max(1, limit)], box)
        }
    }

    package func openRuns(of workflow: String?) async throws(CodeForgeError) -> [WorkflowRun] {
        let condition = "WHERE finished_at IS NULL \(workflow == nil ? "" : "AND workflow = ? ")ORDER BY position"
        return try await database.read("read open workflow runs") { [box] db in
            try SQLiteWorkflowRunStore.fetch(db, condition, StatementArguments(workflow.map { [$0] } ?? []), box)
        }
    }

    /// Replaces everything sealed; see `TaskDatabase.reseal`.
    ///
    /// - Returns: The number of runs.
    @discardableResult
    package func reseal(
        isTrial: Bool = false,
        _ reseal: @escaping @Sendable (_ runID: String, _ sealed: String) throws(CodeForgeError) -> String
    ) async throws(CodeForgeError) -> Int {
        _ = try await database.reseal("workflow_steps", name: "run_id", isTrial: isTrial, reseal)
        return try await database.reseal("workflow_runs", name: "id", isTrial: isTrial, reseal)
    }

    // MARK: Rows

    private static func fetch(
        _ db: Database, _ condition: String, _ arguments: StatementArguments, _ box: any SecretBox
    ) throws -> [WorkflowRun] {
        try Row.fetchAll(db, sql: "SELECT * FROM workflow_runs \(condition)", arguments: arguments).map { row in
            guard let status = WorkflowRun.Status(rawValue: row["status"]) else {
                throw CodeForgeError(.internal, "workflow run \(row["id"] as String) has an unknown status")
            }
            let created = Timestamp(nanoseconds: row["created_at"])
            // One of another encryption key still has a place in lists, and an end.
            let sealed = try? box.open(row["sealed"])
            let start: Start? = try TaskRow.value(sealed)
            let workflow = start?.workflow ?? Workflow(name: row["workflow"], createdAt: created)
            var run = WorkflowRun(id: row["id"], workflow: workflow, params: start?.params ?? [:], createdAt: created)
            run.isReadable = start != nil
            run.status = status
            run.error = TaskRow.text(row, "error")
            run.isCancelRequested = row["cancel_requested"]
            run.traceID = TaskRow.text(row, "trace_id")
            run.trace = (row["trace_parent"] as String?).flatMap { TraceContext(traceparent: $0) }
            run.startedAt = (row["started_at"] as Int64?).map(Timestamp.init(nanoseconds:))
            run.finishedAt = (row["finished_at"] as Int64?).map(Timestamp.init(nanoseconds:))
            return run
        }
    }

    private static func put(_ step: RunStep, of runID: String, _ db: Database, _ box: any SecretBox) throws {
        try db.execute(
            sql: """
                INSERT INTO workflow_steps
                    (run_id, number, name, type, status, sealed, task_id, error, started_at, finished_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (run_id, number) DO UPDATE SET
                    name = excluded.name, type = excluded.type, status = excluded.status, sealed = excluded.sealed,
                    task_id = excluded.task_id, error = excluded.error, started_at = excluded.started_at,
                    finished_at = excluded.finished_at
                """,
            arguments: [
                runID, step.index, TaskRow.stored(step.name), TaskRow.stored(step.type), step.status.rawValue,
                try box.seal(try TaskRow.json(step.result) ?? ""), step.taskID, TaskRow.stored(step.error),
                step.startedAt.nanoseconds, step.finishedAt?.nanoseconds,
            ])
    }

    private static func step(_ row: Row, _ box: any SecretBox) throws -> RunStep {
        guard let status = RunStep.Status(rawValue: row["status"]) else {
            throw CodeForgeError(.internal, "a step of workflow run \(row["run_id"] as String) has an unknown status")
        }
        var step = RunStep(
            runID: row["run_id"], index: row["number"], name: TaskRow.text(row, "name") ?? "",
            type: TaskRow.text(row, "type") ?? "", startedAt: Timestamp(nanoseconds: row["started_at"]))
        step.status = status
        step.result = try TaskRow.value(try? box.open(row["sealed"])) ?? [:]  // as with runs
        step.taskID = row["task_id"]
        step.error = TaskRow.text(row, "error")
        step.finishedAt = (row["finished_at"] as Int64?).map(Timestamp.init(nanoseconds:))
        return step
    }
}
