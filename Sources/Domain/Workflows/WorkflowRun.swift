/// One run of a workflow: what it was started with, how far it is, and what came of it.
public struct WorkflowRun: Sendable, Hashable {
    public enum Status: String, Sendable, CaseIterable, Codable {
        case pending, running, completed, failed, canceled

        public var isFinished: Bool { self != .pending && self != .running }
    }

    /// Random UUID v4, lower case.
    public var id: String
    public var workflowName: String
    /// The definition as it was when the run was started: neither a deletion nor an upgrade changes a run on its way.
    public var workflow: Workflow
    public var status: Status
    /// Whether `workflow` and `params` are there: what was sealed under another encryption key is not.
    public var isReadable = true
    /// Defaults filled in. May hold secrets.
    public var params: [String: String]
    public var error: String?
    /// A client asked for its end. The runner does the rest, also after a restart.
    public var isCancelRequested: Bool
    public var traceID: String?
    /// Where the spans of its tasks hang.
    public var trace: TraceContext?
    public var createdAt: Timestamp
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp?

    public init(id: String, workflow: Workflow, params: [String: String], createdAt: Timestamp) {
        self.id = id
        workflowName = workflow.name
        self.workflow = workflow
        status = .pending
        self.params = params
        isCancelRequested = false
        self.createdAt = createdAt
    }
}

/// One step of a run. On record from its start on; steps that were not reached have none.
public struct RunStep: Sendable, Hashable {
    public enum Status: String, Sendable, CaseIterable, Codable {
        case pending, running, completed, failed, skipped
    }

    public var runID: String
    /// 0-based place in the workflow.
    public var index: Int
    public var name: String
    public var type: String
    public var status: Status
    /// What later steps may use.
    public var result: [String: String]
    /// The task it created or works on; on record before that task can run.
    public var taskID: String?
    public var error: String?
    public var startedAt: Timestamp
    public var finishedAt: Timestamp?

    public init(runID: String, index: Int, name: String, type: String, startedAt: Timestamp) {
        self.runID = runID
        self.index = index
        self.name = name
        self.type = type
        status = .running
        result = [:]
        self.startedAt = startedAt
    }
}
