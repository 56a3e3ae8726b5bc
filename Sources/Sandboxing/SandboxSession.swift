import CLinux
import Domain
import Glibc
import HostProcess
import Synchronization

/// One sandbox from spawn to teardown, on a thread of its own: everything here blocks.
final class SandboxSession: Sendable {
    private struct State {
        var pidfd: HostDescriptor?
        var lifeline: HostDescriptor?
        /// Once there are processes in them.
        var groups: CgroupSet?
        var isPaused = false
        /// While it can be entered.
        var door: SandboxDoor?
        /// Gets first refusals, as `refusals` of the sandbox.
        var sink: AsyncStream<RefusedSyscall>.Continuation?
        /// Commands that entered and are not over.
        var entries = 0
        /// Refused calls of commands that entered and are over.
        var entryRefusals: [String: Int] = [:]
        var pausedSince: ContinuousClock.Instant?
        var pausedTime = Duration.zero
        var exit: SandboxExit?
        var waiters: [CheckedContinuation<SandboxExit, Never>] = []

        mutating func countPause(until end: ContinuousClock.Instant = .now) {
            if let pausedSince { pausedTime += end - pausedSince }
            pausedSince = nil
        }
    }

    /// What a start may take before it is given up; it takes a few milliseconds.
    private static let patienceMilliseconds: Int32 = 30_000

    private let state = Mutex(State())
    /// One pause or resume at a time.
    private let pausing = Mutex(())
    let refusedCalls = Atomic(0)

    // MARK: from any thread

    /// Runs the whole life of `request` on a new thread; returns when its command was executed, or failed to.
    static func start(
        _ request: SandboxRequest,
        _ configuration: SandboxLauncher.Configuration
    ) async throws(CodeForgeError) -> RunningSandbox {
        let result: Result<RunningSandbox, CodeForgeError> = await withCheckedContinuation { continuation in
            let started = OwnThread.run {
                SandboxSession().live(request, configuration) { continuation.resume(returning: $0) }
            }
            if let code = started {
                continuation.resume(
                    returning: .failure(CodeForgeError(.unavailable, "cannot start a thread: \(describe(code))"))
                )
            }
        }
        return try result.get()
    }

    func wait() async -> SandboxExit {
        await withCheckedContinuation { continuation in
            let exit = state.withLock { state in
                if state.exit == nil { state.waiters.append(continuation) }
                return state.exit
            }
            if let exit { continuation.resume(returning: exit) }
        }
    }

    func signal(_ signal: Int32) {
        guard (1...64).contains(signal) else { return }
        state.withLock { state in
            guard let lifeline = state.lifeline else { return }
            var byte = UInt8(signal)
            // Refused only when pid 1 is gone already, or has not read 100 000 signals yet.
            _ = send(lifeline.raw, &byte, 1, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    func kill() {
        state.withLock { state in
            if let pidfd = state.pidfd { _ = clinux_pidfd_send_signal(pidfd.raw, SIGKILL) }
            if state.isPaused {
                state.isPaused = false
                state.groups?.thaw()
            }
        }
    }

    /// See `RunningSandbox.execute`.
    func execute(_ command: EntryCommand) async throws(CodeForgeError) -> SandboxExit.Status {
        try command.validate()
        let entry = SandboxEntry()
        let result: Result<SandboxExit.Status, CodeForgeError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let started = OwnThread.run { continuation.resume(returning: self.enter(entry, command)) }
                if let code = started {
                    continuation.resume(
                        returning: .failure(CodeForgeError(.unavailable, "cannot start a thread: \(describe(code))")))
                }
            }
        } onCancel: {
            entry.cancel()
        }
        return try result.get()
    }

    private func enter(_ entry: SandboxEntry, _ command: EntryCommand) -> Result<SandboxExit.Status, CodeForgeError> {
        let entered: (door: SandboxDoor, sink: AsyncStream<RefusedSyscall>.Continuation?)? = state.withLock { state in
            guard let door = state.door, !state.isPaused else { return nil }
            state.entries += 1
            return (door, state.sink)
        }
        guard let (door, sink) = entered else {
            return .failure(
                CodeForgeError(
                    isPaused ? .conflict : .unavailable, isPaused ? "the sandbox is paused" : "the sandbox is over"))
        }
        defer { state.withLock { $0.entries -= 1 } }
        do throws(CodeForgeError) {
            let status = try entry.live(
                door, command, refused: { sink?.yield($0) }, counter: refusedCalls,
                total: { total in state.withLock { $0.entryRefusals.merge(total) { $0 + $1 } } })
            return .success(status)
        } catch {
            return .failure(error)
        }
    }

    /// Lets nobody in any more, and waits for those that just came: they die with the pid namespace, or fail to enter it.
    private func closeDoor(_ groups: CgroupSet) {
        state.withLock { $0.door = nil }
        while state.withLock({ $0.entries > 0 }) {
            groups.kill()
            usleep(1000)
        }
    }

    var isPaused: Bool { state.withLock { $0.isPaused } }

    /// All pauses so far, the present one included.
    var pausedTime: Duration {
        state.withLock { $0.pausedTime + ($0.pausedSince.map { .now - $0 } ?? .zero) }
    }

    /// - Parameter freeze: Does it; blocks for up to a second.
    /// - Throws: What `freeze` throws; `.unavailable` once the sandbox is over.
    func setPaused(_ paused: Bool, _ freeze: () throws(CodeForgeError) -> Void) throws(CodeForgeError) {
        let result: Result<Void, CodeForgeError> = pausing.withLock { _ in
            let isAlive = state.withLock { state in
                guard state.pidfd != nil else { return false }
                state.isPaused = paused  // before it is: a kill thaws from here on
                if paused, state.pausedSince == nil { state.pausedSince = .now }
                return true
            }
            guard isAlive else { return .failure(CodeForgeError(.unavailable, "the sandbox is over")) }
            do throws(CodeForgeError) {
                try freeze()
                // Killed meanwhile: what was frozen after that must go too.
                if paused, !isPaused { state.withLock { $0.groups?.thaw() } }
                if !paused { state.withLock { $0.countPause() } }
                return .success(())
            } catch {
                state.withLock { state in
                    state.isPaused = !paused
                    if paused { state.countPause() }
                }
                return .failure(error)
            }
        }
        try result.get()
    }

    // MARK: on the session's thread

    private func live(
        _ request: SandboxRequest,
        _ configuration: SandboxLauncher.Configuration,
        report: (Result<RunningSandbox, CodeForgeError>) -> Void
    ) {
        do throws(CodeForgeError) {
            var life = try SandboxLife(SandboxPreparation(request, configuration), configuration.shim) {
                pidfd,
                lifeline in
                self.state.withLock { ($0.pidfd, $0.lifeline) = (pidfd, lifeline) }
            }
            let (refusals, sink) = AsyncStream.makeStream(
                of: RefusedSyscall.self,
                bufferingPolicy: .bufferingOldest(512)
            )
            do throws(CodeForgeError) {
                try life.awaitRunning(milliseconds: Self.patienceMilliseconds)
            } catch {
                life.abandon()
                _ = life.finish()
                throw error
            }
            let door = SandboxDoor(
                shim: configuration.shim, request: request, identity: life.preparation.identity,
                groups: life.preparation.groups, namespaces: life.namespaces,
                landlockABI: life.preparation.landlockABI, isFiltered: !configuration.leaveOut.contains(.seccomp))
            state.withLock { [groups = life.preparation.groups] in
                ($0.groups, $0.door, $0.sink) = (groups, door, sink)
            }
            report(
                .success(
                    RunningSandbox(
                        session: self,
                        groups: life.preparation.groups,
                        profile: request.profile,
                        pid: life.pid,
                        standardOutput: life.preparation.output,
                        standardError: life.preparation.errors,
                        gateway: life.gateway,
                        refusals: refusals,
                        missingLayers: life.preparation.missing,
                        landlockABI: life.preparation.landlockABI
                    )
                )
            )
            life.serve(refused: { sink.yield($0) }, counter: refusedCalls, kill: kill)
            closeDoor(life.preparation.groups)
            var exit = life.finish()
            sink.finish()
            let waiters = state.withLock { state in
                exit.refusedSyscalls.merge(state.entryRefusals) { $0 + $1 }
                state.exit = exit
                state.sink = nil
                state.pidfd = nil
                state.lifeline = nil
                state.groups = nil
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume(returning: exit) }
        } catch {
            report(.failure(error))
        }
    }
}

/// A detached thread with a small stack.
enum OwnThread {
    private final class Box {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// - Returns: `nil`, or the errno that kept it from starting.
    static func run(_ body: @escaping () -> Void) -> Int32? {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 512 << 10)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(body))
        let code = pthread_create(
            &thread,
            &attributes,
            { context in
                if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            },
            box.toOpaque()
        )
        if code != 0 { box.release() }
        return code == 0 ? nil : code
    }
}
