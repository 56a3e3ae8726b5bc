import Domain
import Glibc

/// The shim's option list: what it is told to build, as names and operands each ended by NUL.
struct LaunchOptions {
    private(set) var bytes: [UInt8] = []
    /// Set when a string could not be carried.
    private(set) var invalid: String?
    /// Options that are not written; see `SandboxLauncher.Configuration.omitted`.
    private let omitted: Set<String>

    init() { omitted = [] }

    mutating func add(_ words: String...) { add(words) }

    mutating func add(_ words: [String]) {
        if omitted.contains(words[0]) { return }
        for word in words {
            if word.utf8.contains(0) { invalid = words[0] }
            bytes += word.utf8
            bytes.append(0)
        }
    }

    /// What this process can give a sandbox as identity.
    enum Identity: Sendable, Equatable {
        /// Root: this host range, and mounts mapped into it.
        case range(first: UInt32)
        /// An ordinary user: the own id.
        case caller
    }

    /// Numbers of the inherited descriptors beyond the fixed ones.
    struct Descriptors {
        var count: Int
        var filter: Int
        var unifiedGroup: Int?
        var legacyGroups: [Int]
    }

    /// Uid and gid of the payload inside.
    static let payloadID: UInt32 = 1000
    static let devices = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"]
    /// Parts of `/proc` about the host rather than the sandbox that its own permissions leave readable, and the most
    /// dangerous of the others; a mount each, so no more of them than that. All that runc, crun and Docker mask or
    /// make read-only is among them, covered where they only make it read-only.
    static let masks = [
        "kcore", "keys", "timer_list", "timer_stats", "sched_debug", "latency_stats", "kallsyms", "interrupts",
        "sysrq-trigger", "acpi", "asound", "scsi", "bus", "fs", "irq", "config.gz",
    ].map { "/proc/" + $0 }

    init(
        _ request: SandboxRequest, identity: Identity, descriptors: Descriptors, notify: Bool, landlock: LandlockRules?,
        limitsProcesses: Bool = false, omitted: Set<String> = []
    ) {
        self.omitted = omitted
        let limits = request.profile.limits
        let inodes = "\(limits.temporaryInodes)"
        add("descriptors", "\(descriptors.count)")
        add(identity)
        add("filter", "\(descriptors.filter)")
        if notify { add("notify") }
        if let group = descriptors.unifiedGroup { add("cgroup2", "\(group)") }
        for group in descriptors.legacyGroups { add("cgroup", "\(group)") }
        add("stage", "/tmp")
        add("image", request.image)
        add("overlay", "\(limits.overlayBytes)", inodes)
        add("hostname", request.hostname)
        if let port = request.gatewayPort { add("listen", "\(port)") }
        for device in Self.devices { add("device", device) }
        add("tmpfs", "/tmp", "\(limits.temporaryBytes)", inodes, "1777", "root")
        add("tmpfs", "/dev/shm", "\(limits.sharedMemoryBytes)", inodes, "1777", "root")
        if request.home == nil { add("tmpfs", "/home/agent", "\(limits.homeBytes)", inodes, "700", "payload") }
        for bind in request.allBinds { add(bind, identity) }
        add("readonly", "/proc/sys")
        for mask in Self.masks { add("mask", mask) }
        if let landlock { add(landlock) }
        add(limits, limitsProcesses: limitsProcesses)
        addCommand(request.arguments, environment: request.environment, workingDirectory: request.workingDirectory)
    }

    mutating func add(_ identity: Identity) {
        switch identity {
        case .range(let first): add("range", "\(first)")
        case .caller: add("rootless")
        }
    }

    mutating func addCommand(_ arguments: [String], environment: [String: String], workingDirectory: String) {
        add("oom-score", "500")
        add("umask", "022")
        add("directory", workingDirectory)
        for argument in arguments { add("argument", argument) }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) { add("environment", "\(name)=\(value)") }
    }

    private mutating func add(_ bind: SandboxRequest.Bind, _ identity: Identity) {
        var uid = "-"
        var gid = "-"
        if case .range = identity {
            switch bind.ownership {
            case .asIs: break
            case .workspace: (uid, gid) = ("\(WorkspaceOwner.storageID)", "\(WorkspaceOwner.storageID)")
            case .ids(let owner, let group): (uid, gid) = ("\(owner)", "\(group)")
            }
        }
        let name = bind.isResolved ? "direct-bind" : "bind"
        add(name, bind.isWritable ? "rw" : "ro", uid, gid, bind.source, bind.target)
    }

    /// - Parameter limitsProcesses: Whether nothing else does.
    mutating func add(_ limits: SandboxProfile.Limits, limitsProcesses: Bool) {
        if limitsProcesses { add("rlimit", "nproc", "\(limits.processes)") }
        // Not 0: only the value 1 also keeps the kernel from starting the host's crash handler. Source: core(5).
        add("rlimit", "core", "1")
        add("rlimit", "nofile", "\(limits.openFiles)")
        add("rlimit", "fsize", "\(limits.fileSizeBytes)")
        add("rlimit", "memlock", "\(limits.lockedMemoryBytes)")
        add("rlimit", "nice", "0")
        add("rlimit", "rtprio", "0")
    }
}

extension SandboxRequest {
    /// The workspace, home and the profile's mounts as binds, before the others.
    var allBinds: [Bind] {
        var all: [Bind] = []
        if let workspace {
            all.append(
                Bind(
                    source: workspace,
                    target: "/workspace",
                    isWritable: profile.workspace == .readWrite,
                    ownership: .workspace
                )
            )
        }
        if let home { all.append(Bind(source: home, target: "/home/agent", isWritable: true, ownership: .workspace)) }
        return all + profile.mounts.map { Bind(source: $0.source, target: $0.target) } + binds
    }

    /// Why layer `disk-limit` is missing; `nil` when it is there, or nothing outlives the sandbox.
    var diskObstacle: String? {
        guard case .absent(let reason) = diskLimit, allBinds.contains(where: \.isWritable) else { return nil }
        return reason
    }

    /// Refuses what can never work, with every fault named.
    func validate() throws(CodeForgeError) {
        var faults: [(name: String, reason: String)] = []
        let isName = { (c: Character) in c.isASCII && (c.isLetter || c.isNumber || c == "-" || c == "_") }
        if !(1...64).contains(id.count) || !id.allSatisfy(isName) { faults.append(("id", "1…64 of a-z A-Z 0-9 - _")) }
        if arguments.isEmpty { faults.append(("arguments", "a command is needed")) }
        if hostname.isEmpty || hostname.utf8.count > 64 { faults.append(("hostname", "1…64 bytes")) }
        for path in [image, workingDirectory] + allBinds.flatMap({ [$0.source, $0.target] }) where !path.hasPrefix("/")
        {
            faults.append(("path", "\(path) is not absolute"))
        }
        for name in environment.keys where name.isEmpty || name.contains("=") {
            faults.append(("environment", "\(name) is not a variable name"))
        }
        guard faults.isEmpty else {
            throw CodeForgeError(
                .invalidArgument,
                "sandbox request: " + faults.map { "\($0.name): \($0.reason)" }.joined(separator: "; "),
                fields: faults
            )
        }
    }
}
