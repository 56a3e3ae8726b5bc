import CLinux
import Domain
import Glibc
import HostProcess
import Synchronization

/// What it takes to run one more command in a running sandbox; the session has it while the sandbox lives.
struct SandboxDoor: Sendable {
    let shim: String
    let request: SandboxRequest
    let identity: LaunchOptions.Identity
    let groups: CgroupSet
    /// As pid 1 sent them.
    let namespaces: [HostDescriptor]
    let landlockABI: Int
    let isFiltered: Bool
}

/// A command to run in a running sandbox. The descriptors are borrowed.
struct EntryCommand: Sendable {
    var arguments: [String]
    var environment: [String: String]
    var workingDirectory: String
    var input: Int32
    var output: Int32
    var errors: Int32

    func validate() throws(CodeForgeError) {
        guard !arguments.isEmpty else { throw CodeForgeError(.invalidArgument, "enter a sandbox: no command") }
        guard workingDirectory.hasPrefix("/") else {
            throw CodeForgeError(.invalidArgument, "enter a sandbox: \(workingDirectory) is not absolute")
        }
        for name in environment.keys where name.isEmpty || name.contains("=") {
            throw CodeForgeError(.invalidArgument, "enter a sandbox: \(name) is not a variable name")
        }
    }
}

/// One more command in a running sandbox, from spawn to end; `live` blocks and belongs on a thread of its own.
final class SandboxEntry: Sendable {
    private struct State {
        /// Of the command, while it is not reaped.
        var pid: pid_t = 0
        var isCancelled = false
    }

    private let state = Mutex(State())

    /// Kills the command and its process group; a command that is still starting is killed as soon as it did.
    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            Self.kill(state.pid)
        }
    }

    private static func kill(_ pid: pid_t) {
        guard pid > 0 else { return }  // ours and not yet reaped: the number cannot be anybody else's
        _ = Glibc.kill(-pid, SIGKILL)
        _ = Glibc.kill(pid, SIGKILL)
    }

    /// - Parameters:
    ///   - refused: Gets the first refusals of each system call.
    ///   - counter: Counts refusals.
    ///   - total: Gets the refusals by name at its end, however it ended.
    /// - Returns: How it ended.
    /// - Throws: What `RunningSandbox.execute` throws; nothing of the command is left then.
    func live(
        _ door: SandboxDoor, _ command: EntryCommand, refused: (RefusedSyscall) -> Void,
        counter: borrowing Atomic<Int>, total: ([String: Int]) -> Void
    ) throws(CodeForgeError) -> SandboxExit.Status {
        let (statusRead, statusWrite) = try ShimSpawn.pipe()
        let (channel, shimChannel) = try ShimSpawn.socketPair(SOCK_SEQPACKET)
        let shim = try spawn(door, command, status: statusWrite, channel: shimChannel)
        statusWrite.close()
        shimChannel.close()
        let lines = Self.lines(statusRead)  // ends when the command was executed or the start failed
        var shimStatus: Int32 = 0
        while clinux_wait4(shim, &shimStatus, 0, nil) < 0, errno == EINTR {}
        let pid = lines.first { $0.event == .born }?.pid ?? 0
        state.withLock { state in
            state.pid = pid
            if state.isCancelled { Self.kill(pid) }
        }
        var listener = Self.listener(channel)
        if pid > 0 { serve(pid, &listener, refused, counter) }
        let status = reap(pid)
        total(listener?.counts ?? [:])
        if let failed = lines.first(where: { $0.event == .failed }) {
            throw LaunchFailure.error(
                step: failed.step ?? "?", errno: failed.errno ?? 0, detail: failed.detail ?? "")
        }
        if state.withLock({ $0.isCancelled }) { throw CodeForgeError(.cancelled, "the command was killed") }
        guard lines.contains(where: { $0.event == .running }) else {
            throw CodeForgeError(.unavailable, "the sandbox ended while it was entered (wait status \(shimStatus))")
        }
        let signal = status & 0x7f
        return signal == 0 ? .exited(code: status >> 8 & 0xff) : .signalled(signal)
    }

    private func spawn(
        _ door: SandboxDoor, _ command: EntryCommand, status: HostDescriptor, channel: HostDescriptor
    ) throws(CodeForgeError) -> pid_t {
        let filter = try HostDescriptor.memoryFile(
            "filter", door.isFiltered ? FilterCache.bytes(door.request.profile.syscalls) : SyscallFilter.none.bytes)
        let groups = try door.groups.openProcessLists()
        let list = LaunchOptions(entering: door, command, groups: groups.count)
        if let name = list.invalid {
            throw CodeForgeError(.invalidArgument, "enter a sandbox: a NUL character in \(name)")
        }
        let options = try HostDescriptor.memoryFile("options", list.bytes)
        let null = HostDescriptor(open("/dev/null", O_RDWR | O_CLOEXEC))
        guard null.raw >= 0 else { throw CodeForgeError(.unavailable, "cannot open /dev/null: \(describe(errno))") }
        let own = [options, status, channel, null, null, filter] + door.namespaces + groups
        return try withExtendedLifetime(own) { () throws(CodeForgeError) in
            try ShimSpawn.spawn(
                door.shim, inherited: [command.input, command.output, command.errors] + own.map(\.raw))
        }
    }

    private static func lines(_ status: HostDescriptor) -> [StatusLine] {
        var reader = StatusReader()
        var lines: [StatusLine] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(status.raw, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return lines }
            lines += reader.read(buffer[..<count])
        }
    }

    private static func listener(_ channel: HostDescriptor) -> SyscallListener? {
        var raw: Int32 = -1
        var count: Int32 = 0
        let tag = clinux_receive_descriptors(channel.raw, &raw, 1, &count)
        guard count == 1 else { return nil }
        let descriptor = HostDescriptor(raw)
        return tag == Int32(UInt8(ascii: "N")) ? SyscallListener(descriptor) : nil
    }

    /// Answers refused calls until the command is dead.
    private func serve(
        _ pid: pid_t, _ listener: inout SyscallListener?, _ refused: (RefusedSyscall) -> Void,
        _ counter: borrowing Atomic<Int>
    ) {
        let pidfd = HostDescriptor(clinux_pidfd_open(pid))
        guard pidfd.raw >= 0 else { return }  // the wait that follows ends with it all the same; refusals are ENOSYS
        var watched = [pollfd(fd: pidfd.raw, events: Int16(POLLIN), revents: 0), pollfd()]
        while true {
            let wait = listener?.wait() ?? 0
            watched[1] = pollfd(fd: wait > 0 ? -1 : listener?.raw ?? -1, events: Int16(POLLIN), revents: 0)
            if poll(&watched, 2, wait > 0 ? wait : -1) < 0, errno != EINTR { return }
            if watched[1].revents & Int16(POLLIN) != 0, let (answered, report) = listener?.serve() {
                if answered { counter.add(1, ordering: .relaxed) }
                if let report { refused(report) }
            } else if watched[1].revents != 0 {
                listener?.close()
            }
            if watched[0].revents != 0 { return }
        }
    }

    /// At once when it is dead: a zombie would hold up the end of the sandbox.
    private func reap(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        guard pid > 0 else { return 0 }
        var info = siginfo_t()
        // Not reaped yet, so that `cancel` never meets a number that was given to somebody else.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        state.withLock { $0.pid = 0 }
        while clinux_wait4(pid, &status, 0, nil) < 0, errno == EINTR {}
        return status
    }
}

extension LaunchOptions {
    /// The shim's other mode: the payload's restrictions for one more command. Descriptors: filter, namespaces, process
    /// lists of `groups` control groups.
    init(entering door: SandboxDoor, _ command: EntryCommand, groups: Int) {
        let filter = 8
        let namespaces = (1...door.namespaces.count).map { filter + $0 }
        let first = filter + 1 + namespaces.count
        self.init()
        add("descriptors", "\(first + groups)")
        add(["enter"] + namespaces.map(String.init))
        add(door.identity)
        add("filter", "\(filter)")
        if door.isFiltered { add("notify") }
        for group in 0..<groups { add("cgroup", "\(first + group)") }
        if door.landlockABI > 0 { add(LandlockRules(door.request, abi: door.landlockABI)) }
        add(door.request.profile.limits, limitsProcesses: HostLayers.limitsProcessesPerUser(door.groups))
        addCommand(
            command.arguments, environment: command.environment, workingDirectory: command.workingDirectory)
    }
}
