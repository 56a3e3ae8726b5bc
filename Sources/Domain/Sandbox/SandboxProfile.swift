/// What a sandbox may do, as data: mounts, limits, system calls, ways out, and the layers that may not be missing.
///
/// Neither the C shim nor the gateway has a policy of its own; everything they enforce comes from here.
public struct SandboxProfile: Codable, Sendable, Hashable {
    /// Whether the payload may write to its workspace.
    public enum WorkspaceMode: String, Codable, Sendable {
        case readWrite = "read-write"
        case readOnly = "read-only"
    }

    /// Ceilings of one running sandbox. Sizes are in bytes.
    public struct Limits: Codable, Sendable, Hashable {
        /// Everything charged to the control group, tmpfs pages included; swap is not given.
        public var memoryBytes: Int64
        /// Processes and threads together.
        public var processes: Int
        /// CPU time per second of wall clock: 1.5 is one and a half processors.
        public var cpus: Double
        /// Share among sandboxes that compete, 1…10000; 100 is everybody's.
        public var cpuWeight: Int = 100
        /// Workspace, home and clone together, on a volume of their own.
        public var diskBytes: Int64 = 10 << 30
        /// Files and directories on that volume.
        public var diskInodes: Int64 = 1_000_000
        /// The writable layer over the image (a tmpfs).
        public var overlayBytes: Int64
        /// `/tmp` (a tmpfs).
        public var temporaryBytes: Int64
        /// `/dev/shm` (a tmpfs).
        public var sharedMemoryBytes: Int64
        /// `/home/agent` when the request brings no directory for it (a tmpfs).
        public var homeBytes: Int64
        /// Files and directories in each of those tmpfs.
        public var temporaryInodes: Int64 = 131_072
        /// `RLIMIT_NOFILE`; lowered to the inherited hard limit when that is less.
        public var openFiles: Int
        /// `RLIMIT_FSIZE`: the largest single file.
        public var fileSizeBytes: Int64
        /// `RLIMIT_MEMLOCK`.
        public var lockedMemoryBytes: Int64
        /// Seconds of a whole run, where that is less than the task has; 0: what the task has.
        public var timeoutSeconds: Int = 0
        /// Output of an agent, standard error included, where that is less than the settings' limit; 0: the settings'.
        public var outputBytes: Int64 = 0

        public init(
            memoryBytes: Int64, processes: Int, cpus: Double, overlayBytes: Int64, temporaryBytes: Int64,
            sharedMemoryBytes: Int64, homeBytes: Int64, openFiles: Int, fileSizeBytes: Int64, lockedMemoryBytes: Int64
        ) {
            self.memoryBytes = memoryBytes
            self.processes = processes
            self.cpus = cpus
            self.overlayBytes = overlayBytes
            self.temporaryBytes = temporaryBytes
            self.sharedMemoryBytes = sharedMemoryBytes
            self.homeBytes = homeBytes
            self.openFiles = openFiles
            self.fileSizeBytes = fileSizeBytes
            self.lockedMemoryBytes = lockedMemoryBytes
        }
    }

    /// Landlock, the second wall behind the mounts and the network namespace.
    public struct Landlock: Codable, Sendable, Hashable {
        /// TCP ports of loopback the payload may connect to and listen on.
        public enum Ports: String, Codable, Sendable {
            /// Any: tests start local servers.
            case any
            /// Connect to the gateway's alone, listen on none.
            case gateway
        }
        public var ports: Ports = .any
        /// Abstract unix sockets and signals stay inside the domain.
        public var scoped = true

        public init(ports: Ports = .any, scoped: Bool = true) {
            self.ports = ports
            self.scoped = scoped
        }
    }

    /// An operator's directory that is shown inside, read-only.
    public struct Mount: Codable, Sendable, Hashable {
        /// Absolute path on the host.
        public var source: String
        /// Absolute path inside.
        public var target: String

        public init(source: String, target: String) {
            self.source = source
            self.target = target
        }
    }

    /// Ceilings of the gateway for one sandbox.
    public struct GatewayLimits: Codable, Sendable, Hashable {
        public var connections: Int = 64
        /// New connections a second; twice as many at once. More have to wait.
        public var connectionsPerSecond: Int = 200
        public var requestsPerMinute: Int = 200
        /// All requests of one sandbox.
        public var requests: Int = 20_000
        /// Bytes taken from the sandbox, all requests together: what it could carry out.
        public var requestBytes: Int64 = 1 << 30
        /// Body bytes passed to the sandbox, all requests together.
        public var responseBytes: Int64 = 10 << 30
        /// Model tokens, read and written together; 0: no ceiling.
        public var tokens: Int = 0

        public init() {}
    }

    /// How long an agent may show no sign of life, in seconds; 0: as long as the settings say, which this only shortens.
    public struct Watchdogs: Codable, Sendable, Hashable {
        /// Until its first line of output.
        public var firstLine: Int = 0
        /// Between two lines.
        public var silence: Int = 0

        public init() {}
    }

    /// What a model request may have the provider do.
    public enum ModelTools: String, Codable, Sendable {
        /// Answer, from what the request holds. Tools run inside.
        case client
        /// Also act and load by itself: search, fetch, run code, call MCP servers. That reaches hosts no list names.
        case any
    }

    /// Which MCP servers a task may use.
    public enum MCP: String, Codable, Sendable {
        case none
        /// Those behind the gateway, whose headers never enter the sandbox.
        case http
        /// Also those that run inside, with their own environment.
        case all
    }

    /// What becomes of agent configuration that a repository brings along.
    public enum AgentConfiguration: String, Codable, Sendable {
        /// The CLI's own rules.
        case repository
        /// Hooks, MCP servers, settings and commands of the repository are not read.
        case ignored
    }

    /// What becomes of a repository's instructions to agents (`CLAUDE.md`, `AGENTS.md`).
    public enum Instructions: String, Codable, Sendable {
        /// The CLI reads them as instructions.
        case followed
        /// The CLI does not load them; they are files like any other.
        case ignored
    }

    public var name: String
    public var workspace: WorkspaceMode
    public var limits: Limits
    public var watchdogs = Watchdogs()
    /// Groups of allowed system calls.
    public var syscalls: Set<SyscallGroup>
    public var landlock = Landlock()
    public var mounts: [Mount] = []
    /// Names of the gateway routes open to it: `anthropic`, `openai`, `git`; `mcp` decides over MCP servers.
    public var gatewayRoutes: Set<String>
    /// Hosts it may reach through the gateway's proxy: `name`, `*.name`, either with `:port`; empty: no proxy.
    public var egress: [String] = []
    public var gatewayLimits = GatewayLimits()
    public var modelTools = ModelTools.client
    public var mcp: MCP = .all
    public var agentConfiguration: AgentConfiguration = .repository
    public var instructions: Instructions = .followed
    /// Layers without which nothing is started.
    public var required: Set<SandboxLayer>

    public init(
        name: String, workspace: WorkspaceMode, limits: Limits, syscalls: Set<SyscallGroup>,
        gatewayRoutes: Set<String>, required: Set<SandboxLayer>
    ) {
        self.name = name
        self.workspace = workspace
        self.limits = limits
        self.syscalls = syscalls
        self.gatewayRoutes = gatewayRoutes
        self.required = required
    }
}

extension SandboxProfile {
    /// The profiles that come with CodeForge, in the order in which they are listed to people.
    public static let builtIn = [git, code, readonly, untrusted]

    /// The built-in profile of that name.
    public static func named(_ name: String) -> SandboxProfile? { builtIn.first { $0.name == name } }
}
