package import Domain
import GRDB

/// Workspaces and diffs in SQLite.
package final class SQLiteWorkspaceStore: WorkspaceStore {
    private let database: TaskDatabase

    package init(_ database: TaskDatabase) { self.database = database }

    package func insert(_ workspace: Workspace) async throws(CodeForgeError) {
        try await database.write("record the workspace of task \(workspace.taskID)") { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO workspaces (task_id, slug, created_at, bytes) VALUES (?, ?, ?, 0)",
                arguments: [workspace.taskID, workspace.slug, workspace.createdAt.nanoseconds])
        }
    }

    package func adopt(slug: String) async throws(CodeForgeError) {
        try await database.write("record the workspace \(slug)") { db in
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO workspaces (task_id, slug, created_at, bytes)
                    SELECT id, workspace_slug, coalesce(started_at, created_at), 0 FROM tasks WHERE workspace_slug = ?
                    """, arguments: [slug])
        }
    }

    package func workspace(of taskID: String) async throws(CodeForgeError) -> Workspace? {
        try await database.read("read the workspace of task \(taskID)") { db in
            try Row.fetchOne(db, sql: "\(SQLiteWorkspaceStore.select) WHERE w.task_id = ?", arguments: [taskID])
                .map(SQLiteWorkspaceStore.workspace)
        }
    }

    package func workspaces() async throws(CodeForgeError) -> [Workspace] {
        try await database.read("read workspaces") { db in
            try Row.fetchAll(db, sql: "\(SQLiteWorkspaceStore.select) ORDER BY w.created_at, w.task_id")
                .map(SQLiteWorkspaceStore.workspace)
        }
    }

    package func record(_ measurement: WorkspaceMeasurement) async throws(CodeForgeError) {
        try await database.write("record what task \(measurement.taskID) left") { db in
            try db.execute(
                sql: """
                    UPDATE workspaces SET bytes = coalesce(?3, bytes), measured_task = ?1, measured_iteration = ?4
                    WHERE task_id = coalesce((SELECT task_id FROM workspaces WHERE task_id = ?1), ?2)
                    """,
                arguments: [
                    measurement.taskID, measurement.usedTaskID, measurement.bytes, measurement.iteration,
                ])
            guard let diff = measurement.diff else { return }
            try db.execute(
                sql: "INSERT OR REPLACE INTO diffs (task_id, iteration, text, truncated) VALUES (?, ?, ?, ?)",
                arguments: [
                    measurement.taskID, measurement.iteration, TaskRow.stored(diff.text), diff.isTruncated,
                ])
        }
    }

    package func remove(_ taskID: String) async throws(CodeForgeError) {
        try await database.write("forget the workspace of task \(taskID)") { db in
            try db.execute(sql: "DELETE FROM workspaces WHERE task_id = ?", arguments: [taskID])
        }
    }

    package func bytes() async throws(CodeForgeError) -> Int {
        try await database.read("sum the workspaces") { db in
            try Int.fetchOne(db, sql: "SELECT coalesce(sum(bytes), 0) FROM workspaces") ?? 0
        }
    }

    package func diff(of taskID: String, iteration: Int?) async throws(CodeForgeError) -> WorkspaceDiff? {
        try await database.read("read a diff of task \(taskID)") { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT text, truncated FROM diffs WHERE task_id = ?1 AND (?2 IS NULL OR iteration = ?2)
                    ORDER BY iteration DESC LIMIT 1
                    """, arguments: [taskID, iteration]
            ).map { WorkspaceDiff(text: TaskRow.text($0, "text") ?? "", isTruncated: $0["truncated"]) }
        }
    }

    private static let select = """
        SELECT w.task_id, w.slug, w.created_at, w.bytes, w.measured_task, w.measured_iteration, t.status
        FROM workspaces w LEFT JOIN tasks t ON t.id = w.task_id
        """

    private static func workspace(_ row: Row) -> Workspace {
        var workspace = Workspace(
            taskID: row["task_id"], slug: TaskRow.text(row, "slug") ?? "",
            createdAt: Timestamp(nanoseconds: row["created_at"]))
        workspace.bytes = row["bytes"]
        workspace.measuredTask = row["measured_task"]
        workspace.measuredIteration = row["measured_iteration"]
        workspace.taskStatus = (row["status"] as String?).flatMap(TaskStatus.init(rawValue:))
        return workspace
    }
}
