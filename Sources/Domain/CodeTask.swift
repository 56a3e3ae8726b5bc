/// A task: what was asked, where it is, and what came of it. Holds no secret.
public struct CodeTask: Sendable, Hashable {
    /// Random UUID v4, lower case. Never checked for its form when it comes from a client.
    public var id: String
    public var status: TaskStatus
    public var type: TaskType
    public var repoURL: String
    public var prompt: String
    public var providerKey: String?
    public var callbackURL: String?
    public var workflowRunID: String?
    /// `nil` when the request had none.
    public var config: TaskConfig?
    /// 1-based; grows with each follow-up.
    public var iteration: Int
    /// The latest follow-up.
    public var currentPrompt: String?
    public var result: String?
    public var error: String?
    public var changes: ChangesSummary?
    public var usage: Usage?
    public var review: ReviewResult?
    /// CLI and model of a `/review` in progress or of the last one.
    public var reviewCLI: String?
    public var reviewModel: String?
    public var branch: String?
    public var prNumber: Int?
    public var prURL: String?
    public var traceID: String?
    /// Where its runs' spans hang: as a rule the request that created it.
    public var trace: TraceContext?
    public var createdAt: Timestamp
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp?
    /// The CLI's own conversation, kept so that a follow-up can resume it.
    public var sessionID: String?
    /// The CLI that owns `sessionID`; another CLI can't resume it.
    public var sessionCLI: String?
    /// Tokens of that conversation so far, as the CLI counts them; `nil` when it counts each run for itself.
    public var sessionUsage: Usage?
    /// Counts the supervisors started in this iteration, for its own run and for reviews: with it every run has a name
    /// of its own.
    public var attempt: Int
    /// The attempt whose end is on record. A greater `attempt` is under way, an equal one leaves nothing to wait for.
    public var endedAttempt: Int
    /// A follow-up was queued when the review began that is under way or waits; it comes after.
    public var followUpWaits: Bool
    /// A review on its way to its pull request.
    public var posting: ReviewPosting?
    /// The commit its pull request must be at when it is cloned; `nil`: any.
    public var headSHA: String?
    /// Of a pull request's code; `nil`: nobody asked the forge.
    public var trust: TaskTrust?
    /// Keeps it from running while it is pending.
    public var hold: TaskHold?
    /// Directory name of the workspace under `tasks.workspace_base`; set on creation.
    public var workspaceSlug: String
    /// Goes on record with the change that sets it, in the same transaction; never read back.
    public var callback: Callback?

    public init(
        id: String, status: TaskStatus = .pending, type: TaskType = .code, repoURL: String, prompt: String,
        config: TaskConfig? = nil, workspaceSlug: String, createdAt: Timestamp
    ) {
        self.id = id
        self.status = status
        self.type = type
        self.repoURL = repoURL
        self.prompt = prompt
        self.config = config
        self.workspaceSlug = workspaceSlug
        self.createdAt = createdAt
        self.iteration = 1
        self.attempt = 0
        self.endedAttempt = 0
        self.followUpWaits = false
    }

    /// The prompt of the current iteration.
    public var activePrompt: String { iteration > 1 ? currentPrompt ?? prompt : prompt }

    /// A supervisor is, or should be, at work on it; a review that waits in the queue has none.
    public var isUnderWay: Bool { status.isActive && (status != .reviewing || attempt > endedAttempt) }

    /// Nothing more is to come of its last run: it is finished, and its review is where it should be.
    public var isSettled: Bool { status.isFinished && posting == nil }

    /// The run it is in.
    public var run: RunID {
        RunID(
            taskID: id, iteration: iteration, attempt: attempt, purpose: status == .reviewing ? .review : .task)
    }
}

/// Secrets that came with a task. Kept sealed, outside the record, and given to supervisors only.
public struct TaskSecrets: Sendable, Hashable, Codable, CustomStringConvertible {
    public var accessToken: String?
    public var aiAPIKey: String?
    /// `config.mcp_servers` and `config.tools` as they were sent, when they hold values; the record has them masked.
    public var mcpServers: [MCPServer]?
    public var tools: [ToolRequest]?

    public init(accessToken: String? = nil, aiAPIKey: String? = nil) {
        self.accessToken = accessToken
        self.aiAPIKey = aiAPIKey
    }

    public var isEmpty: Bool { accessToken == nil && aiAPIKey == nil && mcpServers == nil && tools == nil }

    /// Says only what is there, so that a careless log line is still safe.
    public var description: String {
        "TaskSecrets(accessToken: \(accessToken == nil ? "none" : "***"), aiAPIKey: \(aiAPIKey == nil ? "none" : "***"))"
    }
}
