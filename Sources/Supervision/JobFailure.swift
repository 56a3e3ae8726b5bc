import Domain

/// Why a run ends before its time.
struct JobFailure: Error, Equatable {
    var kind: JobOutcome.Failure
    /// The task's `error` member.
    var message: String
    var limit: SandboxLimit?

    init(_ kind: JobOutcome.Failure, _ message: String, limit: SandboxLimit? = nil) {
        self.kind = kind
        self.message = message
        self.limit = limit
    }
}

extension JobSpec {
    /// What to tell when the workspace is not there any more.
    var workspaceGone: String {
        let what = purpose == .review ? "review of task" : "task"
        return "workspace not found for \(what) \(taskID): it was deleted; create a new task"
    }
}
