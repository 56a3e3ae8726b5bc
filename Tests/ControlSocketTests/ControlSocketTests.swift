import Domain
import Foundation
import Glibc
import HostProcess
import Synchronization
import TestKit
import Testing

@testable import ControlSocket

/// Both ends of the control socket, over real sockets.
@Suite struct ControlSocketTests {
    @Test func aClientSeesTheSandboxesOfEverySupervisor() async throws {
        let rig = try Rig()
        let first = try rig.supervisor("task-one", at: 2)
        let second = try rig.supervisor("task-two", at: 1)
        let client = rig.client
        #expect(try await client.sandboxes().map(\.taskID) == ["task-two", "task-one"])
        let id = "task-one-1-1-agent"
        #expect(try await client.status(of: id).taskID == "task-one")
        #expect(try await client.processes(of: id).map(\.pid) == [7])
        try await client.perform(.pause, on: id, by: "token\u{1b}[31m")
        #expect(first.control.acts == [.init(action: .pause, sandbox: id, actor: "token?[31m")])
        #expect(try await client.status(of: id).state == .paused)
        second.server.stop()
        #expect(try await client.sandboxes().map(\.taskID) == ["task-one"])
        #expect(access(rig.directory.path + "/task-two/control.sock", F_OK) != 0)
    }

    @Test(arguments: ["nobody-1-1-agent", "", "../../etc-1-1-agent", "task-one-1-2-agent", "x"])
    func whatDoesNotRunIsNotFound(_ id: String) async throws {
        let rig = try Rig()
        let supervisor = try rig.supervisor("task-one")
        let error = await #expect(throws: CodeForgeError.self) { _ = try await rig.client.status(of: id) }
        #expect(error?.code == .notFound)
        let other = await #expect(throws: CodeForgeError.self) { try await rig.client.perform(.kill, on: id, by: "x") }
        #expect(other?.code == .notFound)
        withExtendedLifetime(supervisor) {}
    }

    @Test func pathsLongerThanAUnixSocketsMayBeWork() async throws {
        let rig = try Rig(below: String(repeating: "deep/", count: 40))
        let supervisor = try rig.supervisor("task-one")
        #expect(try await rig.client.sandboxes().count == 1)
        withExtendedLifetime(supervisor) {}
    }

    @Test func deadSocketsAreIgnoredAndSwept() async throws {
        let rig = try Rig()
        let alive = try rig.supervisor("alive")
        // As kill -9 leaves it: bound once, nobody listening.
        let folder = try rig.folder("dead")
        let directory = HostDescriptor(open(folder, O_RDONLY | O_DIRECTORY))
        let socket = try ControlConnection.makeSocket()
        _ = ControlConnection.withAddress(of: "control.sock", in: directory) { bind(socket.raw, $0, $1) }
        socket.close()
        #expect(access(folder + "/control.sock", F_OK) == 0)
        #expect(try await rig.client.sandboxes().map(\.taskID) == ["alive"])
        await rig.client.sweep()
        #expect(access(folder + "/control.sock", F_OK) != 0)
        #expect(try await rig.client.sandboxes().map(\.taskID) == ["alive"])
        withExtendedLifetime(alive) {}
    }

    @Test func aSupervisorThatDoesNotAnswerIsLeftOut() async throws {
        let rig = try Rig(patience: .milliseconds(300))
        let alive = try rig.supervisor("alive")
        let directory = HostDescriptor(open(try rig.folder("stuck"), O_RDONLY | O_DIRECTORY))
        let socket = try ControlConnection.makeSocket()
        _ = ControlConnection.withAddress(of: "control.sock", in: directory) { bind(socket.raw, $0, $1) }
        listen(socket.raw, 5)
        let began = ContinuousClock.now
        #expect(try await rig.client.sandboxes().map(\.taskID) == ["alive"])
        #expect(ContinuousClock.now - began < .seconds(3))
        let error = await #expect(throws: CodeForgeError.self) {
            _ = try await rig.client.status(of: "stuck-1-1-agent")
        }
        #expect(error?.code == .unavailable)
        withExtendedLifetime(alive) {}
    }

    @Test(arguments: ["", "{}\n", "nonsense\n", "{\"version\":9,\"operation\":\"list\"}\n", "LONG"])
    func aMessageThatIsNoneGetsARefusalAndNothingMore(_ text: String) async throws {
        let rig = try Rig()
        let supervisor = try rig.supervisor("task")
        let directory = HostDescriptor(open(try rig.folder("task"), O_RDONLY | O_DIRECTORY))
        let connection = try #require(ControlConnection.open(directory))
        let bytes = Array((text == "LONG" ? String(repeating: "x", count: ControlRequest.limit + 100) : text).utf8)
        let answer = await withoutBlocking { () -> ControlAnswer? in
            var sent = 0
            while sent < bytes.count {
                var watched = pollfd(fd: connection.socket.raw, events: Int16(POLLOUT), revents: 0)
                poll(&watched, 1, 1000)
                let count = bytes[sent...].withUnsafeBytes {
                    Glibc.send(connection.socket.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count <= 0 { break }
                sent += count
            }
            if bytes.isEmpty { shutdown(connection.socket.raw, Int32(SHUT_WR)) }
            return try? connection.receive(ControlAnswer.self, limit: 1 << 20, within: .seconds(5)).message
        }
        // An over-long one may be cut off before its answer can be read.
        if text != "LONG" { #expect(answer?.failure != nil) }
        #expect(try await rig.client.sandboxes().count == 1)
        withExtendedLifetime(supervisor) {}
    }

    @Test func aCommandsInputAndOutputAreCarried() async throws {
        let rig = try Rig()
        let supervisor = try rig.supervisor("task-one")
        let (input, output) = (Pipe(), Pipe())
        try input.fileHandleForWriting.write(contentsOf: Data("hello".utf8))
        try input.fileHandleForWriting.close()
        let end = try await rig.client.execute(
            InsideCommand(arguments: ["cat", "-"]), in: "task-one-1-1-agent", by: "me",
            input: input.fileHandleForReading.fileDescriptor, output: output.fileHandleForWriting.fileDescriptor,
            errors: output.fileHandleForWriting.fileDescriptor)
        #expect(end == .exited(code: 3))
        try output.fileHandleForWriting.close()
        let text = String(decoding: try #require(try output.fileHandleForReading.readToEnd()), as: UTF8.self)
        #expect(text == "cat - by me: hello")
        withExtendedLifetime(supervisor) {}
    }

    @Test func hangingUpKillsTheCommand() async throws {
        let rig = try Rig()
        let supervisor = try rig.supervisor("task-one")
        let null = HostDescriptor(open("/dev/null", O_RDWR))
        let client = rig.client
        let running = Task {
            try await client.execute(
                InsideCommand(arguments: ["hang"]), in: "task-one-1-1-agent", by: "me", input: null.raw,
                output: null.raw, errors: null.raw)
        }
        _ = try await eventually("the start") { supervisor.operations.started.withLock { $0 } ? true : nil }
        running.cancel()
        let error = await #expect(throws: CodeForgeError.self) { _ = try await running.value }
        #expect(error?.code == .cancelled)
        _ = try await eventually("the end of the command") {
            supervisor.operations.cancelled.withLock { $0 } ? true : nil
        }
    }

    @Test func nothingButPipesGoesInside() async throws {
        let rig = try Rig()
        let supervisor = try rig.supervisor("task-one")
        let directory = HostDescriptor(open(try rig.folder("task-one"), O_RDONLY | O_DIRECTORY))
        for (descriptors, isWelcome) in [([directory.raw, directory.raw, directory.raw], false), ([], false)] {
            let connection = try #require(ControlConnection.open(directory))
            let request = ControlRequest(
                .execute, sandbox: "task-one-1-1-agent", actor: "x", command: InsideCommand(arguments: ["cat"]))
            let answer = try await withoutBlocking { () throws(CodeForgeError) in
                try connection.send(request, descriptors: descriptors, limit: 1 << 16, within: .seconds(2))
                return try connection.receive(ControlAnswer.self, limit: 1 << 16, within: .seconds(5)).message
            }
            #expect((answer.failure == nil) == isWelcome)
        }
        #expect(!supervisor.operations.started.withLock { $0 })
    }

    @Test func aDirectoryOthersMayEnterIsRefused() throws {
        let rig = try Rig()
        let folder = try rig.folder("open")
        chmod(folder, 0o755)
        let server = ControlSocketServer(directory: folder, operations: Operations(InMemorySandboxControl()))
        #expect(throws: CodeForgeError.self) { try server.start() }
    }
}

/// Supervisors without sandboxes, in a directory of their own.
private struct Rig {
    struct Supervisor {
        var server: ControlSocketServer
        var control: InMemorySandboxControl
        var operations: Operations
    }

    let directory: TemporaryDirectory
    let runs: String
    let client: ControlSocketClient

    init(below path: String = "", patience: Duration = .seconds(5)) throws {
        directory = try TemporaryDirectory()
        runs = directory.path + "/" + path
        try FileManager.default.createDirectory(atPath: runs, withIntermediateDirectories: true)
        client = ControlSocketClient(runsDirectory: runs, patience: patience)
    }

    func folder(_ name: String) throws -> String {
        let path = runs + "/" + name
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return path
    }

    func supervisor(_ task: String, at second: Int64 = 0) throws -> Supervisor {
        let control = InMemorySandboxControl()
        control.add(
            SandboxStatus(
                id: "\(task)-1-1-agent", taskID: task, iteration: 1, phase: "agent", state: .running, profile: .code,
                image: "base", layers: [.seccomp], missing: [], pid: 7,
                startedAt: Timestamp(nanoseconds: second * 1_000_000_000), usage: .init()),
            processes: [
                SandboxProcess(
                    pid: 7, parent: 1, innerPID: 1, arguments: ["x"], state: "S", cpuSeconds: 0, residentBytes: 1,
                    threads: 1)
            ])
        let operations = Operations(control)
        let server = ControlSocketServer(directory: try folder(task), operations: operations)
        try server.start()
        return Supervisor(server: server, control: control, operations: operations)
    }
}

/// The in-memory control, with a command that copies its input to its output, or hangs until it is cancelled.
private final class Operations: SandboxOperations {
    private let control: InMemorySandboxControl
    let started = Mutex(false)
    let cancelled = Mutex(false)

    init(_ control: InMemorySandboxControl) { self.control = control }

    func sandboxes() async throws(CodeForgeError) -> [SandboxStatus] { try await control.sandboxes() }
    func status(of id: String) async throws(CodeForgeError) -> SandboxStatus { try await control.status(of: id) }
    func processes(of id: String) async throws(CodeForgeError) -> [SandboxProcess] {
        try await control.processes(of: id)
    }
    func perform(_ action: SandboxAction, on id: String, by actor: String) async throws(CodeForgeError) {
        try await control.perform(action, on: id, by: actor)
    }

    func execute(
        _ command: InsideCommand, in id: String, by actor: String, input: Int32, output: Int32, errors: Int32
    ) async throws(CodeForgeError) -> InsideCommand.End {
        started.withLock { $0 = true }
        if command.arguments == ["hang"] {
            try? await Task.sleep(for: .seconds(60))
            cancelled.withLock { $0 = Task.isCancelled }
            throw CodeForgeError(.cancelled, "cancelled")
        }
        return await withoutBlocking {
            var text = Array("\(command.arguments.joined(separator: " ")) by \(actor): ".utf8)
            var buffer = [UInt8](repeating: 0, count: 100)
            while true {
                let count = read(input, &buffer, buffer.count)
                if count <= 0 { break }
                text += buffer[..<count]
            }
            _ = write(output, text, text.count)
            return .exited(code: 3)
        }
    }
}
