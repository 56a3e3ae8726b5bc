import CLinux
import Domain
import Glibc
import HostProcess

/// The control groups of one sandbox, in whatever hierarchies this host has.
struct CgroupSet: Sendable {
    let host: CgroupHost
    /// Directory of the unified group; `nil` without one.
    private(set) var unified: String?
    /// Directory by controller.
    private(set) var legacy: [String: String] = [:]
    /// Limits in force.
    private(set) var layers: Set<SandboxLayer> = []
    private(set) var obstacles: [SandboxLayer: String] = [:]
    /// Layers this host has, and that could not be set up here: never to be done without.
    private(set) var failed: Set<SandboxLayer> = []
    /// The kernel's list of swap areas.
    private let swapList: String

    /// Makes the groups `name` and sets `limits`; what cannot be had is recorded, not thrown.
    init(_ host: CgroupHost, name: String, limits: SandboxProfile.Limits, swapList: String = "/proc/swaps") {
        self.host = host
        self.swapList = swapList
        if let base = host.unified {
            let directory = "\(base)/\(name)"
            if mkdir(directory, 0o755) == 0 || errno == EEXIST {
                unified = directory
                if access("\(directory)/\(CgroupFile.kill)", W_OK) == 0 { layers.insert(.cgroupKill) }
            } else {
                obstacles[.cgroupKill] = "cannot make \(directory): \(describe(errno))"
            }
        }
        for (controller, base) in host.legacy where !host.unifiedControllers.contains(controller) {
            let directory = "\(base)/\(name)"
            if mkdir(directory, 0o755) == 0 || errno == EEXIST {
                legacy[controller] = directory
            } else if let layer = CgroupHost.layer(of: controller) {
                obstacles[layer] = "cannot make \(directory): \(describe(errno))"
            }
        }
        limitMemory(limits.memoryBytes)
        limitProcesses(limits.processes)
        limitCPU(limits.cpus, weight: limits.cpuWeight)
        for controller in host.offered {
            if let layer = CgroupHost.layer(of: controller), !layers.contains(layer) { failed.insert(layer) }
        }
        // What no setting up can give is the host's lack, not ours.
        if let swapObstacle, obstacles[.memoryLimit] == swapObstacle { failed.remove(.memoryLimit) }
    }

    private mutating func set(
        _ layer: SandboxLayer,
        _ controller: String,
        unified v2: [(String, String)],
        legacy v1: [(String, String)]
    ) {
        let (directory, values): (String?, [(String, String)]) =
            host.unifiedControllers.contains(controller) ? (unified, v2) : (legacy[controller], v1)
        guard let directory else {
            let reason = host.obstacle.isEmpty ? "no usable \(controller) controller" : host.obstacle
            if obstacles[layer] == nil { obstacles[layer] = reason }
            return
        }
        for (file, value) in values {
            if let code = CgroupFile.write("\(directory)/\(file)", value) {
                obstacles[layer] = "cannot write \(value) to \(directory)/\(file): \(describe(code))"
                return
            }
        }
        layers.insert(layer)
    }

    private mutating func limitMemory(_ bytes: Int64) {
        // Memory first: v1 refuses a limit on both together below that on memory.
        var unified = [(CgroupFile.memoryMaximum, "\(bytes)"), (CgroupFile.memoryGroupKill, "1")]
        var legacy = [(CgroupFile.v1Memory, "\(bytes)")]
        if accountsSwap {
            unified.append((CgroupFile.swapMaximum, "0"))
            legacy.append((CgroupFile.v1MemoryAndSwap, "\(bytes)"))
        }
        set(.memoryLimit, "memory", unified: unified, legacy: legacy)
        if layers.contains(.memoryLimit), let swapObstacle {
            layers.remove(.memoryLimit)
            obstacles[.memoryLimit] = swapObstacle
        }
    }

    /// Whether the kernel counts swap against groups.
    private var accountsSwap: Bool {
        let isUnified = host.unifiedControllers.contains("memory")
        let file = isUnified ? CgroupFile.swapMaximum : CgroupFile.v1MemoryAndSwap
        guard let directory = isUnified ? unified : legacy["memory"] else { return false }
        return access("\(directory)/\(file)", F_OK) == 0
    }

    /// A limit on memory alone pushes the rest out to swap, without end.
    private var swapObstacle: String? {
        guard !accountsSwap, host.unifiedControllers.contains("memory") || legacy["memory"] != nil else { return nil }
        // A title, then a line for each area; unreadable: nobody knows, so it counts as used.
        let isOn = CgroupFile.read(swapList).map { $0.split(separator: "\n").count > 1 } ?? true
        return isOn ? "the host swaps, which the kernel does not count against groups: boot with swapaccount=1" : nil
    }

    private mutating func limitProcesses(_ count: Int) {
        let value = [(CgroupFile.processMaximum, "\(count)")]
        set(.processLimit, "pids", unified: value, legacy: value)
    }

    /// - Parameter weight: A share of what competing sandboxes want, 1…10000.
    private mutating func limitCPU(_ cpus: Double, weight: Int) {
        let period = 100_000
        let quota = max(1000, Int(cpus * Double(period)))
        // 1024 shares are what weight 100 is; the kernel clamps to 2…262144.
        let shares = max(2, weight * 1024 / 100)
        set(
            .cpuLimit,
            "cpu",
            unified: [(CgroupFile.cpuMaximum, "\(quota) \(period)"), (CgroupFile.cpuWeight, "\(weight)")],
            legacy: [
                (CgroupFile.v1CPUPeriod, "\(period)"), (CgroupFile.v1CPUQuota, "\(quota)"),
                (CgroupFile.v1CPUShares, "\(shares)"),
            ]
        )
    }

    /// The unified group's directory, for `CLONE_INTO_CGROUP`; `nil` where there is none.
    ///
    /// - Throws: `.unavailable`: a sandbox that does not join its groups would run without the limits it claims.
    func openUnified() throws(CodeForgeError) -> HostDescriptor? {
        guard let unified else { return nil }
        return try Self.open(unified, O_RDONLY | O_DIRECTORY)
    }

    /// The v1 groups' process lists, open for writing.
    ///
    /// - Throws: as `openUnified`.
    func openLegacy() throws(CodeForgeError) -> [HostDescriptor] {
        var lists: [HostDescriptor] = []
        for directory in legacy.sorted(by: { $0.key < $1.key }).map(\.value) {
            lists.append(try Self.open("\(directory)/\(CgroupFile.processes)", O_WRONLY))
        }
        return lists
    }

    private static func open(_ path: String, _ flags: Int32) throws(CodeForgeError) -> HostDescriptor {
        let file = HostDescriptor(Glibc.open(path, flags | O_CLOEXEC))
        guard file.raw >= 0 else {
            throw CodeForgeError(
                .unavailable, "the sandbox cannot join its control group: open \(path): \(describe(errno))")
        }
        return file
    }

    /// All its directories.
    var directories: [String] { legacy.values.sorted() + [unified].compactMap { $0 } }

    /// The process lists of all its groups, open for writing.
    ///
    /// - Throws: as `openUnified`.
    func openProcessLists() throws(CodeForgeError) -> [HostDescriptor] {
        var lists: [HostDescriptor] = []
        for directory in directories { lists.append(try Self.open("\(directory)/\(CgroupFile.processes)", O_WRONLY)) }
        return lists
    }

    /// An event descriptor that becomes readable when the v1 memory limit is hit; v2 kills the group by itself.
    func watchOutOfMemory() -> HostDescriptor? {
        guard let directory = legacy["memory"] else { return nil }
        let control = HostDescriptor(Glibc.open("\(directory)/\(CgroupFile.v1OutOfMemory)", O_RDONLY | O_CLOEXEC))
        let event = HostDescriptor(eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK)))
        guard control.raw >= 0, event.raw >= 0,
            CgroupFile.write("\(directory)/\(CgroupFile.v1EventControl)", "\(event.raw) \(control.raw)") == nil
        else { return nil }
        return event
    }

    /// Kills whatever is left in the unified group.
    func kill() {
        // Nothing to do about a refusal: pid 1's death kills them all too.
        if let unified { _ = CgroupFile.write("\(unified)/\(CgroupFile.kill)", "1") }
    }

    struct Usage {
        var outOfMemoryKills: Int64 = 0
        var refusedForks: Int64 = 0
        var memoryPeakBytes: Int64?
        var cpuSeconds: Double?
    }

    /// What was used; to be read before `remove()`.
    func usage() -> Usage {
        var usage = Usage()
        if let directory = legacy["memory"] {
            usage.outOfMemoryKills = CgroupFile.value("oom_kill", in: "\(directory)/\(CgroupFile.v1OutOfMemory)") ?? 0
            usage.memoryPeakBytes = CgroupFile.number("\(directory)/\(CgroupFile.v1MemoryPeak)")
        } else if let directory = unified {
            usage.outOfMemoryKills = CgroupFile.value("oom_kill", in: "\(directory)/\(CgroupFile.memoryEvents)") ?? 0
            usage.memoryPeakBytes = CgroupFile.number("\(directory)/\(CgroupFile.memoryPeak)")
        }
        if let directory = legacy["pids"] ?? unified {
            usage.refusedForks = CgroupFile.value("max", in: "\(directory)/\(CgroupFile.processEvents)") ?? 0
        }
        if let unified {
            usage.cpuSeconds = CgroupFile.value("usage_usec", in: "\(unified)/\(CgroupFile.cpuStatistics)")
                .map { Double($0) / 1_000_000 }
        }
        return usage
    }

    /// Removes the groups.
    ///
    /// - Parameter patience: How many times 5 ms to wait while the kernel lets go of the last process.
    func remove(patience: Int = 200) {
        for directory in [unified].compactMap({ $0 }) + legacy.values {
            for turn in 0...patience {
                if rmdir(directory) == 0 || errno != EBUSY { break }
                if turn < patience { usleep(5000) }
            }
        }
    }

    // MARK: what crashed supervisors left

    /// The groups `name` as they are, where they are.
    init(_ host: CgroupHost, leftover name: String) {
        self.host = host
        swapList = ""
        let existing = { (base: String) -> String? in access("\(base)/\(name)", F_OK) == 0 ? "\(base)/\(name)" : nil }
        unified = host.unified.flatMap(existing)
        legacy = host.legacy.compactMapValues(existing)
    }

    /// Says that their supervisor lives, as long as what it returns is open; `nil` while another says so.
    ///
    /// A process id in the name does not tell: it may mean somebody else by now, or in another pid namespace.
    func hold() -> HostDescriptor? {
        guard let directory = unified ?? directories.first else { return nil }
        let lock = HostDescriptor(Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        return lock.raw >= 0 && flock(lock.raw, LOCK_EX | LOCK_NB) == 0 ? lock : nil
    }

    /// Kills what is in the groups, paused or not.
    func killEverything() {
        kill()
        for pid in processIDs() ?? [] where pid > 0 { Glibc.kill(pid, SIGKILL) }
        thaw()
    }

    /// Names of the groups of sandboxes, dead and alive, in any hierarchy.
    static func names(_ host: CgroupHost) -> Set<String> {
        var names: Set<String> = []
        for base in [host.unified].compactMap({ $0 }) + host.legacy.values {
            for name in HostDirectory.names(base) ?? []
            where (name.first == "s" || name.first == "p") && name.dropFirst().first?.isNumber == true {
                names.insert(name)
            }
        }
        return names
    }
}
