import Domain

extension ProfileKey {
    /// Every key, in the order of files and documentation.
    static let all: [ProfileKey] =
        [
            ProfileKey(
                "workspace", .word(Word(\.workspace, narrowToWide: [.readOnly, .readWrite])), "mounts",
                "Whether `/workspace` can be written to. Tasks that only read have it read-only whatever is said here.")
        ] + limits + watchdogs + walls + gateway + agents

    static let byName: [String: ProfileKey] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    private static let kibibyte: Int64 = 1 << 10
    private static let mebibyte: Int64 = 1 << 20
    private static let tebibyte: Int64 = 1 << 40

    private static let limits: [ProfileKey] = [
        ProfileKey(
            "limits.memory_bytes", .bytes(\.limits.memoryBytes, 16 * mebibyte...tebibyte), "cgroup memory",
            "Memory of everything inside, tmpfs pages included; no swap. At the limit the sandbox is killed."),
        ProfileKey(
            "limits.pids", .count(\.limits.processes, 8...4_194_304), "cgroup pids", "Processes and threads together."),
        ProfileKey(
            "limits.cpus", .number(\.limits.cpus, 0.05...1024), "cgroup cpu", "Processors' worth of time."),
        ProfileKey(
            "limits.cpu_weight", .count(\.limits.cpuWeight, 1...10_000), "cgroup cpu",
            "Share among sandboxes that compete for processors."),
        ProfileKey(
            "limits.disk_bytes", .bytes(\.limits.diskBytes, 16 * mebibyte...64 * tebibyte), "volume",
            "Workspace, home and clone together."),
        ProfileKey(
            "limits.disk_inodes", .largeCount(\.limits.diskInodes, 1024...4_000_000_000), "volume",
            "Files and directories of these."),
        ProfileKey(
            "limits.overlay_bytes", .bytes(\.limits.overlayBytes, mebibyte...tebibyte), "tmpfs",
            "What may be written over the image."),
        ProfileKey("limits.tmp_bytes", .bytes(\.limits.temporaryBytes, mebibyte...tebibyte), "tmpfs", "`/tmp`."),
        ProfileKey("limits.shm_bytes", .bytes(\.limits.sharedMemoryBytes, mebibyte...tebibyte), "tmpfs", "`/dev/shm`."),
        ProfileKey(
            "limits.home_bytes", .bytes(\.limits.homeBytes, mebibyte...tebibyte), "tmpfs",
            "`/home/agent` where it is not kept for a follow-up."),
        ProfileKey(
            "limits.tmpfs_inodes", .largeCount(\.limits.temporaryInodes, 256...1_000_000_000), "tmpfs",
            "Files and directories in each tmpfs."),
        ProfileKey(
            "limits.open_files", .count(\.limits.openFiles, 64...1_048_576), "RLIMIT_NOFILE",
            "Open files of one process; never more than the service itself may have."),
        ProfileKey(
            "limits.file_bytes", .bytes(\.limits.fileSizeBytes, mebibyte...64 * tebibyte), "RLIMIT_FSIZE",
            "The largest single file."),
        ProfileKey(
            "limits.locked_memory_bytes", .bytes(\.limits.lockedMemoryBytes, 0...tebibyte), "RLIMIT_MEMLOCK",
            "Memory one process may lock."),
    ]

    private static let watchdogs: [ProfileKey] = [
        ProfileKey(
            "watchdogs.first_line", .seconds(\.watchdogs.firstLine), "supervisor",
            "How long an agent may take to its first line of output, where that is less than `sandbox.first_line_timeout`."
        ),
        ProfileKey(
            "watchdogs.silence", .seconds(\.watchdogs.silence), "supervisor",
            "How long an agent may be silent between two lines, where that is less than `sandbox.silence_timeout`."),
    ]

    private static let walls: [ProfileKey] = [
        ProfileKey(
            "seccomp.groups",
            .words(
                Words(
                    allowed: SyscallGroup.allCases.map(\.rawValue), fixed: [], permits: true,
                    get: { Set($0.syscalls.map(\.rawValue)) },
                    set: { $0.syscalls = Set($1.compactMap(SyscallGroup.init(rawValue:))) })), "seccomp",
            "Groups of allowed system calls; the filter itself cannot be left out."),
        ProfileKey(
            "landlock.ports", .word(Word(\.landlock.ports, narrowToWide: [.gateway, .any])), "Landlock",
            "Ports of loopback that can be used: `any`, or to connect to the gateway's alone and listen on none."),
        ProfileKey(
            "landlock.scoped", .boolean(\.landlock.scoped), "Landlock",
            "Whether abstract unix sockets and signals stay inside."),
        ProfileKey(
            "mounts", .mounts(\.mounts), "mounts",
            "Directories of the host shown inside, read-only; only what everybody may read can be read there."),
    ]

    private static let gateway: [ProfileKey] = [
        ProfileKey(
            "gateway.routes",
            .words(
                Words(
                    allowed: ["anthropic", "openai", "git"], fixed: [], permits: true,
                    get: { $0.gatewayRoutes }, set: { $0.gatewayRoutes = $1 })), "gateway",
            "Routes on which the gateway adds a credential."),
        ProfileKey(
            "gateway.egress", .hosts(\.egress), "gateway",
            "Hosts that can be reached through the gateway's proxy; empty: no proxy."),
        ProfileKey(
            "gateway.connections", .count(\.gatewayLimits.connections, 1...4096), "gateway", "Connections at a time."),
        ProfileKey(
            "gateway.requests_per_minute", .count(\.gatewayLimits.requestsPerMinute, 1...1_000_000), "gateway",
            "Requests in a minute."),
        ProfileKey(
            "gateway.requests", .count(\.gatewayLimits.requests, 1...1_000_000_000), "gateway", "Requests in all."),
        ProfileKey(
            "gateway.request_bytes", .bytes(\.gatewayLimits.requestBytes, kibibyte...1024 * tebibyte), "gateway",
            "Bodies of all requests together: what could be carried out."),
        ProfileKey(
            "gateway.response_bytes", .bytes(\.gatewayLimits.responseBytes, kibibyte...1024 * tebibyte), "gateway",
            "Bodies of all answers together."),
        ProfileKey(
            "gateway.tokens", .ceiling(\.gatewayLimits.tokens, 0...1_000_000_000_000), "gateway",
            "Model tokens, read and written together."),
    ]

    private static let agents: [ProfileKey] = [
        ProfileKey(
            "mcp", .word(Word(\.mcp, narrowToWide: [.none, .http, .all])), "supervisor",
            "MCP servers of a task: none, those behind the gateway, or also those that run inside."),
        ProfileKey(
            "agent_configuration", .word(Word(\.agentConfiguration, narrowToWide: [.ignored, .repository])),
            "supervisor",
            "Whether the CLI heeds hooks, MCP servers, settings, commands and the like that a repository brings."),
        ProfileKey(
            "instructions", .word(Word(\.instructions, narrowToWide: [.ignored, .followed])), "supervisor",
            "Whether the CLI loads `CLAUDE.md` and `AGENTS.md` of a repository as instructions."),
        ProfileKey(
            "required_layers",
            .words(
                Words(
                    allowed: SandboxLayer.allCases.map(\.rawValue), fixed: Set(SandboxLayer.fixed.map(\.rawValue)),
                    permits: false, get: { Set($0.required.map(\.rawValue)) },
                    set: { $0.required = Set($1.compactMap(SandboxLayer.init(rawValue:))) })), "launcher",
            "Layers without which nothing is started. `uid-range` and `id-mapped-mounts`, which only root can give, are not "
                + "demanded of an ordinary user; `sandbox.allow_missing` excuses hosts that lack one, and `sandbox.require` "
                + "takes the place of them all."),
    ]
}
