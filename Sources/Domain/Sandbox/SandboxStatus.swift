/// A running sandbox as its supervisor sees it: what the API and the command line show to operators.
public struct SandboxStatus: Sendable, Codable, Hashable {
    public enum State: String, Sendable, Codable { case running, paused }

    /// A number and its ceiling; either is absent where the host does not tell.
    public struct Gauge: Sendable, Codable, Hashable {
        public var now: Int64?
        public var peak: Int64?
        public var limit: Int64?

        public init(now: Int64? = nil, peak: Int64? = nil, limit: Int64? = nil) {
            self.now = now
            self.peak = peak
            self.limit = limit
        }
    }

    /// What it used so far. Bytes, except where said.
    public struct Usage: Sendable, Codable, Hashable {
        /// Processor seconds of everything inside.
        public var cpuSeconds: Double = 0
        /// Processors it may use at once.
        public var cpuLimit: Double?
        public var memory = Gauge()
        /// Processes and threads.
        public var processes = Gauge()
        /// Workspace, home and clone.
        public var disk = Gauge()
        public var inodes = Gauge()
        /// Read from and written to block devices; `nil` without an accounting controller.
        public var readBytes: Int64?
        public var writtenBytes: Int64?
        /// CLI output relayed.
        public var output = Gauge()
        /// Body bytes that left through the gateway, and that came in.
        public var gatewayOut = Gauge()
        public var gatewayIn = Gauge()
        public var gatewayRequests = Gauge()
        public var gatewayTokens = Gauge()
        /// Refused system calls.
        public var refusedCalls: Int64 = 0

        public init() {}
    }

    /// `TASK-ITERATION-ATTEMPT-PHASE`, see `SandboxStatus.id(of:phase:)`.
    public var id: String
    public var taskID: String
    public var iteration: Int
    /// `clone`, `agent`, `changes` …
    public var phase: String
    public var state: State
    public var profile: SandboxProfile
    public var image: String
    /// Layers in force.
    public var layers: [SandboxLayer]
    public var missing: [LayerStatus]
    /// Host process id of its pid 1.
    public var pid: Int32
    public var startedAt: Timestamp
    public var usage: Usage

    public init(
        id: String, taskID: String, iteration: Int, phase: String, state: State, profile: SandboxProfile, image: String,
        layers: [SandboxLayer], missing: [LayerStatus], pid: Int32, startedAt: Timestamp, usage: Usage
    ) {
        self.id = id
        self.taskID = taskID
        self.iteration = iteration
        self.phase = phase
        self.state = state
        self.profile = profile
        self.image = image
        self.layers = layers
        self.missing = missing
        self.pid = pid
        self.startedAt = startedAt
        self.usage = usage
    }

    /// The id of the sandbox for one phase of a run: letters, digits and `-`, at most 64 of them.
    public static func id(of run: RunID, phase: String) -> String {
        "\(run.taskID.prefix(36))-\(run.iteration)-\(run.attempt)-\(phase)"
    }
}

/// A process inside a sandbox.
public struct SandboxProcess: Sendable, Codable, Hashable {
    /// Host ids.
    public var pid: Int32
    public var parent: Int32
    /// Its id inside.
    public var innerPID: Int32?
    /// Cut and cleaned: what came from inside is hostile.
    public var arguments: [String]
    /// The kernel's letter: `R`, `S`, `D`, `T`, `Z` …
    public var state: String
    public var cpuSeconds: Double
    public var residentBytes: Int64
    public var threads: Int

    public init(
        pid: Int32, parent: Int32, innerPID: Int32?, arguments: [String], state: String, cpuSeconds: Double,
        residentBytes: Int64, threads: Int
    ) {
        self.pid = pid
        self.parent = parent
        self.innerPID = innerPID
        self.arguments = arguments
        self.state = state
        self.cpuSeconds = cpuSeconds
        self.residentBytes = residentBytes
        self.threads = threads
    }
}
