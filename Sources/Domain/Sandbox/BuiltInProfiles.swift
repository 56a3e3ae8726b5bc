// Generated from sandbox/profiles/*.yaml by `UPDATE_GENERATED=1 swift test --filter builtInProfilesAreTheFiles`.

// swift-format-ignore-file

extension SandboxProfile {
    /// As `sandbox/profiles/git.yaml` has it.
    public static let git: SandboxProfile = {
        var limits = Limits(
            memoryBytes: 4294967296, processes: 1024, cpus: 2.0,
            overlayBytes: 536870912, temporaryBytes: 1073741824,
            sharedMemoryBytes: 67108864, homeBytes: 536870912,
            openFiles: 16384, fileSizeBytes: 10737418240,
            lockedMemoryBytes: 8388608)
        limits.cpuWeight = 100
        limits.diskBytes = 10737418240
        limits.diskInodes = 1000000
        limits.temporaryInodes = 131072
        var profile = SandboxProfile(
            name: "git", workspace: .readWrite, limits: limits,
            syscalls: [.files, .io, .memory, .process, .time, .sockets, .ipc, .misc, .confine],
            gatewayRoutes: ["git"],
            required: [.userNamespace, .uidRange, .pidNamespace, .mountNamespace, .networkNamespace, .ipcNamespace, .utsNamespace, .cgroupNamespace, .overlay, .idMappedMounts, .seccomp, .seccompNotify, .landlock, .memoryLimit, .processLimit, .cpuLimit, .diskLimit])
        profile.watchdogs.firstLine = 0
        profile.watchdogs.silence = 0
        profile.landlock = Landlock(ports: .any, scoped: true)
        profile.mounts = []
        profile.egress = []
        profile.gatewayLimits.connections = 64
        profile.gatewayLimits.requestsPerMinute = 200
        profile.gatewayLimits.requests = 20000
        profile.gatewayLimits.requestBytes = 1073741824
        profile.gatewayLimits.responseBytes = 10737418240
        profile.gatewayLimits.tokens = 0
        profile.mcp = .none
        profile.agentConfiguration = .ignored
        profile.instructions = .ignored
        return profile
    }()

    /// As `sandbox/profiles/code.yaml` has it.
    public static let code: SandboxProfile = {
        var limits = Limits(
            memoryBytes: 4294967296, processes: 1024, cpus: 2.0,
            overlayBytes: 536870912, temporaryBytes: 1073741824,
            sharedMemoryBytes: 67108864, homeBytes: 536870912,
            openFiles: 16384, fileSizeBytes: 10737418240,
            lockedMemoryBytes: 8388608)
        limits.cpuWeight = 100
        limits.diskBytes = 10737418240
        limits.diskInodes = 1000000
        limits.temporaryInodes = 131072
        var profile = SandboxProfile(
            name: "code", workspace: .readWrite, limits: limits,
            syscalls: [.files, .io, .memory, .process, .time, .sockets, .ipc, .misc, .confine],
            gatewayRoutes: ["anthropic", "openai"],
            required: [.userNamespace, .uidRange, .pidNamespace, .mountNamespace, .networkNamespace, .ipcNamespace, .utsNamespace, .cgroupNamespace, .overlay, .idMappedMounts, .seccomp, .seccompNotify, .landlock, .memoryLimit, .processLimit, .cpuLimit, .diskLimit])
        profile.watchdogs.firstLine = 0
        profile.watchdogs.silence = 0
        profile.landlock = Landlock(ports: .any, scoped: true)
        profile.mounts = []
        profile.egress = []
        profile.gatewayLimits.connections = 64
        profile.gatewayLimits.requestsPerMinute = 200
        profile.gatewayLimits.requests = 20000
        profile.gatewayLimits.requestBytes = 1073741824
        profile.gatewayLimits.responseBytes = 10737418240
        profile.gatewayLimits.tokens = 0
        profile.mcp = .all
        profile.agentConfiguration = .repository
        profile.instructions = .followed
        return profile
    }()

    /// As `sandbox/profiles/readonly.yaml` has it.
    public static let readonly: SandboxProfile = {
        var limits = Limits(
            memoryBytes: 2147483648, processes: 256, cpus: 1.0,
            overlayBytes: 134217728, temporaryBytes: 268435456,
            sharedMemoryBytes: 16777216, homeBytes: 268435456,
            openFiles: 16384, fileSizeBytes: 2147483648,
            lockedMemoryBytes: 8388608)
        limits.cpuWeight = 100
        limits.diskBytes = 2147483648
        limits.diskInodes = 1000000
        limits.temporaryInodes = 131072
        var profile = SandboxProfile(
            name: "readonly", workspace: .readOnly, limits: limits,
            syscalls: [.files, .io, .memory, .process, .time, .sockets, .ipc, .misc, .confine],
            gatewayRoutes: ["anthropic", "openai"],
            required: [.userNamespace, .uidRange, .pidNamespace, .mountNamespace, .networkNamespace, .ipcNamespace, .utsNamespace, .cgroupNamespace, .overlay, .idMappedMounts, .seccomp, .seccompNotify, .landlock, .memoryLimit, .processLimit, .cpuLimit, .diskLimit])
        profile.watchdogs.firstLine = 0
        profile.watchdogs.silence = 600
        profile.landlock = Landlock(ports: .any, scoped: true)
        profile.mounts = []
        profile.egress = []
        profile.gatewayLimits.connections = 64
        profile.gatewayLimits.requestsPerMinute = 200
        profile.gatewayLimits.requests = 20000
        profile.gatewayLimits.requestBytes = 1073741824
        profile.gatewayLimits.responseBytes = 10737418240
        profile.gatewayLimits.tokens = 0
        profile.mcp = .all
        profile.agentConfiguration = .repository
        profile.instructions = .followed
        return profile
    }()

    /// As `sandbox/profiles/untrusted.yaml` has it.
    public static let untrusted: SandboxProfile = {
        var limits = Limits(
            memoryBytes: 2147483648, processes: 256, cpus: 1.0,
            overlayBytes: 134217728, temporaryBytes: 268435456,
            sharedMemoryBytes: 16777216, homeBytes: 268435456,
            openFiles: 16384, fileSizeBytes: 2147483648,
            lockedMemoryBytes: 8388608)
        limits.cpuWeight = 100
        limits.diskBytes = 2147483648
        limits.diskInodes = 1000000
        limits.temporaryInodes = 131072
        var profile = SandboxProfile(
            name: "untrusted", workspace: .readOnly, limits: limits,
            syscalls: [.files, .io, .memory, .process, .time, .sockets, .ipc, .misc, .confine],
            gatewayRoutes: ["anthropic", "openai"],
            required: [.userNamespace, .uidRange, .pidNamespace, .mountNamespace, .networkNamespace, .ipcNamespace, .utsNamespace, .cgroupNamespace, .overlay, .idMappedMounts, .seccomp, .seccompNotify, .landlock, .memoryLimit, .processLimit, .cpuLimit, .diskLimit])
        profile.watchdogs.firstLine = 0
        profile.watchdogs.silence = 600
        profile.landlock = Landlock(ports: .gateway, scoped: true)
        profile.mounts = []
        profile.egress = []
        profile.gatewayLimits.connections = 64
        profile.gatewayLimits.requestsPerMinute = 200
        profile.gatewayLimits.requests = 20000
        profile.gatewayLimits.requestBytes = 1073741824
        profile.gatewayLimits.responseBytes = 10737418240
        profile.gatewayLimits.tokens = 0
        profile.mcp = .http
        profile.agentConfiguration = .ignored
        profile.instructions = .ignored
        return profile
    }()
}
