/// One wall of the sandbox. Raw values are what `sandbox.require` and `codeforge doctor` call it.
public enum SandboxLayer: String, Codable, Sendable, CaseIterable, CodingKeyRepresentable {
    case userNamespace = "user-namespace"
    /// A host uid range of its own for each running sandbox; only root can give one.
    case uidRange = "uid-range"
    case pidNamespace = "pid-namespace"
    case mountNamespace = "mount-namespace"
    case networkNamespace = "network-namespace"
    case ipcNamespace = "ipc-namespace"
    case utsNamespace = "uts-namespace"
    case cgroupNamespace = "cgroup-namespace"
    case overlay
    /// Id-mapped mounts, which let one on-disk owner appear as uid 1000 in every range.
    case idMappedMounts = "id-mapped-mounts"
    case seccomp
    /// Refused calls are reported, not only refused.
    case seccompNotify = "seccomp-notify"
    /// Rights on files: read, write, execute, make, remove, rename.
    case landlock
    /// `truncate` is such a right as well.
    case landlockTruncate = "landlock-truncate"
    /// TCP ports, where the profile narrows them.
    case landlockPorts = "landlock-ports"
    /// `ioctl` on devices.
    case landlockDevices = "landlock-devices"
    /// Abstract unix sockets and signals stay inside, where the profile says so.
    case landlockScope = "landlock-scope"
    case memoryLimit = "memory-limit"
    case processLimit = "process-limit"
    case cpuLimit = "cpu-limit"
    /// `cgroup.kill` and `cgroup.freeze` of cgroup v2.
    case cgroupKill = "cgroup-kill"
    /// Hard limits on bytes and inodes of workspace, home and clone.
    case diskLimit = "disk-limit"

    /// What every sandbox has: no profile can do without.
    public static let fixed: Set<SandboxLayer> = [
        .userNamespace, .pidNamespace, .mountNamespace, .networkNamespace, .ipcNamespace, .utsNamespace,
        .cgroupNamespace, .overlay, .seccomp,
    ]

    /// Layers only root can give; an ordinary user's sandboxes run without them, and `doctor` says so.
    public static let rootOnly: Set<SandboxLayer> = [.uidRange, .idMappedMounts]

    /// Layers an ordinary user has where a control group was delegated. What `sandbox.allow_missing` is for such a user
    /// unless it is set: without one its sandboxes are bounded by rlimits and by what the host allows that user.
    public static let delegated: Set<SandboxLayer> = [.memoryLimit, .processLimit, .cpuLimit]

    /// Reads layer names as `sandbox.require` and `sandbox.allow_missing` have them.
    ///
    /// - Throws: `.invalidArgument` for a name that is none: a misspelt layer would be one less that is required.
    public static func named(_ names: [String]?) throws(CodeForgeError) -> Set<SandboxLayer>? {
        guard let names else { return nil }
        var layers: Set<SandboxLayer> = []
        for name in names {
            guard let layer = SandboxLayer(rawValue: name) else {
                throw CodeForgeError(.invalidArgument, "'\(name)' is no sandbox layer")
            }
            layers.insert(layer)
        }
        return layers
    }
}

/// Whether this host has a layer, and what to do if not.
public struct LayerStatus: Sendable, Codable, Hashable {
    public var layer: SandboxLayer
    public var isPresent: Bool
    /// Present: how (version, mode). Absent: what the kernel said.
    public var detail: String
    /// Empty when present; else one sentence for the operator.
    public var remedy: String

    public init(layer: SandboxLayer, isPresent: Bool, detail: String, remedy: String = "") {
        self.layer = layer
        self.isPresent = isPresent
        self.detail = detail
        self.remedy = remedy
    }
}
