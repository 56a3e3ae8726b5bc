import CLinux
package import Domain
import Glibc
import HostProcess
import Synchronization

/// The supervisor's end: answers operators of this host on a socket in its state directory.
///
/// Nothing here is waited for by the job: connections are served beside it, few at a time, each with a deadline.
package final class ControlSocketServer: Sendable {
    static let socketName = "control.sock"
    /// Connections at once; more are closed unheard.
    private static let most = 16
    /// For a peer to send its request, and to take its answer.
    private static let patience = Duration.seconds(2)

    private struct State {
        var listener: HostDescriptor?
        var connections: [Int: Task<Void, Never>] = [:]
        var lastNumber = 0
    }

    private let directory: String
    private let operations: any SandboxOperations
    private let state = Mutex(State())

    /// - Parameters:
    ///   - directory: Ours alone (mode 0700), and locked by us: what is left of an earlier socket is replaced.
    package init(directory: String, operations: any SandboxOperations) {
        self.directory = directory
        self.operations = operations
    }

    /// Begins to listen.
    ///
    /// - Throws: `.unavailable` when it can't, or when others may enter the directory.
    package func start() throws(CodeForgeError) {
        let folder = HostDescriptor(open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
        var info = stat()
        guard folder.raw >= 0, fstat(folder.raw, &info) == 0 else { throw failure("open \(directory)") }
        guard info.st_uid == geteuid(), info.st_mode & 0o077 == 0 else {
            throw CodeForgeError(.unavailable, "\(directory) must belong to this user alone (mode 0700)")
        }
        let listener = try ControlConnection.makeSocket()
        // Listening before it has its name: a socket found by that name and refusing is a dead one's.
        let fresh = Self.socketName + ".new"
        unlinkat(folder.raw, fresh, 0)
        guard ControlConnection.withAddress(of: fresh, in: folder, { bind(listener.raw, $0, $1) }) == 0,
            fchmodat(folder.raw, fresh, 0o600, 0) == 0, listen(listener.raw, 16) == 0,
            renameat(folder.raw, fresh, folder.raw, Self.socketName) == 0
        else { throw failure("listen in \(directory)") }
        state.withLock { $0.listener = listener }
        Task { await withoutBlocking { self.accept(on: listener) } }
    }

    /// Stops listening, removes the socket and ends what is being served; does not wait for it.
    package func stop() {
        let (listener, connections) = state.withLock { state in
            defer { (state.listener, state.connections) = (nil, [:]) }
            return (state.listener, state.connections)
        }
        guard let listener else { return }
        unlink("\(directory)/\(Self.socketName)")
        shutdown(listener.raw, Int32(SHUT_RDWR))
        for task in connections.values { task.cancel() }
    }

    private func accept(on listener: HostDescriptor) {
        while true {
            var watched = pollfd(fd: listener.raw, events: Int16(POLLIN), revents: 0)
            poll(&watched, 1, -1)
            // One that was shut down stays readable, and refuses like one where nobody waits.
            guard state.withLock({ $0.listener != nil }) else { return }
            let raw = clinux_accept(listener.raw)
            if raw >= 0 {
                serve(ControlConnection(socket: HostDescriptor(raw)))
            } else if errno == EMFILE || errno == ENFILE {
                usleep(100_000)  // others close theirs; until then this would spin
            } else if errno != EAGAIN, errno != EINTR, errno != ECONNABORTED {
                return
            }
        }
    }

    private func serve(_ connection: ControlConnection) {
        var pid: pid_t = 0
        var uid: uid_t = 0
        guard clinux_peer(connection.socket.raw, &pid, &uid) == 0, uid == geteuid() || uid == 0 else { return }
        state.withLock { state in
            guard state.listener != nil, state.connections.count < Self.most else { return }
            state.lastNumber += 1
            let number = state.lastNumber
            state.connections[number] = Task {
                await self.answer(connection)
                self.state.withLock { $0.connections[number] = nil }
            }
        }
    }

    private func answer(_ connection: ControlConnection) async {
        var answer: ControlAnswer
        do throws(CodeForgeError) {
            let (request, descriptors) = try await withoutBlocking { () throws(CodeForgeError) in
                try connection.receive(ControlRequest.self, limit: ControlRequest.limit, within: Self.patience)
            }
            answer = try await carryOut(request, descriptors, connection)
        } catch {
            answer = ControlAnswer(error)
        }
        // A peer that does not take its answer has lost interest.
        try? await withoutBlocking { [answer] () throws(CodeForgeError) in
            try connection.send(answer, limit: ControlRequest.answerLimit, within: Self.patience)
        }
    }

    private func carryOut(
        _ request: ControlRequest, _ descriptors: [HostDescriptor], _ connection: ControlConnection
    ) async throws(CodeForgeError) -> ControlAnswer {
        guard request.version == ControlRequest.version else {
            throw CodeForgeError(
                .unavailable,
                "the supervisor speaks version \(ControlRequest.version) of its control protocol, not \(request.version)"
            )
        }
        var answer = ControlAnswer()
        let id = request.sandbox ?? ""
        let actor = SafeText.start(of: (request.actor ?? "unknown").utf8, limit: 100)
        switch request.operation {
        case .list: answer.sandboxes = try await operations.sandboxes()
        case .processes: answer.processes = try await operations.processes(of: id)
        case .perform:
            guard let action = request.action else { throw CodeForgeError(.invalidArgument, "no action") }
            try await operations.perform(action, on: id, by: actor)
        case .execute:
            guard let command = request.command else { throw CodeForgeError(.invalidArgument, "no command") }
            answer.end = try await execute(command, in: id, by: actor, descriptors, connection)
        }
        return answer
    }

    private func execute(
        _ command: InsideCommand, in id: String, by actor: String, _ descriptors: [HostDescriptor],
        _ connection: ControlConnection
    ) async throws(CodeForgeError) -> InsideCommand.End {
        // Anything else would be a way out: a directory could be walked, a terminal typed at, a file reopened.
        guard descriptors.count == 3, descriptors.allSatisfy({ Self.isPipe($0) }) else {
            throw CodeForgeError(.invalidArgument, "standard input and output of a command inside must be three pipes")
        }
        let work = Task { [operations] () -> Result<InsideCommand.End, CodeForgeError> in
            do throws(CodeForgeError) {
                return .success(
                    try await operations.execute(
                        command, in: id, by: actor, input: descriptors[0].raw, output: descriptors[1].raw,
                        errors: descriptors[2].raw))
            } catch {
                return .failure(error)
            }
        }
        let watch = Task {
            await withoutBlocking { connection.waitForHangUp() }
            work.cancel()
        }
        let result = await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
        connection.stopReading()
        await watch.value
        for descriptor in descriptors { descriptor.close() }
        return try result.get()
    }

    private static func isPipe(_ descriptor: HostDescriptor) -> Bool {
        var info = stat()
        return fstat(descriptor.raw, &info) == 0 && info.st_mode & S_IFMT == S_IFIFO
    }

    private func failure(_ step: String) -> CodeForgeError {
        CodeForgeError(.unavailable, "cannot \(step): \(String(cString: strerror(errno)))")
    }
}
