/// Files changed by an iteration, counted since the clone.
public struct ChangesSummary: Sendable, Hashable, Codable {
    public var filesModified: Int
    public var filesCreated: Int
    public var filesDeleted: Int
    /// `+<insertions> -<deletions>` of tracked files.
    public var diffStats: String

    public init(filesModified: Int = 0, filesCreated: Int = 0, filesDeleted: Int = 0, diffStats: String = "+0 -0") {
        self.filesModified = filesModified
        self.filesCreated = filesCreated
        self.filesDeleted = filesDeleted
        self.diffStats = diffStats
    }

    public var isEmpty: Bool { filesModified + filesCreated + filesDeleted == 0 }

    enum CodingKeys: String, CodingKey {
        case filesModified = "files_modified"
        case filesCreated = "files_created"
        case filesDeleted = "files_deleted"
        case diffStats = "diff_stats"
    }

    public var json: JSONValue {
        [
            "files_modified": .int(Int64(filesModified)), "files_created": .int(Int64(filesCreated)),
            "files_deleted": .int(Int64(filesDeleted)), "diff_stats": .string(diffStats),
        ]
    }
}

/// What the last run of the CLI used.
public struct Usage: Sendable, Hashable, Codable {
    public var inputTokens: Int
    public var outputTokens: Int
    /// Whole seconds, ≥ 0.
    public var durationSeconds: Int

    public init(inputTokens: Int = 0, outputTokens: Int = 0, durationSeconds: Int = 0) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.durationSeconds = durationSeconds
    }

    /// What came after `earlier`, of totals that only grow. Totals that did not grow were none: then all of it.
    public func since(_ earlier: Usage) -> Usage {
        guard inputTokens >= earlier.inputTokens, outputTokens >= earlier.outputTokens else { return self }
        return Usage(
            inputTokens: inputTokens - earlier.inputTokens, outputTokens: outputTokens - earlier.outputTokens,
            durationSeconds: durationSeconds)
    }

    enum CodingKeys: String, CodingKey {
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
        case durationSeconds = "duration_seconds"
    }

    public var json: JSONValue {
        [
            "input_tokens": .int(Int64(inputTokens)), "output_tokens": .int(Int64(outputTokens)),
            "duration_seconds": .int(Int64(durationSeconds)),
        ]
    }
}

/// A finding of a review.
public struct ReviewIssue: Sendable, Hashable, Codable {
    /// `critical`, `major`, `minor` or `suggestion`.
    public var severity: String
    public var file: String
    /// New-side line number; 0 when unknown.
    public var line: Int
    public var description: String
    public var suggestion: String?

    public init(severity: String, file: String, line: Int, description: String, suggestion: String?) {
        self.severity = severity
        self.file = file
        self.line = line
        self.description = description
        self.suggestion = suggestion
    }
}

/// The outcome of a review.
public struct ReviewResult: Sendable, Hashable, Codable {
    /// `approve`, `request_changes` or `comment`.
    public var verdict: String
    /// 1…10; 0 when the output held no review.
    public var score: Int
    public var summary: String
    public var issues: [ReviewIssue]
    public var autoFixable: Bool
    /// `<cli>:<model>`.
    public var reviewedBy: String
    public var durationSeconds: Double
    /// Whether nobody vouched for the code that was read: it may have steered the verdict. `nil` (an old record) is as
    /// `true`.
    public var isUntrusted: Bool?

    public init(
        verdict: String, score: Int, summary: String, issues: [ReviewIssue], autoFixable: Bool, reviewedBy: String,
        durationSeconds: Double
    ) {
        self.verdict = verdict
        self.score = score
        self.summary = summary
        self.issues = issues
        self.autoFixable = autoFixable
        self.reviewedBy = reviewedBy
        self.durationSeconds = durationSeconds
    }

    enum CodingKeys: String, CodingKey {
        case verdict, score, summary, issues
        case autoFixable = "auto_fixable"
        case reviewedBy = "reviewed_by"
        case durationSeconds = "duration_seconds"
        case isUntrusted = "untrusted"
    }

    /// The output held no review.
    public var isFallback: Bool { score == 0 }
}

/// A review that is to be posted to its pull request without a client asking.
public struct ReviewPosting: Sendable, Hashable, Codable {
    /// The run it came of.
    public var run: RunID
    /// Random, and part of what is posted: tells after a crash what has arrived.
    public var marker: String
    /// The run's other events are in the log.
    public var isReady = false
    /// How often it was begun.
    public var attempts = 0

    public init(run: RunID, marker: String) {
        self.run = run
        self.marker = marker
    }
}

/// One finished run of a task's CLI.
public struct Iteration: Sendable, Hashable, Codable {
    /// 1-based.
    public var number: Int
    public var prompt: String
    /// `.completed` or `.failed`.
    public var status: TaskStatus
    public var result: String
    public var error: String
    public var changes: ChangesSummary?
    public var usage: Usage?
    public var startedAt: Timestamp
    public var endedAt: Timestamp?
    /// Name of the sandbox profile the iteration ran under.
    public var profile: String?
    /// That profile as it was enforced, see `SandboxProfile.json`. A value of its own time: later versions of the
    /// service may know other members.
    public var effectiveProfile: JSONValue?
    /// Layers the run went without.
    public var missingLayers: [LayerStatus]?
    /// The limit or watchdog that ended it.
    public var limit: String?

    public init(
        number: Int, prompt: String, status: TaskStatus, result: String = "", error: String = "",
        changes: ChangesSummary? = nil, usage: Usage? = nil, startedAt: Timestamp, endedAt: Timestamp? = nil,
        profile: String? = nil
    ) {
        self.number = number
        self.prompt = prompt
        self.status = status
        self.result = result
        self.error = error
        self.changes = changes
        self.usage = usage
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.profile = profile
    }
}
