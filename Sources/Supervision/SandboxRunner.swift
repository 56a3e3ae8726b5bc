import Domain
import Gateway
import HostProcess
import Sandboxing

/// Runs one command in a sandbox with the gateway beside it, and leaves nothing behind.
struct SandboxRunner: Sendable {
    let spec: JobSpec
    let disk: TaskDisk
    let launcher: SandboxLauncher
    let transport: any HTTPTransport
    let resolver: any NameResolver
    let control: RunControl
    let events: any EventSink
    let audit: AuditLog
    let clock: any WallClock

    /// A command that ended.
    struct Result: Sendable {
        var exit: SandboxExit
        var standardError: [UInt8]
        /// As it was enforced.
        var profile: SandboxProfile

        /// The limit that made it fail; `nil` when none did.
        var limit: (limit: SandboxLimit, message: String)? {
            guard exit.status != .exited(code: 0) else { return nil }
            if exit.oomKilled {
                let bytes = profile.limits.memoryBytes
                return (.memory, "memory limit of \(bytes) bytes exceeded (sandbox.memory_bytes)")
            }
            if exit.processLimitHit {
                return (.processes, "process limit of \(profile.limits.processes) reached (sandbox.pids)")
            }
            return nil
        }
    }

    /// The port the gateway listens on inside each sandbox. Above the range of ephemeral ports, and not among the
    /// ports that HTTP clients refuse (WHATWG Fetch, "port blocking").
    static let gatewayPort: UInt16 = 61_999
    static var gatewayURL: String { "http://127.0.0.1:\(gatewayPort)" }

    /// Bytes of standard error that are kept: its end.
    private static let standardErrorBytes = 64 * 1024

    /// - Parameters:
    ///   - outputGauge: How much of the output was relayed, for operators.
    ///   - beside: Runs while the sandbox does, and is cancelled at its end.
    ///   - output: Reads standard output until its end, then returns.
    /// - Throws: `JobFailure` when it could not be started, or the run was stopped before it was.
    func run(
        _ request: SandboxRequest, policy: GatewayPolicy?,
        outputGauge: (@Sendable () -> SandboxStatus.Gauge)? = nil,
        beside: @escaping @Sendable (LiveSandbox) async -> Void = { _ in },
        output: @escaping @Sendable (HostDescriptor) async -> Void
    ) async throws(JobFailure) -> Result {
        if control.reason != nil { throw JobFailure(.cancelled, "") }
        var request = request
        request.diskLimit = disk.limit
        request.gatewayPort = policy == nil ? nil : SandboxRunner.gatewayPort
        let live: LiveSandbox
        let gateway: GatewayServer?
        do throws(CodeForgeError) {
            let sandbox = try await launcher.launch(request)
            live = LiveSandbox(sandbox, request, startedAt: clock.now(), disk: disk, output: outputGauge)
            control.attach(live)
            audit.started(live)
            gateway = try await startGateway(live, policy)
        } catch {
            throw JobFailure(.sandbox, "sandbox failed: \(error.message)")
        }
        let sandbox = live.sandbox
        let companion = Task { await beside(live) }
        async let reading: Void = output(sandbox.standardOutput)
        async let watching: Void = watch(live)
        async let errors = PipeReader.collect(
            sandbox.standardError, limit: SandboxRunner.standardErrorBytes, keepEnd: true, name: "stderr")
        let exit = await sandbox.wait()
        control.detach()
        companion.cancel()
        await reading
        await watching
        let standardError = await errors
        await gateway?.stop()
        await companion.value
        audit.ended(live, exit, at: clock.now())
        return Result(exit: exit, standardError: standardError, profile: sandbox.profile)
    }

    private func startGateway(
        _ live: LiveSandbox, _ policy: GatewayPolicy?
    ) async throws(CodeForgeError) -> GatewayServer? {
        guard let policy, let listener = live.sandbox.gateway else { return nil }
        let server = GatewayServer(
            descriptor: listener.take(), policy: policy, transport: transport, resolver: resolver
        ) {
            [audit, events, clock] decision in
            audit.decided(decision, sandbox: live.id)
            if live.isFirst(decision) {
                audit.hit(.gateway, sandbox: live.id, ["reason": .string(decision.detail ?? "")], .noted)
            }
            SandboxRunner.emit(decision, events: events, clock: clock)
        }
        do throws(CodeForgeError) {
            try await server.start()
        } catch {
            live.sandbox.kill()
            let exit = await live.sandbox.wait()
            control.detach()
            audit.ended(live, exit, at: clock.now())
            throw error
        }
        live.attach(server)
        return server
    }

    private func watch(_ live: LiveSandbox) async {
        for await call in live.sandbox.refusals {
            audit.refused(call, sandbox: live.id)
            let data: JSONValue = ["syscall": .string(call.name), "errno": .int(Int64(call.errno))]
            events.append(.event(json: TaskEvent(.system, "syscall_refused", data: data, time: clock.now()).json))
        }
    }

    /// A refusal of the gateway is an event of the task; what it let through is not.
    private static func emit(_ decision: GatewayDecision, events: any EventSink, clock: any WallClock) {
        guard !decision.allowed else { return }
        let data: JSONValue = [
            "route": .string(decision.route.rawValue), "method": .string(decision.method),
            "target": .string(decision.target), "reason": .string(decision.reason),
        ]
        events.append(.event(json: TaskEvent(.system, "gateway_refused", data: data, time: clock.now()).json))
    }
}
