package import Domain

package import HostProcess

/// One running sandbox. Letting go of it kills it.
package final class RunningSandbox: Sendable {
    /// Host process id of the sandbox's pid 1.
    package let pid: Int32
    /// Read ends of the payload's output; they end when the last process inside is dead. Close or `take()` them.
    package let standardOutput: HostDescriptor
    package let standardError: HostDescriptor
    /// Listening socket on 127.0.0.1 of the sandbox's own network namespace (non-blocking), when one was wanted.
    package let gateway: HostDescriptor?
    /// The first refusals of each system call, as they happen; ends with the sandbox. One consumer.
    package let refusals: AsyncStream<RefusedSyscall>
    /// Layers this sandbox runs without, none of them required.
    package let missingLayers: [LayerStatus]
    /// Landlock's ABI in force; 0: none.
    package let landlockABI: Int

    /// What it is bounded by.
    package let profile: SandboxProfile

    let session: SandboxSession
    let groups: CgroupSet

    init(
        session: SandboxSession,
        groups: CgroupSet,
        profile: SandboxProfile,
        pid: Int32,
        standardOutput: HostDescriptor,
        standardError: HostDescriptor,
        gateway: HostDescriptor?,
        refusals: AsyncStream<RefusedSyscall>,
        missingLayers: [LayerStatus],
        landlockABI: Int
    ) {
        self.session = session
        self.groups = groups
        self.profile = profile
        self.pid = pid
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.gateway = gateway
        self.refusals = refusals
        self.missingLayers = missingLayers
        self.landlockABI = landlockABI
    }

    deinit { session.kill() }

    /// Calls refused so far, the unreported ones included.
    package var refusedCalls: Int { session.refusedCalls.load(ordering: .relaxed) }

    /// Waits until everything inside is dead and torn down. May be called by several tasks, and again later.
    ///
    /// The payload's end ends the sandbox: what it left running is killed. Unread output stays in the pipes.
    package func wait() async -> SandboxExit { await session.wait() }

    /// Sends `signal` (1…64) to the payload's process group; does nothing once it ended.
    package func signal(_ signal: Int32) { session.signal(signal) }

    /// Kills everything inside at once; `wait()` then returns.
    package func kill() { session.kill() }

    /// Runs one more command inside, under every restriction of the first one, and waits for its end.
    ///
    /// It is a child of nothing inside: it has a session of its own and no terminal, and shares the payload's
    /// namespaces, control groups, limits, Landlock domain and system call filter. Its end does not end the sandbox;
    /// the sandbox's end kills it, and so does cancelling the caller.
    ///
    /// - Parameters:
    ///   - arguments: The command; a name without `/` is looked up in `PATH` of `environment`.
    ///   - environment: The whole environment.
    ///   - workingDirectory: Absolute path inside, entered with the payload's own rights.
    ///   - input, output, errors: Borrowed until this returns; they become its standard input and output.
    /// - Throws: `.notFound` when there is no such command; `.invalidArgument`; `.unavailable` when a step of entering
    ///   failed (nothing was executed then) or the sandbox is over; `.cancelled`.
    package func execute(
        _ arguments: [String],
        environment: [String: String],
        workingDirectory: String,
        input: Int32,
        output: Int32,
        errors: Int32
    ) async throws(CodeForgeError) -> SandboxExit.Status {
        try await session.execute(
            EntryCommand(
                arguments: arguments, environment: environment, workingDirectory: workingDirectory, input: input,
                output: output, errors: errors))
    }
}
