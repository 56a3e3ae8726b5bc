import CLinux
import Domain
import Glibc

/// Where this process may make control groups: v2, v1 per controller, or both on a hybrid host.
///
/// On v1 groups are made below the caller's own, so that limits somebody set on the service hold for its sandboxes too.
/// On v2 a group with processes of its own cannot give controllers to children. Where a group was delegated to the
/// caller (`user.delegate`, as systemd marks `Delegate=yes`), the caller is in its leaf `main` and sandboxes go beside
/// that; elsewhere root falls back to the top. Sources: cgroups(7), "no internal processes" rule;
/// https://systemd.io/CGROUP_DELEGATION.
struct CgroupHost: Sendable {
    /// Directory of our `codeforge` group in the unified hierarchy; `nil` when none can be made.
    var unified: String?
    /// Controllers a child of it gets.
    var unifiedControllers: Set<String> = []
    /// Our `codeforge` group in the v1 hierarchy of a controller.
    var legacy: [String: String] = [:]
    /// Controllers that sandboxes can have here. One of them that a sandbox does not get is a failure, not a lack.
    var offered: Set<String> = []
    /// Why something is missing, for people.
    var obstacle = ""
    /// The group delegated to an ordinary user whose processes are not in its leaf yet, where they were to be left alone.
    var unsettled: String?

    static let wanted = ["memory", "pids", "cpu"]

    /// The layer a controller stands behind.
    static func layer(of controller: String) -> SandboxLayer? {
        switch controller {
        case "memory": .memoryLimit
        case "pids": .processLimit
        case "cpu": .cpuLimit
        default: nil
        }
    }

    /// Where the processes of a delegated group are; also `DelegateSubgroup=` of the systemd unit.
    private static let leafName = "/main"

    /// Finds and makes the `codeforge` groups.
    ///
    /// - Parameters:
    ///   - parent: Directory in the unified hierarchy to use instead of the found one.
    ///   - settles: Whether the processes of an ordinary user's delegated group may be moved to its leaf, without which
    ///     there is no limit.
    static func prepare(parent: String?, settles: Bool = true) -> CgroupHost {
        var host = CgroupHost()
        let own = ownGroups()
        for mount in mounts() {
            if mount.type == "cgroup2" {
                let group = mount.directory + (own[""].map { $0 == "/" ? "" : $0 } ?? "")
                // Not the caller's own: it has processes, so its children could never have a memory limit.
                let delegated = parent ?? host.delegated(group, settles: settles)
                host.prepareUnified(parent.map { [$0] } ?? [delegated, mount.directory].compactMap(\.self))
                // What a group was given, it can give on.
                if let delegated { host.offered.formUnion(controllers(of: delegated)) }
            } else {
                for controller in wanted where mount.options.contains(controller) {
                    host.prepareLegacy(controller, mount.directory, own)
                }
            }
        }
        // The unified hierarchy has a freezer of its own; without it each sandbox joins one more group.
        if host.unified == nil { host.prepareFreezer(own) }
        host.offered.formUnion(host.unifiedControllers.union(host.legacy.keys).intersection(wanted))
        if host.obstacle.isEmpty, host.unified == nil, host.legacy.isEmpty {
            host.obstacle = "no control group file system is mounted"
        }
        return host
    }

    private mutating func prepareLegacy(_ controller: String, _ mount: String, _ own: [String: String]) {
        let path = own[controller] ?? "/"
        for base in [mount + (path == "/" ? "" : path), mount] where Self.makeGroup(base + "/codeforge") == nil {
            legacy[controller] = base + "/codeforge"
            return
        }
    }

    private mutating func prepareFreezer(_ own: [String: String]) {
        for mount in Self.mounts() where mount.type == "cgroup" && mount.options.contains("freezer") {
            prepareLegacy("freezer", mount.directory, own)
        }
    }

    private mutating func prepareUnified(_ candidates: [String]) {
        var best: (base: String, controllers: Set<String>)?
        for base in candidates {
            guard access(base, W_OK) == 0 else {
                obstacle = "cannot make control groups in \(base): \(describe(errno))"
                continue
            }
            // Refused where the controller is absent, on v1, or the group has processes: seen by what is on.
            let controllers = Self.enable(Self.wanted, in: base)
            if best == nil || controllers.count > (best?.controllers.count ?? 0) { best = (base, controllers) }
            if controllers.isSuperset(of: Self.wanted) { break }
        }
        guard let best else { return }
        let directory = best.base + "/codeforge"
        if let code = Self.makeGroup(directory) {
            obstacle = "cannot make \(directory): \(describe(code))"
            return
        }
        unified = directory
        // For its counters alone; on v1 counting would take one more group for each sandbox.
        if best.controllers.contains("memory") { _ = Self.enable(["io"], in: best.base) }
        unifiedControllers = Self.enable(best.controllers.union(["io"]).sorted(), in: directory)
    }

    /// Gives `controllers` to the children of a group, one by one, as far as it can.
    ///
    /// - Returns: Those they have.
    private static func enable(_ controllers: [String], in directory: String) -> Set<String> {
        for controller in controllers { _ = CgroupFile.write("\(directory)/\(CgroupFile.subtree)", "+\(controller)") }
        let text = CgroupFile.read("\(directory)/\(CgroupFile.subtree)") ?? ""
        return Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }

    /// The group that was delegated to the caller: the one above, when the caller is in its leaf.
    ///
    /// An ordinary user in the group itself is moved to the leaf with whatever else is there, for there is no other
    /// way to limits. Root is not: it has the top, and a service manager that knows nothing of leaves (systemd before
    /// 254) could not start its service again while sandboxes run below it.
    mutating func delegated(_ group: String, settles: Bool) -> String? {
        if group.hasSuffix(Self.leafName) {
            let parent = String(group.dropLast(Self.leafName.count))
            return Self.isDelegated(parent) ? parent : nil
        }
        guard geteuid() != 0, Self.isDelegated(group) else { return nil }
        guard settles else {
            unsettled = group
            return nil
        }
        let leaf = group + Self.leafName
        // Not a lack of the host: what the group offers is then refused, not done without.
        if let code = Self.makeGroup(leaf) { obstacle = "cannot make \(leaf): \(describe(code))" }
        // Anew as long as there are some: they may fork meanwhile.
        for _ in 0..<100 {
            let pids = (CgroupFile.read("\(group)/\(CgroupFile.processes)") ?? "").split(separator: "\n")
            if pids.isEmpty { break }
            for pid in pids { _ = CgroupFile.write("\(leaf)/\(CgroupFile.processes)", String(pid)) }
        }
        return group
    }

    /// Those of `wanted` that `group` has and so could give to children.
    static func controllers(of group: String) -> Set<String> {
        let text = CgroupFile.read("\(group)/\(CgroupFile.controllers)") ?? ""
        return Set(text.split(whereSeparator: \.isWhitespace).map(String.init)).intersection(wanted)
    }

    private static func isDelegated(_ group: String) -> Bool {
        clinux_is_marked(group, "user.delegate") != 0
    }

    /// `nil` when the group is there and can be used, else the errno.
    private static func makeGroup(_ path: String) -> Int32? {
        if mkdir(path, 0o755) != 0, errno != EEXIST { return errno }
        return access(path, W_OK) == 0 ? nil : errno
    }

    /// The caller's group by controller; the unified hierarchy under "".
    private static func ownGroups() -> [String: String] {
        var groups: [String: String] = [:]
        for line in (CgroupFile.read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            for controller in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
                groups[String(controller)] = String(parts[2])
            }
        }
        return groups
    }

    private static func mounts() -> [(type: String, directory: String, options: Set<String>)] {
        (CgroupFile.read("/proc/self/mounts") ?? "").split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ")
            guard parts.count >= 4, parts[2] == "cgroup" || parts[2] == "cgroup2" else { return nil }
            return (String(parts[2]), String(parts[1]), Set(parts[3].split(separator: ",").map(String.init)))
        }
    }
}
