/// What a supervisor tells the server, through the results log.
public struct JobReport: Sendable, Codable, Equatable {
    /// A step of the run that the task's record follows, or its end.
    public enum Body: Sendable, Codable, Equatable {
        /// The clone is there, and the CLI is about to start.
        case running
        /// Numbers grow within the run; the same records may come twice.
        case audit([AuditRecord])
        case finished(JobOutcome)
    }

    public var run: RunID
    public var body: Body
    public var time: Timestamp

    public init(run: RunID, body: Body, time: Timestamp) {
        self.run = run
        self.body = body
        self.time = time
    }
}

/// How a run ended.
public struct JobOutcome: Sendable, Codable, Equatable {
    /// Why a run failed; decides the events that go with it.
    public enum Failure: String, Sendable, Codable {
        case clone, timeout, cancelled, cli, workspace, sandbox, limit, lost
    }

    /// `nil` when it succeeded.
    public var failure: Failure?
    /// The task's `error` member; empty on success.
    public var error: String
    /// The CLI's final text.
    public var result: String
    public var changes: ChangesSummary?
    public var usage: Usage
    /// What the answer says as a review, when it is one.
    public var review: ReviewResult?
    /// Conversation the CLI reported.
    public var sessionID: String?
    /// Tokens of that conversation so far, when the CLI counts those; `usage` is of this run alone.
    public var sessionUsage: Usage?
    /// Bytes on disk of the workspace, when it was measured.
    public var workspaceBytes: Int?
    /// What changed, when it was looked at.
    public var diff: WorkspaceDiff?
    /// What a run that publishes pushed.
    public var pushed: PushedBranch?
    /// The limit in force, for `task_timeout`.
    public var timeoutSeconds: Int?
    /// Seconds the CLI ran, with the fraction.
    public var seconds: Double
    /// The limit or watchdog that ended the run.
    public var limit: SandboxLimit?
    /// Profile in force with every override, as it was enforced.
    public var profile: SandboxProfile?
    /// Layers the run went without, none of them required.
    public var missingLayers: [LayerStatus]?
    /// When the worker took the run up.
    public var startedAt: Timestamp?
    /// What was begun, in order.
    public var phases: [Phase]?

    /// A part of a run that is worth its own time.
    public struct Phase: Sendable, Codable, Equatable {
        public enum Name: String, Sendable, Codable { case clone, run }

        public var name: Name
        public var startedAt: Timestamp
        public var endedAt: Timestamp

        public init(name: Name, startedAt: Timestamp, endedAt: Timestamp) {
            self.name = name
            self.startedAt = startedAt
            self.endedAt = endedAt
        }
    }

    public init(
        failure: Failure? = nil, error: String = "", result: String = "", changes: ChangesSummary? = nil,
        usage: Usage = Usage(), sessionID: String? = nil, workspaceBytes: Int? = nil, timeoutSeconds: Int? = nil,
        seconds: Double = 0, limit: SandboxLimit? = nil
    ) {
        self.failure = failure
        self.error = error
        self.result = result
        self.changes = changes
        self.usage = usage
        self.sessionID = sessionID
        self.workspaceBytes = workspaceBytes
        self.timeoutSeconds = timeoutSeconds
        self.seconds = seconds
        self.limit = limit
    }
}
