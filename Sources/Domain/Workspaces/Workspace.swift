/// A task's workspace as it is on record: its files may be gone already.
public struct Workspace: Sendable, Hashable {
    /// The task it was made for; others may have used it since.
    public var taskID: String
    /// Its name under `tasks.workspace_base`.
    public var slug: String
    public var createdAt: Timestamp
    /// As last measured; 0 before.
    public var bytes: Int
    /// The run it was last measured after; `nil` before.
    public var measuredTask: String?
    public var measuredIteration: Int?
    /// Status of its task; `nil` when the task is gone.
    public var taskStatus: TaskStatus?

    public init(taskID: String, slug: String, createdAt: Timestamp) {
        self.taskID = taskID
        self.slug = slug
        self.createdAt = createdAt
        bytes = 0
    }
}

/// What a run left behind in a workspace, compared with the clone.
public struct WorkspaceDiff: Sendable, Hashable, Codable {
    /// Unified; binary files are named only. Bytes that were no UTF-8 are replaced.
    public var text: String
    /// Something is missing: it was too long, or a file too large or not readable.
    public var isTruncated: Bool

    public init(text: String, isTruncated: Bool) {
        self.text = text
        self.isTruncated = isTruncated
    }
}

/// What was measured after a run.
public struct WorkspaceMeasurement: Sendable, Hashable {
    public var taskID: String
    public var iteration: Int
    /// The task whose workspace it used when it has none of its own.
    public var usedTaskID: String?
    /// `nil`: could not be measured.
    public var bytes: Int?
    public var diff: WorkspaceDiff?

    public init(taskID: String, iteration: Int, usedTaskID: String?, bytes: Int?, diff: WorkspaceDiff?) {
        self.taskID = taskID
        self.iteration = iteration
        self.usedTaskID = usedTaskID
        self.bytes = bytes
        self.diff = diff
    }
}
