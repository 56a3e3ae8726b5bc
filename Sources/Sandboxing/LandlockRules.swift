import CLinux
import Domain
import Glibc

/// What Landlock is to let through in one sandbox, in the rights the running kernel knows.
///
/// A second wall: it repeats what mounts, the network namespace and the pid namespace already say, so that a mistake
/// in one of them opens nothing. Source: Documentation/userspace-api/landlock.rst, and policy 3.3.
struct LandlockRules: Equatable {
    /// Rights on files, linux/landlock.h; the ABI that brought each is in `known`.
    struct Files: OptionSet, Hashable {
        var rawValue: UInt64
        static let execute = Files(rawValue: 1 << 0)
        static let writeFile = Files(rawValue: 1 << 1)
        static let readFile = Files(rawValue: 1 << 2)
        static let readDirectory = Files(rawValue: 1 << 3)
        static let makeCharacterDevice = Files(rawValue: 1 << 6)
        static let makeBlockDevice = Files(rawValue: 1 << 11)
        /// Links and renames between directories.
        static let refer = Files(rawValue: 1 << 13)
        static let truncate = Files(rawValue: 1 << 14)
        static let deviceControl = Files(rawValue: 1 << 15)

        static func known(abi: Int) -> Files {
            var all = Files(rawValue: (1 << 13) - 1)
            if abi >= 2 { all.insert(.refer) }
            if abi >= 3 { all.insert(.truncate) }
            if abi >= 5 { all.insert(.deviceControl) }
            return all
        }
    }

    /// Rights on TCP ports.
    struct Ports: OptionSet, Hashable {
        var rawValue: UInt64
        static let bind = Ports(rawValue: 1 << 0)
        static let connect = Ports(rawValue: 1 << 1)
    }

    /// What does not leave the domain.
    struct Scoped: OptionSet, Hashable {
        var rawValue: UInt64
        static let abstractUnixSockets = Scoped(rawValue: 1 << 0)
        static let signals = Scoped(rawValue: 1 << 1)
    }

    enum Rule: Equatable {
        case beneath(String, Files)
        case port(UInt16, Ports)
    }

    var files: Files
    var ports: Ports = []
    var scoped: Scoped = []
    var rules: [Rule] = []

    /// The newest ABI these rules are written for. Later ones only add what nothing here needs.
    static let newest = 7

    /// The ABI in force on this kernel; 0 without Landlock.
    static let abi = min(newest, max(0, Int(clinux_landlock_version())))

    /// What each layer takes. ABI 2 is no layer: before it, links and renames between directories are refused.
    static let needs: [(layer: SandboxLayer, abi: Int, kernel: String)] = [
        (.landlock, 1, "5.13"), (.landlockTruncate, 3, "6.2"), (.landlockPorts, 4, "6.7"),
        (.landlockDevices, 5, "6.10"), (.landlockScope, 6, "6.12"),
    ]

    /// Layers a kernel with `abi` does not have, and why.
    static func missing(abi: Int) -> [(layer: SandboxLayer, detail: String)] {
        needs.filter { $0.abi > abi }.map { need in
            let known = abi == 0 ? "the kernel has none" : "the kernel has ABI \(abi)"
            return (need.layer, "\(known), ABI \(need.abi) is needed")
        }
    }

    /// Writable without a bind; the image's `/var/tmp` lies in the capped overlay.
    private static let scratch = ["/home/agent", "/tmp", "/var/tmp", "/dev/shm"]

    /// - Parameter abi: 1…`newest`.
    init(_ request: SandboxRequest, abi: Int) {
        let known = Files.known(abi: abi)
        files = known
        let profile = request.profile
        let inside = known.subtracting([.makeCharacterDevice, .makeBlockDevice, .deviceControl])
        let device: Files = [.readFile, .writeFile]
        rules.append(.beneath("/", [.execute, .readFile, .readDirectory]))
        for bind in request.allBinds where bind.isWritable { rules.append(.beneath(bind.target, inside)) }
        for path in Self.scratch where !request.allBinds.contains(where: { $0.target == path }) {
            rules.append(.beneath(path, inside))
        }
        for path in LaunchOptions.devices { rules.append(.beneath(path, device)) }
        rules.append(.beneath("/dev/pts", device.union(.deviceControl).intersection(known)))
        if abi >= 4, profile.landlock.ports == .gateway {
            ports = [.bind, .connect]
            if let port = request.gatewayPort { rules.append(.port(port, .connect)) }
        }
        if abi >= 6, profile.landlock.scoped { scoped = [.abstractUnixSockets, .signals] }
    }
}

extension SandboxProfile {
    /// Whether `layer` is there to hold something this profile says; most hold in every sandbox.
    func asks(for layer: SandboxLayer) -> Bool {
        switch layer {
        case .landlockPorts: landlock.ports == .gateway
        case .landlockScope: landlock.scoped
        default: true
        }
    }
}

extension LaunchOptions {
    mutating func add(_ landlock: LandlockRules) {
        add("landlock", "\(landlock.files.rawValue)", "\(landlock.ports.rawValue)", "\(landlock.scoped.rawValue)")
        for rule in landlock.rules {
            switch rule {
            case .beneath(let path, let rights): add("beneath", path, "\(rights.rawValue)")
            case .port(let port, let rights): add("port", "\(port)", "\(rights.rawValue)")
            }
        }
    }
}
