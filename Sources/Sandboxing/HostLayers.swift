import CLinux
package import Domain
import Glibc

/// What this host can give a sandbox.
package enum HostLayers {
    /// Looks at each layer and reports it, in the order of `SandboxLayer.allCases`. Nothing of the host is changed but for
    /// a control group of a moment; whether they work together is what `SandboxTrial` shows.
    package static func probe() async -> [LayerStatus] {
        await withCheckedContinuation { continuation in
            if OwnThread.run({ continuation.resume(returning: examine()) }) != nil {
                continuation.resume(returning: [])
            }
        }
    }

    /// Layers a sandbox of this process would lack, given its control groups.
    ///
    /// - Parameter landlockABI: 0: without Landlock.
    static func missing(_ groups: CgroupSet, isRoot: Bool, landlockABI: Int) -> [LayerStatus] {
        var missing: [LayerStatus] = []
        if !isRoot {
            missing.append(absent(.uidRange, "not root: one id is mapped"))
            missing.append(absent(.idMappedMounts, "not root: workspaces belong to the caller"))
        }
        missing += LandlockRules.missing(abi: landlockABI).map { absent($0.layer, $0.detail) }
        for layer in [SandboxLayer.memoryLimit, .processLimit, .cpuLimit, .cgroupKill]
        where !groups.layers.contains(layer) && !(layer == .processLimit && limitsProcessesPerUser(groups)) {
            missing.append(absent(layer, groups.obstacles[layer] ?? groups.host.obstacle))
        }
        return missing
    }

    /// Whether `RLIMIT_NPROC` is what bounds processes: where no control group can, and the kernel counts them in each user
    /// namespace, of which every sandbox has its own (Linux 5.14). Before, all processes of the user on this host count.
    ///
    /// Not beside a group: this limit is met first, and only the group tells that it was.
    static func limitsProcessesPerUser(_ groups: CgroupSet) -> Bool {
        !groups.layers.contains(.processLimit) && !groups.failed.contains(.processLimit)
            && !kernel.lexicographicallyPrecedes([5, 14])
    }

    private static let kernel: [Int] = {
        release.prefix { $0.isNumber || $0 == "." }.split(separator: ".").compactMap { Int($0) }
    }()

    private static var release: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "" }
        return withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    static func absent(_ layer: SandboxLayer, _ detail: String) -> LayerStatus {
        LayerStatus(layer: layer, isPresent: false, detail: detail, remedy: remedy(layer))
    }

    private static func remedy(_ layer: SandboxLayer) -> String {
        switch layer {
        case .userNamespace:
            "set sysctl user.max_user_namespaces above 0, kernel.unprivileged_userns_clone=1 and "
                + "kernel.apparmor_restrict_unprivileged_userns=0"
        case .uidRange: "run as root to give each sandbox a host uid range of its own"
        case .idMappedMounts: "run as root on Linux 5.12 or later, with data on ext4, xfs, btrfs or tmpfs"
        case .memoryLimit, .processLimit, .cpuLimit:
            "run as root, or in a delegated cgroup (systemd: Delegate=yes) with that controller"
        case .cgroupKill: "mount cgroup v2 (Linux 5.14 or later) and let this user write to its own group"
        case .landlock:
            "use Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK, and name landlock in "
                + "its lsm= boot parameter"
        case .landlockTruncate, .landlockPorts, .landlockDevices, .landlockScope:
            "use Linux \(LandlockRules.needs.first { $0.layer == layer }?.kernel ?? "6.12") or later with Landlock"
        case .diskLimit:
            "run as root with loop devices, ext4 and e2fsprogs, or set sandbox.disk to directory: nothing but the host's "
                + "free space then bounds a task between two looks of the supervisor"
        case .overlay: "load the overlay module; Linux 5.11 or later is needed for it in user namespaces"
        case .seccomp, .seccompNotify: "use a kernel with CONFIG_SECCOMP_FILTER, 5.0 or later"
        default: "use a kernel with this namespace compiled in"
        }
    }

    private static func examine() -> [LayerStatus] {
        let isRoot = geteuid() == 0
        let groups = CgroupSet(
            CgroupHost.prepare(parent: nil, settles: false),
            name: "probe-\(getpid())",
            limits: SandboxProfile.readonly.limits
        )
        defer { groups.remove() }
        let lacking = missing(groups, isRoot: isRoot, landlockABI: LandlockRules.abi)
        let (unsettled, given) = delegation(groups.host)
        return SandboxLayer.allCases.map { layer in
            if let unsettled, given.contains(layer) {
                let detail = "cgroup v2, \(unsettled); its processes move to main with the first sandbox"
                return LayerStatus(layer: layer, isPresent: true, detail: detail)
            }
            if let known = lacking.first(where: { $0.layer == layer }) { return known }
            if let problem = problem(layer) { return absent(layer, problem) }
            return LayerStatus(layer: layer, isPresent: true, detail: detail(layer, groups))
        }
    }

    /// The delegated group that is not in use yet, and what it will give.
    private static func delegation(_ host: CgroupHost) -> (group: String?, layers: Set<SandboxLayer>) {
        guard let group = host.unsettled else { return (nil, []) }
        var layers = Set(CgroupHost.controllers(of: group).compactMap(CgroupHost.layer))
        if access("\(group)/\(CgroupFile.kill)", F_OK) == 0 { layers.insert(.cgroupKill) }
        return (group, layers)
    }

    private static func detail(_ layer: SandboxLayer, _ groups: CgroupSet) -> String {
        switch layer {
        case .memoryLimit, .processLimit, .cpuLimit:
            if layer == .processLimit, !groups.layers.contains(layer) {
                return "RLIMIT_NPROC, in a user namespace of its own"
            }
            let name = layer == .memoryLimit ? "memory" : layer == .processLimit ? "pids" : "cpu"
            if let base = groups.host.legacy[name], groups.legacy[name] != nil { return "cgroup v1, \(base)" }
            return "cgroup v2, \(groups.host.unified ?? "?")"
        case .cgroupKill: return "cgroup v2, \(groups.host.unified ?? "?")"
        case .landlock: return "ABI \(LandlockRules.abi)"
        case .diskLimit: return "ext4 volumes on loop devices"
        case .uidRange: return "\(UIDRange.slots.count) ranges of \(UIDRange.size) ids"
        case .overlay where !hasOverlay: return "a module that is loaded when it is first needed"
        default: return "available"
        }
    }

    /// Why the kernel does not have `layer`; `nil` when it does, as far as can be seen without a sandbox.
    private static func problem(_ layer: SandboxLayer) -> String? {
        switch layer {
        case .userNamespace:
            if let text = setting("kernel/unprivileged_userns_clone"), text == "0", geteuid() != 0 {
                return "kernel.unprivileged_userns_clone is 0"
            }
            if let text = setting("kernel/apparmor_restrict_unprivileged_userns"), text == "1", geteuid() != 0 {
                return "kernel.apparmor_restrict_unprivileged_userns is 1"
            }
            return namespaceProblem("user", setting: "user/max_user_namespaces")
        case .pidNamespace: return namespaceProblem("pid", setting: "user/max_pid_namespaces")
        case .mountNamespace: return namespaceProblem("mnt", setting: "user/max_mnt_namespaces")
        case .networkNamespace: return namespaceProblem("net", setting: "user/max_net_namespaces")
        case .ipcNamespace: return namespaceProblem("ipc", setting: "user/max_ipc_namespaces")
        case .utsNamespace: return namespaceProblem("uts", setting: "user/max_uts_namespaces")
        case .cgroupNamespace: return namespaceProblem("cgroup", setting: "user/max_cgroup_namespaces")
        case .overlay:
            return hasOverlay || isModule("overlay") ? nil : "the kernel has no overlay, and no module of that name"
        case .diskLimit: return DiskVolume.obstacle()
        case .seccomp: return actions.contains("errno") ? nil : "no filter actions"
        case .seccompNotify: return actions.contains("user_notif") ? nil : "no user_notif action"
        default: return nil
        }
    }

    private static var hasOverlay: Bool {
        (CgroupFile.read("/proc/filesystems") ?? "").split(separator: "\n").contains { $0.hasSuffix("\toverlay") }
    }

    /// Whether the kernel would load it when it is first needed.
    private static func isModule(_ name: String) -> Bool {
        guard setting("kernel/modules_disabled") == "0" else { return false }
        let list = CgroupFile.read("/lib/modules/\(release)/modules.dep") ?? ""
        return list.split(separator: "\n").contains { line in
            line.split(separator: ":").first?.split(separator: "/").last?.hasPrefix("\(name).ko") == true
        }
    }

    private static func namespaceProblem(_ name: String, setting path: String) -> String? {
        if access("/proc/self/ns/\(name)", F_OK) != 0 { return "the kernel has no \(name) namespaces" }
        return setting(path) == "0" ? "sysctl \(path.split(separator: "/").joined(separator: ".")) is 0" : nil
    }

    private static func setting(_ path: String) -> String? {
        CgroupFile.read("/proc/sys/\(path)")?.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }

    private static var actions: Set<String> {
        let text = CgroupFile.read("/proc/sys/kernel/seccomp/actions_avail") ?? ""
        return Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}
