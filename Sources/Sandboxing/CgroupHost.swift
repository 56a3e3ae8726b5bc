import Glibc

/// Where this process may make control groups: v2, v1 per controller, or both on a hybrid host.
///
/// Groups are made below the caller's own, so that limits somebody set on the service hold for its sandboxes too. On
/// v2 a group with processes of its own cannot give controllers to children; then root falls back to the top.
struct CgroupHost: Sendable {
    /// Directory of our `codeforge` group in the unified hierarchy; `nil` when none can be made.
    var unified: String?
    /// Controllers a child of it gets.
    var unifiedControllers: Set<String> = []
    /// Our `codeforge` group in the v1 hierarchy of a controller.
    var legacy: [String: String] = [:]
    /// Why something is missing, for people.
    var obstacle = ""

    static let wanted = ["memory", "pids", "cpu"]

    /// Finds and makes the `codeforge` groups.
    ///
    /// - Parameter parent: Directory in the unified hierarchy to use instead of the found one.
    static func prepare(parent: String?) -> CgroupHost {
        var host = CgroupHost()
        let own = ownGroups()
        for mount in mounts() {
            if mount.type == "cgroup2" {
                var candidates = parent.map { [$0] } ?? [mount.directory + (own[""] ?? "/"), mount.directory]
                candidates = candidates.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
                host.prepareUnified(candidates)
            } else {
                for controller in wanted where mount.options.contains(controller) {
                    host.prepareLegacy(controller, mount.directory, own)
                }
            }
        }
        // The unified hierarchy has a freezer of its own; without it each sandbox joins one more group.
        if host.unified == nil { host.prepareFreezer(own) }
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
        var best: (directory: String, controllers: Set<String>)?
        for base in candidates {
            let directory = base + "/codeforge"
            if let code = Self.makeGroup(directory) {
                obstacle = "cannot make \(directory): \(describe(code))"
                continue
            }
            for controller in Self.wanted {
                for level in [base, directory] {
                    // Refused where the controller is absent, on v1, or the group has processes: seen below.
                    _ = CgroupFile.write("\(level)/\(CgroupFile.subtree)", "+\(controller)")
                }
            }
            let text = CgroupFile.read("\(directory)/\(CgroupFile.subtree)") ?? ""
            let controllers = Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
            if best == nil || controllers.count > (best?.controllers.count ?? 0) { best = (directory, controllers) }
            if controllers.isSuperset(of: Self.wanted) { break }
        }
        if let best, best.controllers.contains("memory") {
            // For its counters alone; on v1 counting would take one more group for each sandbox.
            _ = CgroupFile.write("\(best.directory)/\(CgroupFile.subtree)", "+io")
        }
        unified = best?.directory
        unifiedControllers = best?.controllers ?? []
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
