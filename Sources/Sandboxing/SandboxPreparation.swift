import CLinux
import Domain
import Glibc
import HostProcess
import Synchronization

/// Everything one start needs, made before the shim runs, and given back when it is over.
struct SandboxPreparation {
    let request: SandboxRequest
    let identity: LaunchOptions.Identity
    let lease: UIDRange?
    let groups: CgroupSet
    /// Tells others that we live, where no lease does.
    let hold: HostDescriptor?
    let missing: [LayerStatus]
    /// 0: not confined by Landlock.
    let landlockABI: Int
    /// Launcher's ends.
    let output: HostDescriptor
    let errors: HostDescriptor
    let status: HostDescriptor
    let channel: HostDescriptor
    let lifeline: HostDescriptor
    /// The shim's descriptors in order: closed as soon as it has them.
    let inherited: [HostDescriptor]

    /// - Throws: what `SandboxLauncher.launch` throws; nothing is left behind.
    init(_ request: SandboxRequest, _ configuration: SandboxLauncher.Configuration) throws(CodeForgeError) {
        try request.validate()
        self.request = request
        let isRoot = geteuid() == 0
        let lease = isRoot ? try UIDRange.lease(in: configuration.stateDirectory) : nil
        identity = lease.map { .range(first: $0.first) } ?? .caller
        self.lease = lease
        let host = CgroupHost.prepare(parent: configuration.cgroupParent, settles: !configuration.isTrial)
        // The slot's number is ours while we hold the lease: what an earlier holder left can go.
        let prefix = lease.map { "s\($0.slot)-" } ?? "p\(getpid())-\(Self.nextNumber())-"
        if lease != nil {
            for name in CgroupSet.names(host) where name.hasPrefix(prefix) {
                CgroupSet(host, leftover: name).remove(patience: 0)
            }
        }
        let groups = CgroupSet(host, name: prefix + request.id, limits: request.profile.limits)
        self.groups = groups
        hold = lease == nil ? groups.hold() : nil
        do throws(CodeForgeError) {
            landlockABI = configuration.leaveOut.contains(.landlock) ? 0 : configuration.landlockABI
            let required = Self.required(groups, configuration, request.profile, isRoot: isRoot)
            let lacking =
                HostLayers.missing(groups, isRoot: isRoot, landlockABI: landlockABI)
                + configuration.leaveOut.subtracting([.landlock]).map { HostLayers.absent($0, "left out on purpose") }
                + (request.diskObstacle.map { [HostLayers.absent(.diskLimit, $0)] } ?? [])
            missing = lacking.filter { request.profile.asks(for: $0.layer) || required.contains($0.layer) }
            try Self.check(missing, required, groups, configuration, request.profile)
            let (outputRead, outputWrite) = try ShimSpawn.pipe()
            let (errorRead, errorWrite) = try ShimSpawn.pipe()
            if let lease {
                // Programs open /dev/stdout and /dev/stderr by name, which takes the right to: they are the payload's own.
                let owner = lease.first + LaunchOptions.payloadID
                for pipe in [outputWrite, errorWrite] where fchown(pipe.raw, owner, owner) != 0 {
                    throw CodeForgeError(.unavailable, "cannot give the sandbox its output: \(describe(errno))")
                }
            }
            let (statusRead, statusWrite) = try ShimSpawn.pipe()
            let (lifelineEnd, shimLifeline) = try ShimSpawn.socketPair(SOCK_STREAM)
            let (channelEnd, shimChannel) = try ShimSpawn.socketPair(SOCK_SEQPACKET)
            let null = HostDescriptor(open("/dev/null", O_RDWR | O_CLOEXEC))
            let input = request.standardInput.map { HostDescriptor(clinux_duplicate($0, 3)) } ?? null
            guard input.raw >= 0, null.raw >= 0 else {
                throw CodeForgeError(.unavailable, "cannot open the sandbox's standard input: \(describe(errno))")
            }
            (output, errors, status, lifeline) = (outputRead, errorRead, statusRead, lifelineEnd)
            channel = channelEnd
            let isFiltered = !configuration.leaveOut.contains(.seccomp)
            let filter = try HostDescriptor.memoryFile(
                "filter",
                isFiltered ? FilterCache.bytes(request.profile.syscalls) : SyscallFilter.none.bytes
            )
            var extra = [filter]
            let unified = try groups.openUnified()
            if let unified { extra.append(unified) }
            let legacy = try groups.openLegacy()
            let legacyFirst = Self.firstExtra + extra.count
            extra += legacy
            let options = LaunchOptions(
                request,
                identity: identity,
                descriptors: .init(
                    count: Self.firstExtra + extra.count,
                    filter: Self.firstExtra,
                    unifiedGroup: unified == nil ? nil : Self.firstExtra + 1,
                    legacyGroups: legacy.indices.map { legacyFirst + $0 }
                ),
                notify: isFiltered,
                landlock: landlockABI == 0 ? nil : LandlockRules(request, abi: landlockABI),
                limitsProcesses: HostLayers.limitsProcessesPerUser(groups),
                omitted: configuration.omitted
            )
            if let name = options.invalid {
                throw CodeForgeError(.invalidArgument, "sandbox request: a NUL character in \(name)")
            }
            let list = try HostDescriptor.memoryFile("options", options.bytes)
            inherited =
                [
                    input, outputWrite, errorWrite, list, statusWrite, shimChannel, shimLifeline,
                    lease?.lock ?? null,
                ] + extra
        } catch {
            groups.remove()
            throw error
        }
    }

    /// The shim's `FD_FIRST_EXTRA`.
    private static let firstExtra = 8

    /// Layers this start may not lack. `sandbox.allow_missing` excuses the host, which does not have one, and never a failure to
    /// set up what it has.
    static func required(
        _ groups: CgroupSet, _ configuration: SandboxLauncher.Configuration, _ profile: SandboxProfile, isRoot: Bool
    ) -> Set<SandboxLayer> {
        var required = configuration.require ?? profile.required.subtracting(isRoot ? [] : SandboxLayer.rootOnly)
        if configuration.require == nil { required.subtract(configuration.allowMissing.subtracting(groups.failed)) }
        if groups.host.unsettled != nil { required.subtract(SandboxLayer.delegated.union([.cgroupKill])) }
        return required
    }

    /// - Throws: `.unavailable` for a layer that is required and missing.
    static func check(
        _ missing: [LayerStatus],
        _ required: Set<SandboxLayer>,
        _ groups: CgroupSet,
        _ configuration: SandboxLauncher.Configuration,
        _ profile: SandboxProfile
    ) throws(CodeForgeError) {
        for layer in missing where required.contains(layer.layer) {
            var message = "sandbox layer \(layer.layer.rawValue) is required by "
            message += configuration.require == nil ? "profile \(profile.name)" : "sandbox.require"
            message += " and missing: \(layer.detail); \(layer.remedy)"
            if configuration.require != nil {
                message += ", or take it out of sandbox.require"
            } else if !groups.failed.contains(layer.layer) {
                message += ", or name it in sandbox.allow_missing"
            }
            throw CodeForgeError(.unavailable, message)
        }
    }

    private static let counter = Mutex(0)

    private static func nextNumber() -> Int {
        counter.withLock { number in
            number += 1
            return number
        }
    }
}
