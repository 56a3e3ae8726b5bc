import Domain
import Foundation
import Synchronization

/// A private redis-server with an append-only file, on a unix socket in a temporary directory. Gone with its owner.
package final class RedisFixture: Sendable {
    package let directory: TemporaryDirectory
    private let process = Mutex<Process?>(nil)

    package var socket: String { directory.file("redis.sock") }
    package var url: String { "unix://\(socket)" }

    /// Starts the server; it answers once this returns.
    ///
    /// - Throws: `.unavailable` without a redis-server: a test that needs one must fail.
    package init() async throws {
        directory = try TemporaryDirectory()
        try await start()
    }

    deinit {
        let process = process.withLock { $0 }
        if let process, process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }

    package var pid: Int32? { process.withLock { $0?.processIdentifier } }

    /// Kills it at once, as a crash would.
    package func crash() {
        let process = process.withLock { process in
            defer { process = nil }
            return process
        }
        guard let process else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Starts it again on the same files.
    package func start() async throws {
        guard
            let binary = ["/usr/bin", "/usr/local/bin", "/bin"].map({ $0 + "/redis-server" })
                .first(where: { FileManager.default.isExecutableFile(atPath: $0) })
        else { throw CodeForgeError(.unavailable, "redis-server is not installed: apt-get install redis-server") }
        let server = Process()
        server.executableURL = URL(fileURLWithPath: binary)
        server.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        server.arguments = [
            "--port", "0", "--unixsocket", "redis.sock", "--appendonly", "yes", "--appendfsync", "everysec",
            "--save", "", "--logfile", "redis.log", "--daemonize", "no", "--enable-debug-command", "yes",
        ]
        server.standardInput = FileHandle.nullDevice
        try server.run()
        process.withLock { $0 = server }
        _ = try await eventually("redis-server in \(directory.path)") { try answers(server) ? true : nil }
    }

    /// One command by redis-cli, for looking behind the adapter.
    @discardableResult
    package func cli(_ arguments: String...) throws -> String {
        let client = Process()
        client.executableURL = URL(fileURLWithPath: "/usr/bin/redis-cli")
        client.arguments = ["-s", socket] + arguments
        let output = Pipe()
        client.standardOutput = output
        client.standardError = FileHandle.nullDevice
        client.standardInput = FileHandle.nullDevice
        try client.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        client.waitUntilExit()
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func answers(_ server: Process) throws -> Bool {
        guard server.isRunning else {
            let log = try? String(contentsOfFile: directory.file("redis.log"), encoding: .utf8)
            throw CodeForgeError(.unavailable, "redis-server ended: \(log?.suffix(300) ?? "no log")")
        }
        return try cli("PING") == "PONG"
    }
}
