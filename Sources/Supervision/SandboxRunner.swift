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
    }

    /// The port the gateway listens on inside each sandbox. Above the range of ephemeral ports, and not among the
    /// ports that HTTP clients refuse (WHATWG Fetch, "port blocking").
    static let gatewayPort: UInt16 = 61_999
    static var gatewayURL: String { "http://127.0.0.1:\(gatewayPort)" }

    /// Bytes of standard error that are kept: its end.
    private static let standardErrorBytes = 64 * 1024

    /// - Parameters:
    ///   - meter: Counts standard error here, and standard output where that is read; a fresh one counts standard error.
    ///   - showsOutput: Whether operators see what it counted.
    ///   - beside: Runs while the sandbox does, and is cancelled at its end.
    ///   - output: Reads standard output until its end, then returns.
    /// - Throws: `JobFailure` when it could not be started, or the run was stopped before it was.
    func run(
        _ request: SandboxRequest, policy: GatewayPolicy?,
        meter: OutputMeter? = nil, showsOutput: Bool = false,
        beside: @escaping @Sendable (LiveSandbox) async -> Void = { _ in },
        output: @escaping @Sendable (HostDescriptor) async -> Void
    ) async throws(JobFailure) -> Result {
        if control.reason != nil { throw JobFailure(.cancelled, "") }
        var request = request
        request.diskLimit = disk.limit
        request.gatewayPort = policy == nil ? nil : SandboxRunner.gatewayPort
        let meter = meter ?? OutputMeter(spec, control)
        let gauge: @Sendable () -> SandboxStatus.Gauge = { meter.gauge }
        let live: LiveSandbox
        let gateway: GatewayServer?
        let began = ContinuousClock.now
        do throws(CodeForgeError) {
            let sandbox = try await launcher.launch(request)
            live = LiveSandbox(sandbox, request, startedAt: clock.now(), disk: disk, output: showsOutput ? gauge : nil)
            control.attach(live)
            audit.started(live, took: ContinuousClock.now - began)
            gateway = try await startGateway(live, policy)
        } catch {
            audit.failedToStart(request, error)
            throw JobFailure(.sandbox, "sandbox failed: \(error.message)")
        }
        let sandbox = live.sandbox
        let companion = Task { await beside(live) }
        async let reading: Void = output(sandbox.standardOutput)
        async let watching: Void = watch(live)
        let errors = ByteKeeper(limit: SandboxRunner.standardErrorBytes, keepEnd: true)
        async let readingErrors: Void = PipeReader.read(sandbox.standardError, name: "stderr") { chunk in
            errors.add(chunk)
            meter.add(chunk.count)
        }
        let exit = await sandbox.wait()
        control.detach()
        companion.cancel()
        await reading
        await watching
        await readingErrors
        await gateway?.stop()
        await companion.value
        audit.ended(live, exit, at: clock.now())
        let result = Result(exit: exit, standardError: errors.bytes, profile: sandbox.profile)
        // Those that are measured are on record already.
        if let limit = result.limit?.limit, [.fileSize, .openFiles].contains(limit) {
            audit.hit(limit, sandbox: live.id, .null)
        }
        return result
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
