import CLinux
import Domain
import Glibc
import HostProcess
import Synchronization

/// The stages of one sandbox, for the thread that owns it: spawned, running, over.
struct SandboxLife: ~Copyable {
    let preparation: SandboxPreparation
    /// Host id of pid 1, our own child; 0 until it is born.
    private(set) var pid: pid_t = 0
    private(set) var gateway: HostDescriptor?
    /// The way in for another command.
    private(set) var namespaces: [HostDescriptor] = []

    /// 0 once reaped.
    private var shim: pid_t
    private var pidfd: HostDescriptor?
    private var reader = StatusReader()
    private var failure: CodeForgeError?
    private var isRunning = false
    private var ending: SandboxExit.Status?
    private var listener: SyscallListener?
    private var hitMemoryLimit = false
    private var tmpfs: TmpfsWatch?
    private let onBirth: (HostDescriptor, HostDescriptor) -> Void

    /// Spawns the shim.
    ///
    /// - Parameter onBirth: Gets a pidfd of pid 1 and the lifeline, once they exist.
    init(
        _ preparation: consuming SandboxPreparation,
        _ path: String,
        onBirth: @escaping (HostDescriptor, HostDescriptor) -> Void
    ) throws(CodeForgeError) {
        do {
            shim = try ShimSpawn.spawn(path, inherited: preparation.inherited.map(\.raw))
        } catch {
            preparation.groups.remove()
            throw error
        }
        self.onBirth = onBirth
        self.preparation = preparation
        // Our copies of the shim's ends: only its own may keep pipes open. The lease's lock stays ours too.
        for descriptor in preparation.inherited where descriptor !== preparation.lease?.lock { descriptor.close() }
    }

    /// Reads status and channel until the payload was executed.
    ///
    /// - Throws: The step that failed; `finish()` must be called then as well.
    mutating func awaitRunning(milliseconds: Int32) throws(CodeForgeError) {
        var isOpen = true
        var isChannelOpen = true
        // The inside may be faster than the shim outside is to tell of its birth.
        while isOpen, !isRunning || pid == 0, failure == nil {
            var watched = [
                pollfd(fd: preparation.status.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isChannelOpen ? preparation.channel.raw : -1, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&watched, 2, milliseconds)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else {
                throw CodeForgeError(.timeout, "the sandbox did not start within \(milliseconds / 1000) s")
            }
            if watched[1].revents != 0 { isChannelOpen = receiveDescriptors() }
            if watched[0].revents != 0 { isOpen = readStatus() }
        }
        let status = reapShim()
        _ = receiveDescriptors()  // sent before the payload was executed
        if let failure { throw failure }
        guard isRunning, pidfd != nil else {
            throw CodeForgeError(.unavailable, "the sandbox shim died while it was starting (wait status \(status))")
        }
        guard namespaces.count == Self.namespaceCount else {
            throw CodeForgeError(.internal, "the sandbox shim kept its namespaces")
        }
        guard preparation.request.gatewayPort == nil || gateway != nil else {
            throw CodeForgeError(.internal, "the sandbox shim kept its listening socket")
        }
        tmpfs = TmpfsWatch(pid: pid, hasOwnHome: preparation.request.home == nil)
    }

    /// Serves refused calls and the memory limit until pid 1 is dead.
    ///
    /// - Parameter counter: Counts refused calls.
    mutating func serve(refused: (RefusedSyscall) -> Void, counter: borrowing Atomic<Int>, kill: () -> Void) {
        let outOfMemory = preparation.groups.watchOutOfMemory()
        var isStatusOpen = true
        let events = Int16(POLLIN)
        var watched = [pollfd](repeating: pollfd(), count: 4)
        while true {
            let wait = listener?.wait() ?? 0
            watched[0] = pollfd(fd: pidfd?.raw ?? -1, events: events, revents: 0)
            watched[1] = pollfd(fd: wait > 0 ? -1 : listener?.raw ?? -1, events: events, revents: 0)
            watched[2] = pollfd(fd: isStatusOpen ? preparation.status.raw : -1, events: events, revents: 0)
            watched[3] = pollfd(fd: hitMemoryLimit ? -1 : outOfMemory?.raw ?? -1, events: events, revents: 0)
            let patience = wait > 0 ? wait : tmpfs?.isEmpty == false ? TmpfsWatch.milliseconds : -1
            let ready = poll(&watched, nfds_t(watched.count), patience)
            if ready < 0, errno != EINTR { break }
            if ready == 0, wait == 0 { tmpfs?.look() }
            if watched[1].revents & events != 0, let (answered, report) = listener?.serve() {
                if answered { counter.add(1, ordering: .relaxed) }
                if let report { refused(report) }
            } else if watched[1].revents != 0 {
                listener?.close()  // every task under the filter is gone
            }
            if watched[2].revents != 0 { isStatusOpen = readStatus() }
            if watched[3].revents != 0 {
                // v1 kills one process and lets the rest stumble on; the whole sandbox is what was limited.
                hitMemoryLimit = true
                kill()
            }
            if watched[0].revents != 0 { break }
        }
    }

    /// Makes an end of a start that failed, wherever it stands; `finish()` follows.
    mutating func abandon() {
        preparation.lifeline.close()  // reaches a pid 1 we do not know yet
        if let pidfd { _ = clinux_pidfd_send_signal(pidfd.raw, SIGKILL) }
        if shim > 0 {
            kill(shim, SIGKILL)
            _ = reapShim()
        }
        while readStatus() {}  // ends with the last process inside
    }

    /// Waits for pid 1, whose death took everything inside with it, and gives everything back.
    mutating func finish() -> SandboxExit {
        var usage = rusage()
        var status: Int32 = 0
        if pid > 0 {
            preparation.groups.kill()
            while clinux_wait4(pid, &status, 0, &usage) < 0, errno == EINTR {}
        }
        while readStatus() {}
        tmpfs?.look()
        tmpfs?.close()
        let used = preparation.groups.usage()
        preparation.groups.remove()
        let seconds = { (time: timeval) in Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
        preparation.status.close()
        preparation.channel.close()
        preparation.lifeline.close()
        preparation.lease?.lock.close()
        preparation.lease?.owner.close()
        var exit = SandboxExit(
            status: ending ?? .killed,
            oomKilled: hitMemoryLimit || used.outOfMemoryKills > 0,
            processLimitHit: used.refusedForks > 0,
            memoryPeakBytes: used.memoryPeakBytes,
            cpuSeconds: used.cpuSeconds ?? (seconds(usage.ru_utime) + seconds(usage.ru_stime)),
            refusedSyscalls: listener?.counts ?? [:]
        )
        exit.throttledSeconds = used.throttledSeconds
        exit.full = tmpfs?.full ?? []
        return exit
    }

    /// The shim outside ends as soon as pid 1 is set up, well or not.
    private mutating func reapShim() -> Int32 {
        var status: Int32 = 0
        if shim > 0 { while clinux_wait4(shim, &status, 0, nil) < 0, errno == EINTR {} }
        shim = 0
        return status
    }

    /// The shim's `NAMESPACES`.
    private static let namespaceCount = 7

    /// Takes what waits on the channel; `false` at its end.
    private mutating func receiveDescriptors() -> Bool {
        while true {
            var raw = [Int32](repeating: -1, count: Self.namespaceCount)
            var count: Int32 = 0
            let tag = clinux_receive_descriptors(preparation.channel.raw, &raw, Int32(raw.count), &count)
            let received = raw.prefix(Int(count)).map { HostDescriptor($0) }
            switch tag {
            case -1: return errno == EAGAIN || errno == EINTR
            case 0: return false
            case Int32(UInt8(ascii: "L")): gateway = received.first
            case Int32(UInt8(ascii: "N")): listener = received.first.map { SyscallListener($0) }
            case Int32(UInt8(ascii: "S")): namespaces = received
            default: break
            }
        }
    }

    /// Reads once; `false` at the end of the pipe.
    private mutating func readStatus() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(preparation.status.raw, &buffer, buffer.count)
        if count < 0 { return errno == EINTR }
        for line in reader.read(buffer[..<count]) { handle(line) }
        return count > 0
    }

    private mutating func handle(_ line: StatusLine) {
        switch line.event {
        case .born:
            guard pid == 0, let born = line.pid else { return }
            pid = born
            // It is our child and not yet waited for, so the number cannot mean anybody else.
            let descriptor = HostDescriptor(clinux_pidfd_open(born))
            guard descriptor.raw >= 0 else { return }
            pidfd = descriptor
            onBirth(descriptor, preparation.lifeline)
        case .running: isRunning = true
        case .failed where failure == nil && !isRunning:
            failure = LaunchFailure.error(step: line.step ?? "?", errno: line.errno ?? 0, detail: line.detail ?? "")
        case .failed: break
        case .exit: ending = line.signal.map { .signalled($0) } ?? .exited(code: line.code ?? 0)
        }
    }
}
