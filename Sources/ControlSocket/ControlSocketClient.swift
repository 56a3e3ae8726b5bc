import CLinux
package import Domain
import Glibc
import HostProcess

/// The operator's end: finds the supervisors of this host by their state directories and asks them.
package struct ControlSocketClient: SandboxOperations {
    private let runsDirectory: String
    private let patience: Duration
    private let isRaw: Bool

    /// - Parameters:
    ///   - runsDirectory: `DATA/runs`, with one state directory for each task.
    ///   - patience: How long a supervisor may take to answer about its sandboxes.
    ///   - isRaw: Whether terminals, too, get every byte a command inside writes, instead of text that cannot steer them.
    package init(runsDirectory: String, patience: Duration = .seconds(1), isRaw: Bool = false) {
        self.runsDirectory = runsDirectory
        self.patience = patience
        self.isRaw = isRaw
    }

    package func sandboxes() async throws(CodeForgeError) -> [SandboxStatus] {
        let all = try await withoutBlocking { () throws(CodeForgeError) in
            // A hundred at a time: each takes a descriptor.
            var all: [SandboxStatus] = []
            var folders = try self.folders()[...]
            while !folders.isEmpty {
                let answers = ControlSurvey(folders.prefix(100).compactMap(open), within: patience).answers
                all += answers.flatMap { $0.sandboxes ?? [] }
                folders = folders.dropFirst(100)
            }
            return all
        }
        return all.sorted { ($0.startedAt, $0.id) < ($1.startedAt, $1.id) }
    }

    package func status(of id: String) async throws(CodeForgeError) -> SandboxStatus {
        let answer = try await ask(ControlRequest(.list), about: id, within: patience)
        guard let status = answer.sandboxes?.first(where: { $0.id == id }) else { throw Self.notFound(id) }
        return status
    }

    package func processes(of id: String) async throws(CodeForgeError) -> [SandboxProcess] {
        try await ask(ControlRequest(.processes, sandbox: id), about: id, within: .seconds(5)).processes ?? []
    }

    package func perform(_ action: SandboxAction, on id: String, by actor: String) async throws(CodeForgeError) {
        let request = ControlRequest(.perform, sandbox: id, actor: actor, action: action)
        _ = try await ask(request, about: id, within: .seconds(10))
    }

    /// Only pipes go inside, whatever the descriptors given are: bytes are carried between the two here.
    package func execute(
        _ command: InsideCommand, in id: String, by actor: String, input: Int32, output: Int32, errors: Int32
    ) async throws(CodeForgeError) -> InsideCommand.End {
        let pipes = try ExecutionPipes()
        let request = ControlRequest(.execute, sandbox: id, actor: actor, command: command)
        let connection = try await withoutBlocking { () throws(CodeForgeError) in
            let connection = try self.connection(to: id)
            try connection.send(
                request, descriptors: pipes.inside.map(\.raw), limit: ControlRequest.limit, within: patience)
            return connection
        }
        for end in pipes.inside { end.close() }
        async let relaying: Void = pipes.relay(
            input: input, output: output, errors: errors, isRaw: isRaw)
        let result: Result<ControlAnswer, CodeForgeError> = await withTaskCancellationHandler {
            await withoutBlocking {
                do throws(CodeForgeError) {
                    return .success(
                        try connection.receive(ControlAnswer.self, limit: ControlRequest.answerLimit, within: nil)
                            .message)
                } catch {
                    return .failure(error)
                }
            }
        } onCancel: {
            connection.hangUp()
        }
        pipes.finish()
        await relaying
        if Task.isCancelled { throw CodeForgeError(.cancelled, "the command was cancelled") }
        guard let end = try result.get().checked().end else {
            throw CodeForgeError(.internal, "the supervisor did not say how the command ended")
        }
        return end
    }

    /// Removes the sockets that killed supervisors left behind; safe beside running ones.
    package func sweep() async {
        await withoutBlocking {
            for folder in (try? self.folders()) ?? [] {  // no directory yet: nothing to remove
                guard let directory = open(folder), ControlConnection.open(directory) == nil, errno == ECONNREFUSED
                else { continue }
                unlinkat(directory.raw, ControlSocketServer.socketName, 0)
            }
        }
    }

    // MARK: one supervisor

    /// Asks the supervisor that has the sandbox `id`.
    private func ask(
        _ request: ControlRequest, about id: String, within patience: Duration
    ) async throws(CodeForgeError) -> ControlAnswer {
        try await withoutBlocking { () throws(CodeForgeError) in
            let connection = try self.connection(to: id)
            do throws(CodeForgeError) {
                try connection.send(request, limit: ControlRequest.limit, within: patience)
                let answer = try connection.receive(
                    ControlAnswer.self, limit: ControlRequest.answerLimit, within: patience)
                return try answer.message.checked()
            } catch  where error.code == .timeout {
                throw CodeForgeError(.unavailable, "the supervisor of \(id) does not answer")
            }
        }
    }

    /// A sandbox's id begins with its task's; see `SandboxStatus.id(of:phase:)`.
    private func connection(to id: String) throws(CodeForgeError) -> ControlConnection {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        let isPlain = id.utf8.count <= 64 && id.utf8.allSatisfy { Self.idCharacters.contains($0) }
        guard parts.count > 3, isPlain else { throw Self.notFound(id) }
        let task = parts.dropLast(3).joined(separator: "-")
        for folder in try folders() where folder.prefix(36) == task {
            if let directory = open(folder), let connection = ControlConnection.open(directory) { return connection }
        }
        throw Self.notFound(id)
    }

    private static let idCharacters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-".utf8)

    private static func notFound(_ id: String) -> CodeForgeError {
        CodeForgeError(.notFound, "no running sandbox \(SafeText.start(of: id.utf8, limit: 64))")
    }

    // MARK: state directories

    /// Names of the state directories; empty when there was no run yet.
    private func folders() throws(CodeForgeError) -> [String] {
        guard let names = HostDirectory.names(runsDirectory) else {
            if errno == ENOENT { return [] }
            throw CodeForgeError(
                .unavailable, "cannot read \(runsDirectory): \(String(cString: strerror(errno)))")
        }
        return names.filter { !$0.hasPrefix(".") }
    }

    private func open(_ folder: String) -> HostDescriptor? {
        let path = "\(runsDirectory)/\(folder)"
        let directory = HostDescriptor(Glibc.open(path, clinux_O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
        return directory.raw >= 0 ? directory : nil
    }
}
