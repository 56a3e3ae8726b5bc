/// What a sandbox may do, as data: limits, system calls, mounts' modes, and the layers that may not be missing.
///
/// The C shim has no policy of its own; everything it enforces comes from here.
package struct SandboxProfile: Codable, Sendable, Equatable {
    /// Whether the payload may write to its workspace.
    package enum WorkspaceMode: String, Codable, Sendable {
        case readWrite, readOnly
    }

    /// Ceilings of one running sandbox. Sizes are in bytes.
    package struct Limits: Codable, Sendable, Equatable {
        /// Everything charged to the control group, tmpfs pages included; swap is not given.
        package var memoryBytes: Int64
        /// Processes and threads together.
        package var processes: Int
        /// CPU time per second of wall clock: 1.5 is one and a half processors.
        package var cpus: Double
        /// The writable layer over the image (a tmpfs).
        package var overlayBytes: Int64
        /// `/tmp` (a tmpfs).
        package var temporaryBytes: Int64
        /// `/dev/shm` (a tmpfs).
        package var sharedMemoryBytes: Int64
        /// `/home/agent` when the request brings no directory for it (a tmpfs).
        package var homeBytes: Int64
        /// `RLIMIT_NOFILE`; lowered to the inherited hard limit when that is less.
        package var openFiles: Int
        /// `RLIMIT_FSIZE`: the largest single file.
        package var fileSizeBytes: Int64
        /// `RLIMIT_MEMLOCK`.
        package var lockedMemoryBytes: Int64

        package init(
            memoryBytes: Int64,
            processes: Int,
            cpus: Double,
            overlayBytes: Int64,
            temporaryBytes: Int64,
            sharedMemoryBytes: Int64,
            homeBytes: Int64,
            openFiles: Int,
            fileSizeBytes: Int64,
            lockedMemoryBytes: Int64
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

    package var name: String
    package var workspace: WorkspaceMode
    package var limits: Limits
    /// Groups of allowed system calls.
    package var syscalls: Set<SyscallGroup>
    /// Names of the gateway routes open to it, for the gateway to enforce: `anthropic`, `openai`, `git`.
    package var gatewayRoutes: Set<String>
    /// Layers without which nothing is started.
    package var required: Set<SandboxLayer>

    package init(
        name: String,
        workspace: WorkspaceMode,
        limits: Limits,
        syscalls: Set<SyscallGroup>,
        gatewayRoutes: Set<String>,
        required: Set<SandboxLayer>
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
    private static let mebibyte: Int64 = 1 << 20
    private static let gibibyte: Int64 = 1 << 30

    private static let large = Limits(
        memoryBytes: 4 * gibibyte,
        processes: 1024,
        cpus: 2,
        overlayBytes: 512 * mebibyte,
        temporaryBytes: gibibyte,
        sharedMemoryBytes: 64 * mebibyte,
        homeBytes: 512 * mebibyte,
        openFiles: 16_384,
        fileSizeBytes: 10 * gibibyte,
        lockedMemoryBytes: 8 * mebibyte
    )
    private static let small = Limits(
        memoryBytes: 2 * gibibyte,
        processes: 256,
        cpus: 1,
        overlayBytes: 128 * mebibyte,
        temporaryBytes: 256 * mebibyte,
        sharedMemoryBytes: 16 * mebibyte,
        homeBytes: 256 * mebibyte,
        openFiles: 16_384,
        fileSizeBytes: 2 * gibibyte,
        lockedMemoryBytes: 8 * mebibyte
    )

    /// Clone, change summary, commit and push, away from every agent.
    package static let git = SandboxProfile(
        name: "git",
        workspace: .readWrite,
        limits: large,
        syscalls: SyscallGroup.everyday,
        gatewayRoutes: ["git"],
        required: SandboxLayer.usual
    )

    /// An agent that changes the workspace.
    package static let code = SandboxProfile(
        name: "code",
        workspace: .readWrite,
        limits: large,
        syscalls: SyscallGroup.everyday,
        gatewayRoutes: ["anthropic", "openai"],
        required: SandboxLayer.usual
    )

    /// An agent that only reads the workspace: plans and reviews.
    package static let readonly = SandboxProfile(
        name: "readonly",
        workspace: .readOnly,
        limits: small,
        syscalls: SyscallGroup.everyday,
        gatewayRoutes: ["anthropic", "openai"],
        required: SandboxLayer.usual
    )

    /// A stranger's fork.
    package static let untrusted = SandboxProfile(
        name: "untrusted",
        workspace: .readOnly,
        limits: small,
        syscalls: SyscallGroup.everyday,
        gatewayRoutes: ["anthropic", "openai"],
        required: SandboxLayer.usual
    )

    /// The profiles that come with CodeForge, in the order in which they are listed to people.
    package static let builtIn = [git, code, readonly, untrusted]

    /// The built-in profile of that name.
    package static func named(_ name: String) -> SandboxProfile? { builtIn.first { $0.name == name } }
}
