/// Everything a supervisor needs for one run, sent to it as JSON over an inherited descriptor: it holds secrets.
public struct JobSpec: Sendable, Codable, Equatable {
    /// What to do with the workspace before the CLI starts.
    public enum Source: Sendable, Codable, Equatable {
        /// Clone into a workspace that must not exist yet (or is a leftover of a lost attempt, which is replaced).
        case clone(CloneSpec)
        /// The workspace is there and is used as it is.
        case existing
    }

    /// A clone to make.
    public struct CloneSpec: Sendable, Codable, Equatable {
        /// Branch to check out; `nil` for the remote's `HEAD`.
        public var branch: String?
        /// Pull or merge request to fetch and check out as `pr-<number>`; makes the clone a full one.
        public var pullRequest: Int?
        /// Ref of the pull request on the remote, such as `pull/7/head`.
        public var pullRequestRef: String?
        /// The commit the pull request must be at, or the clone fails; `nil`: any.
        public var expectedHead: String?

        public init(
            branch: String? = nil, pullRequest: Int? = nil, pullRequestRef: String? = nil, expectedHead: String? = nil
        ) {
            self.expectedHead = expectedHead
            self.branch = branch
            self.pullRequest = pullRequest
            self.pullRequestRef = pullRequestRef
        }
    }

    /// Whether the run is the task's own, a review of its workspace, or commit and push of what is in it.
    public enum Purpose: String, Sendable, Codable { case task, review, publish }

    /// Places on the host. All are under the data directory and owned by the service.
    public struct Paths: Sendable, Codable, Equatable {
        /// The volume with workspace, git directory and home, whose paths then lie under `mount`; `nil`: they are plain
        /// directories.
        public var volume: String?
        /// Where the supervisor mounts the volume, in a mount namespace of its own.
        public var mount: String { state + "/disk" }
        /// What clients are told of the workspace's place: `<tasks.workspace_base>/<slug>`, in either form.
        public var shownWorkspace: String {
            guard let volume else { return workspace }
            let suffix = WorkspaceForm.volumeSuffix
            return volume.hasSuffix(suffix) ? String(volume.dropLast(suffix.count)) : volume
        }
        /// The work tree the agent sees as `/workspace`.
        public var workspace: String
        /// The host-owned git directory, never mounted where an agent runs.
        public var gitDirectory: String
        /// The task's `/home/agent`.
        public var home: String
        /// Spool and control socket of this run.
        public var state: String
        /// Root file system of the image.
        public var image: String
        /// The sandbox shim.
        public var shim: String

        public init(
            workspace: String, gitDirectory: String, home: String, state: String, image: String, shim: String
        ) {
            self.workspace = workspace
            self.gitDirectory = gitDirectory
            self.home = home
            self.state = state
            self.image = image
            self.shim = shim
        }
    }

    /// The CLI to run.
    public struct Agent: Sendable, Codable, Equatable {
        /// `claude-code`, `codex` or `shell`.
        public var name: String
        /// Bare name looked up in the image, or a host path that is bound read-only into the sandbox.
        public var binary: String
        public var model: String?
        public var maxTurns: Int?
        public var maxBudgetUSD: Double?
        /// Conversation to resume; the prompt then goes alone.
        public var sessionID: String?
        /// Tokens of that conversation so far, when its CLI will count them again.
        public var sessionUsage: Usage?
        /// The whole prompt, templates and history included.
        public var prompt: String

        public init(
            name: String, binary: String, model: String? = nil, maxTurns: Int? = nil, maxBudgetUSD: Double? = nil,
            sessionID: String? = nil, prompt: String
        ) {
            self.name = name
            self.binary = binary
            self.model = model
            self.maxTurns = maxTurns
            self.maxBudgetUSD = maxBudgetUSD
            self.sessionID = sessionID
            self.prompt = prompt
        }
    }

    /// Secrets and upstreams of the gateway; never enter a sandbox.
    public struct Gateway: Sendable, Codable, Equatable {
        public var anthropicURL: String
        public var anthropicKey: String?
        public var openAIURL: String
        public var openAIKey: String?
        public var gitUsername: String?
        public var gitToken: String?
        /// `host[:port]` entries exempt from the private-address refusal.
        public var allowPrivateHosts: [String]

        public init(
            anthropicURL: String, anthropicKey: String?, openAIURL: String, openAIKey: String?,
            gitUsername: String?, gitToken: String?, allowPrivateHosts: [String]
        ) {
            self.anthropicURL = anthropicURL
            self.anthropicKey = anthropicKey
            self.openAIURL = openAIURL
            self.openAIKey = openAIKey
            self.gitUsername = gitUsername
            self.gitToken = gitToken
            self.allowPrivateHosts = allowPrivateHosts
        }
    }

    /// How long a CLI may show no sign of life, in seconds; 0 switches one off. Paused time does not count.
    public struct Watchdogs: Sendable, Codable, Equatable {
        /// Until its first line of output.
        public var firstLine: Double = 300
        /// Between two lines.
        public var silence: Double = 900
        /// After its result line without another; it is then ended, and the run is what the result line said.
        public var afterResult: Double = 10

        public init(firstLine: Double = 300, silence: Double = 900, afterResult: Double = 10) {
            self.firstLine = firstLine
            self.silence = silence
            self.afterResult = afterResult
        }

        public static let off = Watchdogs(firstLine: 0, silence: 0, afterResult: 0)

        /// With a profile's own times where those are shorter.
        public func shortened(by profile: SandboxProfile.Watchdogs) -> Watchdogs {
            func shorter(_ mine: Double, _ other: Int) -> Double {
                guard other > 0 else { return mine }
                return mine > 0 ? min(mine, Double(other)) : Double(other)
            }
            return Watchdogs(
                firstLine: shorter(firstLine, profile.firstLine), silence: shorter(silence, profile.silence),
                afterResult: afterResult)
        }
    }

    /// Limits of the run.
    public struct Limits: Sendable, Codable, Equatable {
        /// From the moment the worker took the task up; covers clone and CLI.
        public var timeoutSeconds: Int
        /// Bytes of CLI output after which the task fails.
        public var outputBytes: Int
        /// Longest line of CLI output that is still parsed; a longer one is dropped with an event.
        public var lineBytes: Int
        /// Entries kept in the task's event log.
        public var historyEntries: Int
        public var watchdogs = Watchdogs()
        /// Audit records of refused calls and gateway decisions that are kept; the rest is counted.
        public var auditRecords = 5000
        /// Longest diff that is kept.
        public var diffBytes = 1 << 20

        public init(timeoutSeconds: Int, outputBytes: Int, lineBytes: Int, historyEntries: Int) {
            self.timeoutSeconds = timeoutSeconds
            self.outputBytes = outputBytes
            self.lineBytes = lineBytes
            self.historyEntries = historyEntries
        }
    }

    /// Where the supervisor reaches Redis.
    public struct Redis: Sendable, Codable, Equatable {
        public var url: String
        public var prefix: String

        public init(url: String, prefix: String) {
            self.url = url
            self.prefix = prefix
        }
    }

    public var taskID: String
    public var iteration: Int
    /// 1-based; a lost run is started again with the next number.
    public var attempt: Int
    public var purpose: Purpose
    public var repoURL: String
    public var source: Source
    /// Branch that an existing workspace is first brought up to date with, when nothing can be lost; `nil`: none.
    public var pullBranch: String?
    /// For `publish`; `nil` there: only measure the changes.
    public var publication: PublishSpec?
    /// What the CLI's sandbox may do.
    public var profile: SandboxProfile
    /// What the sandboxes of clone, change summary, commit and push may do.
    public var gitProfile: SandboxProfile
    /// Layers that may not be missing (`sandbox.require`), in place of what the profile requires; `nil`: the profile's.
    public var requiredLayers: [String]?
    /// Layers of a profile that may be missing on a host without them (`sandbox.allow_missing`); `nil`: as if it was not set.
    public var allowMissing: [String]?
    public var paths: Paths
    public var agent: Agent
    public var gateway: Gateway
    public var mcp = MCPPlan()
    public var limits: Limits
    public var redis: Redis
    /// Directories under which `file://` and path repositories may be cloned.
    public var allowedLocalRoots: [String]
    /// When the worker took the task up.
    public var startedAt: Timestamp
    /// The first attempt at this run; a cancel of an earlier one was of another run.
    public var firstAttempt = 1
    /// The CLI's answer is a review.
    public var answersReview = false
    /// Nobody vouched for the code in the workspace.
    public var isUntrusted = true
    /// `TRACEPARENT` of the CLI; `nil` without tracing.
    public var traceParent: String?

    public init(
        taskID: String, iteration: Int, attempt: Int, purpose: Purpose, repoURL: String, source: Source,
        publication: PublishSpec? = nil, profile: SandboxProfile, gitProfile: SandboxProfile, requiredLayers: [String]?,
        paths: Paths, agent: Agent,
        gateway: Gateway, limits: Limits, redis: Redis, allowedLocalRoots: [String], startedAt: Timestamp
    ) {
        self.taskID = taskID
        self.iteration = iteration
        self.attempt = attempt
        self.purpose = purpose
        self.repoURL = repoURL
        self.source = source
        self.publication = publication
        self.profile = profile
        self.gitProfile = gitProfile
        self.requiredLayers = requiredLayers
        self.paths = paths
        self.agent = agent
        self.gateway = gateway
        self.limits = limits
        self.redis = redis
        self.allowedLocalRoots = allowedLocalRoots
        self.startedAt = startedAt
    }

    public var run: RunID { RunID(taskID: taskID, iteration: iteration, attempt: attempt, purpose: purpose) }
}

/// Names one run of one task: reports of an older run are recognised and ignored.
public struct RunID: Sendable, Hashable, Codable {
    public var taskID: String
    public var iteration: Int
    public var attempt: Int
    public var purpose: JobSpec.Purpose

    public init(taskID: String, iteration: Int, attempt: Int, purpose: JobSpec.Purpose) {
        self.taskID = taskID
        self.iteration = iteration
        self.attempt = attempt
        self.purpose = purpose
    }

    /// Whether this is `earlier`, or a later attempt at the same: what was asked of that one is asked of this.
    public func continues(_ earlier: RunID) -> Bool {
        taskID == earlier.taskID && iteration == earlier.iteration && purpose == earlier.purpose
            && attempt >= earlier.attempt
    }
}
