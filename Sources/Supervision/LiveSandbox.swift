import Domain
import Gateway
import Sandboxing
import Synchronization

/// A sandbox that runs, with what the supervisor knows of it beyond the kernel.
final class LiveSandbox: Sendable {
    let sandbox: RunningSandbox
    let request: SandboxRequest
    let startedAt: Timestamp
    private let disk: TaskDisk
    /// CLI output relayed, with its ceiling; `nil` where it is not relayed.
    private let output: (@Sendable () -> SandboxStatus.Gauge)?
    private let gateway = Mutex<GatewayServer?>(nil)
    private let usedUp = Mutex(false)

    init(
        _ sandbox: RunningSandbox, _ request: SandboxRequest, startedAt: Timestamp, disk: TaskDisk,
        output: (@Sendable () -> SandboxStatus.Gauge)?
    ) {
        self.sandbox = sandbox
        self.request = request
        self.startedAt = startedAt
        self.disk = disk
        self.output = output
    }

    var id: String { request.id }
    var phase: String { request.id.split(separator: "-").last.map(String.init) ?? "" }

    /// Name of the image: its directory's, which holds the root file system.
    var image: String { request.image.split(separator: "/").dropLast().last.map(String.init) ?? request.image }

    /// Its gateway, once it serves.
    func attach(_ server: GatewayServer) { gateway.withLock { $0 = server } }

    /// Whether this is the first time a budget of the gateway was found used up.
    func isFirst(_ decision: GatewayDecision) -> Bool {
        guard decision.reason == "budget_exceeded" else { return false }
        return usedUp.withLock { usedUp in
            defer { usedUp = true }
            return !usedUp
        }
    }

    /// What went through its gateway; `nil` without one.
    var traffic: GatewayUsage? { gateway.withLock { $0?.usage } }

    func status(of spec: JobSpec) async -> SandboxStatus {
        var usage = await sandbox.usage()
        let limits = sandbox.profile.gatewayLimits
        let traffic = gateway.withLock { $0?.usage } ?? GatewayUsage()
        usage.gatewayOut = .init(now: traffic.bytesOut, limit: limits.requestBytes)
        usage.gatewayIn = .init(now: traffic.bytesIn, limit: limits.responseBytes)
        usage.gatewayRequests = .init(now: Int64(traffic.requests), limit: Int64(limits.requests))
        usage.gatewayTokens = .init(
            now: Int64(traffic.tokens), limit: limits.tokens > 0 ? Int64(limits.tokens) : nil)
        if let output { usage.output = output() }
        if let disk = disk.usage() {
            usage.disk = .init(now: disk.bytes, limit: disk.byteLimit)
            usage.inodes = .init(now: disk.inodes, limit: disk.inodeLimit)
        }
        return SandboxStatus(
            id: id, taskID: spec.taskID, iteration: spec.iteration, phase: phase,
            state: sandbox.isPaused ? .paused : .running, profile: sandbox.profile, image: image,
            layers: sandbox.layers, missing: sandbox.missingLayers, pid: sandbox.pid, startedAt: startedAt,
            usage: usage)
    }
}
