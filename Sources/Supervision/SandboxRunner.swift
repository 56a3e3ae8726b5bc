import Domain
import Gateway
import HostProcess
import Sandboxing

/// Runs one command in a sandbox with the gateway beside it, and leaves nothing behind.
struct SandboxRunner: Sendable {
    let spec: JobSpec
    let launcher: SandboxLauncher
    let transport: any HTTPTransport
    let resolver: any NameResolver
    let control: RunControl
    let audit: @Sendable (GatewayDecision) -> Void
    /// Called with the first refusals of each system call; see `RunningSandbox.refusals`.
    let refused: @Sendable (RefusedSyscall) -> Void

    /// A command that ended.
    struct Result: Sendable {
        var exit: SandboxExit
        var standardError: [UInt8]
    }

    /// The port the gateway listens on inside each sandbox. Above the range of ephemeral ports, and not among the
    /// ports that HTTP clients refuse (WHATWG Fetch, "port blocking").
    static let gatewayPort: UInt16 = 61_999
    static var gatewayURL: String { "http://127.0.0.1:\(gatewayPort)" }

    /// Bytes of standard error that are kept: its end.
    private static let standardErrorBytes = 64 * 1024

    /// - Parameter output: Reads standard output until its end, then returns.
    /// - Throws: `JobFailure` when it could not be started, or the run was stopped before it was.
    func run(
        _ request: SandboxRequest, policy: GatewayPolicy?,
        output: @escaping @Sendable (HostDescriptor) async -> Void
    ) async throws(JobFailure) -> Result {
        if control.reason != nil { throw JobFailure(.cancelled, "") }
        var request = request
        request.gatewayPort = policy == nil ? nil : SandboxRunner.gatewayPort
        let sandbox: RunningSandbox
        var gateway: GatewayServer?
        do throws(CodeForgeError) {
            sandbox = try await launcher.launch(request)
            control.attach(sandbox)
            if let policy, let listener = sandbox.gateway {
                let server = GatewayServer(
                    descriptor: listener.take(), policy: policy, transport: transport, resolver: resolver,
                    audit: audit)
                do throws(CodeForgeError) {
                    try await server.start()
                } catch {
                    sandbox.kill()
                    _ = await sandbox.wait()
                    throw error
                }
                gateway = server
            }
        } catch {
            throw JobFailure(.sandbox, "sandbox failed: \(error.message)")
        }
        async let reading: Void = output(sandbox.standardOutput)
        async let watching: Void = watch(sandbox.refusals)
        async let errors = PipeReader.collect(
            sandbox.standardError, limit: SandboxRunner.standardErrorBytes, keepEnd: true, name: "stderr")
        let exit = await sandbox.wait()
        control.detach()
        await reading
        await watching
        let standardError = await errors
        await gateway?.stop()
        return Result(exit: exit, standardError: standardError)
    }

    private func watch(_ refusals: AsyncStream<RefusedSyscall>) async {
        for await refusal in refusals { refused(refusal) }
    }
}
