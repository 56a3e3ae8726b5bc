import Foundation
import ServerKit
import TestKit
import Testing

/// How the service starts, and why it does not.
@Suite(.serialized) struct StartTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func start(
        _ change: [String: String?] = [:], _ arguments: [String] = ["serve"]
    ) throws -> ChildProcess {
        var environment = [
            "CODEFORGE_DATA_DIR": directory.path + "/data", "CODEFORGE_SERVER__AUTH_TOKEN": "token",
            "CODEFORGE_ENCRYPTION__KEY": Data(repeating: 7, count: 32).base64EncodedString(),
            "CODEFORGE_SERVER__PORT": "0",
        ]
        for (name, value) in change { environment[name] = value }
        return try ChildProcess(try BuiltProducts.executable("codeforge"), arguments, environment: environment)
    }

    @Test(
        arguments: [
            (["CODEFORGE_ENCRYPTION__KEY": "short"], "encryption.key"),
            (["CODEFORGE_ENCRYPTION__KEY": nil], "CODEFORGE_ENCRYPTION__KEY"),
            (["CODEFORGE_SERVER__AUTH_TOKEN": nil], "CODEFORGE_SERVER__AUTH_TOKEN"),
            (["CODEFORGE_REDIS__URL": "redis://127.0.0.1:1"], "redis.url: Redis does not answer"),
            (["CODEFORGE_SQLITE__PATH": "/proc/nowhere/codeforge.db"], "/proc/nowhere"),
        ] as [([String: String?], String)])
    func whatItCannotStartWithIsNamed(_ change: [String: String?], _ text: String) async throws {
        let process = try start(change)
        #expect(try await process.wait() == 1)
        #expect(process.output.contains(text), "\(process.output)")
        let (files, redis) = (FileManager.default, directory.path + "/data/redis")
        let left = try files.contentsOfDirectory(atPath: "/proc").filter { name in
            Int(name) != nil && (try? files.destinationOfSymbolicLink(atPath: "/proc/\(name)/cwd")) == redis
        }
        #expect(left.isEmpty, "its Redis is still there: \(left)")
    }

    /// As the reference implementation has it: no argument serves.
    @Test func withoutArgumentsItServes() async throws {
        let process = try start([:], [])
        _ = try await process.output(matching: #""msg":"listening""#)
        // Nothing is installed in this data directory.
        #expect(process.output.contains(#""cli":"claude-code""#), "what is missing is only a warning")
        process.signal(SIGTERM)
        #expect(try await process.wait() == 0)
        let help = try start([:], ["--help"])
        #expect(try await help.wait() == 0 && help.output.contains("SUBCOMMANDS"), "\(help.output)")
        let wrong = try start([:], ["no-such-command"])
        #expect(try await wrong.wait() == 2, "\(wrong.output)")
    }

    @Test func hangingUpReadsTheLogLevelAgain() async throws {
        let file = directory.path + "/codeforge.yaml"
        try "logging: {level: info}\n".write(toFile: file, atomically: true, encoding: .utf8)
        let process = try start(["CODEFORGE_CONFIG": file])
        _ = try await process.output(matching: #""msg":"listening""#)
        try "logging: {level: debug}\nworkers: {concurrency: 9}\n".write(
            toFile: file, atomically: true, encoding: .utf8)
        process.signal(SIGHUP)
        let line = try await process.output(matching: #"(.*"msg":"configuration read again".*)"#)
        #expect(line.contains(#""level_now":"debug""#) && line.contains("workers.concurrency"), "\(line)")
        try "logging: {level: wrong}\n".write(toFile: file, atomically: true, encoding: .utf8)
        process.signal(SIGHUP)
        _ = try await process.output(matching: #""msg":"configuration not read again""#)
        process.signal(SIGTERM)
        #expect(try await process.wait() == 0)
    }

    @Test func systemdIsToldWhatBecomesOfIt() async throws {
        let path = directory.path + "/notify"
        let socket = try NotifySocket(path)
        let process = try start(["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"])
        _ = try await process.output(matching: #""msg":"listening""#)
        var seen: Set<String> = []
        while seen.count < 2, let message = await socket.next() { seen.insert(message) }
        #expect(seen.contains("WATCHDOG=1") && seen.contains { $0.hasPrefix("READY=1\n") }, "\(seen)")
        process.signal(SIGTERM)
        var last = await socket.next()
        while last == "WATCHDOG=1" { last = await socket.next() }
        #expect(last?.contains("STOPPING=1") == true, "\(last ?? "")")
        #expect(try await process.wait() == 0)
    }
}

/// What `systemd` listens on, see sd_notify(3).
private final class NotifySocket: Sendable {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else { throw Failure("cannot bind \(path)") }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// The next message; `nil` after 30 s without one.
    func next() async -> String? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = recv(descriptor, &buffer, buffer.count, 0)
                continuation.resume(returning: count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil)
            }
        }
    }
}
