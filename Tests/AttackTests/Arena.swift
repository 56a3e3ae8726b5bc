import CurlHTTP
import Domain
import Foundation
import Gateway
import Glibc
import HostProcess
import ServerKit
import Synchronization
import TestKit
import Testing

@testable import Sandboxing

/// What the attacks are run against: a launcher, a host worth attacking, and one real server for all of them.
final class Arena: Sendable {
    /// What a probe came to.
    struct Outcome: Sendable {
        enum Verdict: String { case refused, breached, none }
        var verdict: Verdict
        var detail: String
        var output: String
        var exit: SandboxExit?
        var decisions: [GatewayDecision] = []
    }

    @TaskLocal static var current: Arena?

    static let gatewayPort: UInt16 = 61_999
    /// Never to be seen inside.
    static let secret = "attack-secret-\(UUID().uuidString)"
    static var isRoot: Bool { geteuid() == 0 }

    let directory: String
    let image: String
    let shim: String
    let server: ServerFixture
    /// A service of the host on loopback, which is also the upstream of the gateway.
    let host: LocalServer
    /// A process of the host: what a probe outside any sandbox aims at in place of pid 1.
    let bystander: HostProcess
    private let abstractSocket: Int32
    private let sharedMemory: Int32
    private static let sharedMemoryKey: Int32 = 0x7a11_ac4b

    /// Upstreams answer anything with what they were sent.
    static func makeHost() -> LocalServer {
        LocalServer { socket in
            guard var bytes = socket.read(), !bytes.isEmpty else { return }
            // A body that comes later is waited for, though not long.
            var more = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            while String(decoding: bytes, as: UTF8.self).lowercased().contains("transfer-encoding"),
                poll(&more, 1, 500) == 1, let part = socket.read(), !part.isEmpty
            { bytes += part }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
            _ = socket.write(head + "\(bytes.count)\r\n\r\n")
            _ = socket.write(String(decoding: bytes, as: UTF8.self))
        }
    }

    init(_ server: ServerFixture, _ host: LocalServer) throws {
        self.server = server
        self.host = host
        directory = server.directory + "/arena"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        chmod(server.directory, 0o755)
        chmod(directory, 0o755)
        image = server.images + "/base/rootfs"
        shim = try BuiltProducts.executable("codeforge-sandbox")
        try Arena.secret.write(toFile: directory + "/secret", atomically: false, encoding: .utf8)
        bystander = try HostProcess.start(
            "/usr/bin/python3", ["python3", "-c", "import time; time.sleep(3000)", Arena.secret],
            environment: ["SECRET": Arena.secret])
        abstractSocket = Arena.listenAbstract()
        sharedMemory = shmget(key_t(Arena.sharedMemoryKey), 4096, 0o1666)
    }

    deinit {
        kill(bystander.pid, SIGKILL)
        _ = bystander.waitBlocking()
        close(abstractSocket)
        shmctl(sharedMemory, IPC_RMID, nil)
    }

    private static let abstractName = "codeforge-attack-\(getpid())"

    private static func listenAbstract() -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(abstractName.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in name.enumerated() { path[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.count)
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        listen(descriptor, 8)
        return descriptor
    }

    /// What a probe needs to know of the host, the same inside and outside.
    private func variables(target: Int32) -> [String: String] {
        [
            "ATTACK_TARGET": "\(target)", "ATTACK_HOST_PID": "\(bystander.pid)", "ATTACK_HOST_PORT": "\(host.port)",
            "ATTACK_FILE": directory + "/secret", "ATTACK_ABSTRACT": Arena.abstractName,
            "ATTACK_SHM_KEY": "\(Arena.sharedMemoryKey)", "ATTACK_API_PORT": "\(server.port)",
            "PATH": "/usr/bin:/bin", "HOME": "/home/agent", "LANG": "C.UTF-8",
        ]
    }

    // MARK: In a sandbox of the launcher

    /// Runs a probe in a sandbox of its own with a gateway beside it.
    func launch(
        _ program: String, without: Set<SandboxLayer> = [], omitting: Set<String> = [], relays: Bool = false,
        change: (inout SandboxRequest) -> Void = { _ in }
    ) async throws -> Outcome {
        let sandbox = try await start(program, without: without, omitting: omitting, change: change)
        let decisions = Decisions()
        var gateway: GatewayServer?
        if let listener = sandbox.gateway {
            if relays {
                let port = host.port
                let descriptor = listener.take()
                LocalThread.start { Relay.serve(descriptor, to: port) }
            } else {
                let server = GatewayServer(
                    descriptor: listener.take(), policy: try policy(), transport: CurlTransport(),
                    resolver: SystemResolver(), audit: { decisions.add($0) })
                try await server.start()
                gateway = server
            }
        }
        let watchdog = Task {
            try await Task.sleep(for: .seconds(30))
            sandbox.kill()
        }
        async let output = Arena.drain(sandbox.standardOutput)
        async let errors = Arena.drain(sandbox.standardError)
        let exit = await sandbox.wait()
        watchdog.cancel()
        let text = await output + "\n" + errors
        await gateway?.stop()
        var outcome = Arena.judge(text)
        outcome.exit = exit
        outcome.decisions = decisions.all
        return outcome
    }

    /// Starts a probe; whoever calls reads and waits.
    func start(
        _ program: String, without: Set<SandboxLayer> = [], omitting: Set<String> = [],
        change: (inout SandboxRequest) -> Void = { _ in }
    ) async throws -> RunningSandbox {
        var configuration = SandboxLauncher.Configuration(shim: shim, require: [])
        configuration.leaveOut = without
        configuration.omitted = omitting
        var request = SandboxRequest(
            id: "attack", profile: .code, image: image, arguments: Arena.python + [program],
            environment: variables(target: 1), workingDirectory: "/tmp", gatewayPort: Arena.gatewayPort)
        change(&request)
        // Deliberately not close-on-exec: whatever the launcher's process holds may not come along.
        let leak = open("/", O_RDONLY)
        defer { close(leak) }
        return try await SandboxLauncher(configuration).launch(request)
    }

    private static let python = ["/usr/bin/python3", "-I", "-S", "-c"]

    /// Runs a probe as one more command in a sandbox whose own payload only waits.
    func enter(_ attack: Attack, without: Set<SandboxLayer> = []) async throws -> Outcome {
        guard case .probe(let probe) = attack.body else { throw Failure("\(attack) is a scene") }
        let sandbox = try await start("", without: without) { $0.arguments = ["/bin/sleep", "60"] }
        async let nothing = Arena.drain(sandbox.standardOutput)
        async let errors = Arena.drain(sandbox.standardError)
        let (read, write) = try ShimSpawn.pipe()
        async let output = Arena.drain(read)
        let null = HostDescriptor(open("/dev/null", O_RDWR | O_CLOEXEC))
        var refused: CodeForgeError?
        do throws(CodeForgeError) {
            _ = try await sandbox.execute(
                Arena.python + [Prelude.program(probe)], environment: variables(target: 1), workingDirectory: "/tmp",
                input: null.raw, output: write.raw, errors: write.raw)
        } catch { refused = error }
        write.close()
        sandbox.kill()
        var outcome = Arena.judge(await output + (await nothing) + (await errors))
        outcome.exit = await sandbox.wait()
        if let refused { throw refused }
        return outcome
    }

    func launch(
        _ attack: Attack, without: Set<SandboxLayer> = [], omitting: Set<String> = [], relays: Bool = false,
        change: (inout SandboxRequest) -> Void = { _ in }
    ) async throws -> Outcome {
        guard case .probe(let probe) = attack.body else { throw Failure("\(attack) is a scene") }
        return try await launch(Prelude.program(probe), without: without, omitting: omitting, relays: relays) {
            request in
            attack.change?(&request)
            change(&request)
        }
    }

    /// Names an operator may list; `localhost` stands for one whose owner lets it point inwards.
    static func egress(_ host: LocalServer) -> [String] {
        ["allowed.example", "*.sub.example", "localhost:\(host.port)"]
    }

    private func policy() throws -> GatewayPolicy {
        var policy = GatewayPolicy(
            anthropic: .init(baseURL: "http://127.0.0.1:\(host.port)", apiKey: Arena.secret),
            openai: .init(baseURL: "http://127.0.0.1:\(host.port)", apiKey: Arena.secret),
            git: .init(repositoryURL: "http://127.0.0.1:\(host.port)/owner/repo.git", token: Arena.secret),
            addresses: try AddressRule(exceptions: ["127.0.0.1:\(host.port)"]))
        policy.egress = try EgressList(Arena.egress(host))
        // Low enough to be met on a slow machine.
        policy.limits.connectionsPerSecond = 30
        return policy
    }

    // MARK: Outside any sandbox

    /// Runs a probe on the host, below `words`.
    func outside(_ attack: Attack, _ words: [String]) async throws -> Outcome {
        guard case .probe(let probe) = attack.body else { throw Failure("\(attack) is a scene") }
        let program = Prelude.program(probe)
        let arguments = words + ["/usr/bin/python3", "-I", "-S", "-c", program]
        let environment = variables(target: bystander.pid)
        let folder = directory + "/outside"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return try await LocalThread.run { () -> Result<Outcome, any Error> in
            Result {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                process.arguments = arguments
                process.environment = environment
                process.currentDirectoryURL = URL(fileURLWithPath: folder)
                let pipe = Pipe()
                process.standardOutput = pipe
                process.standardError = pipe
                try process.run()
                let data = pipe.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                return Arena.judge(String(decoding: data, as: UTF8.self))
            }
        }.get()
    }

    // MARK: As a task

    /// Runs a probe as a `shell` task of the server.
    func task(_ attack: Attack) async throws -> (id: String, outcome: Outcome, frames: [ServerFixture.Frame]) {
        guard case .probe(let probe) = attack.body else { throw Failure("\(attack) is a scene") }
        let exports = variables(target: 1).filter { $0.key.hasPrefix("ATTACK_") }.sorted { $0.key < $1.key }
            .map { "export \($0.key)='\($0.value)'\n" }.joined()
        let script =
            exports + "cd /tmp\nexec python3 -I -S - <<'END OF ATTACK'\n\(Prelude.program(probe))\nEND OF ATTACK\n"
        let id = try await server.create(script, repo: Repositories.plain(self))
        let frames = try await server.frames(id)
        let lines = frames.filter { $0.name == "output" }.compactMap { $0.data["data"]?["content"]?.stringValue }
        return (id, Arena.judge(lines.joined(separator: "\n")), frames)
    }

    // MARK: Small things

    static func judge(_ text: String) -> Outcome {
        let line = text.split(separator: "\n").last { $0.hasPrefix("VERDICT ") } ?? ""
        let words = line.split(separator: " ", maxSplits: 2).map(String.init)
        return Outcome(
            verdict: words.count > 1 ? Outcome.Verdict(rawValue: words[1]) ?? .none : .none,
            detail: words.count > 2 ? words[2] : "", output: text)
    }

    static func drain(_ descriptor: HostDescriptor, limit: Int = 1 << 20) async -> String {
        await LocalThread.run {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = Glibc.read(descriptor.raw, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { break }
                if bytes.count < limit { bytes += buffer[..<count] }
            }
            descriptor.close()
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The next line, read byte by byte.
    static func line(_ descriptor: HostDescriptor) async -> String {
        await LocalThread.run {
            var bytes: [UInt8] = []
            var byte: UInt8 = 0
            while Glibc.read(descriptor.raw, &byte, 1) == 1, byte != 0x0A { bytes.append(byte) }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// What the service has on record of a task.
    func audit(_ id: String) async throws -> [JSONValue] {
        let answer = try await server.request("GET", "/api/v1/tasks/\(id)?include=audit")
        guard case .array(let records)? = answer.json["audit"] else { throw Failure("no audit: \(answer)") }
        return records
    }

    /// Processes of this host, in whatever namespace, whose command line has `word`.
    static func processes(_ word: String) -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { Int32($0) }.filter { pid in
            guard pid != getpid(), let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else {
                return false
            }
            return String(decoding: line, as: UTF8.self).contains(word)
        }
    }

    private final class Decisions: Sendable {
        private let list = Mutex<[GatewayDecision]>([])
        func add(_ decision: GatewayDecision) { list.withLock { $0.append(decision) } }
        var all: [GatewayDecision] { list.withLock { $0 } }
    }
}

/// The gateway's place taken by something that thinks nothing: bytes go to the upstream and back.
enum Relay {
    static func serve(_ listener: Int32, to port: UInt16) {
        defer { close(listener) }
        while true {
            var ready = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            // Nobody connects any more once the sandbox is gone; its probes take seconds.
            guard poll(&ready, 1, 5_000) == 1 else { return }
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            _ = fcntl(client, F_SETFL, 0)
            LocalThread.start {
                let inside = LocalSocket(owning: client)
                guard let outside = LocalSocket.connect(port: port), let bytes = inside.read() else { return }
                _ = outside.write(String(decoding: bytes, as: UTF8.self))
                _ = inside.write(String(decoding: outside.readToEnd(), as: UTF8.self))
                inside.shut()
            }
        }
    }
}

/// One arena around all tests of a suite.
struct ArenaTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void
    ) async throws {
        let host = Arena.makeHost()
        let profiles = try TemporaryDirectory()
        try """
        extends: code
        limits: {memory_bytes: 96 MiB, pids: 32, disk_bytes: 64 MiB, disk_inodes: 4096}
        """.write(toFile: profiles.file("tiny.yaml"), atomically: false, encoding: .utf8)
        let settings = [
            "ANTHROPIC_API_KEY": Arena.secret, "OPENAI_API_KEY": Arena.secret,
            "CODEFORGE_GATEWAY__ANTHROPIC_URL": "http://127.0.0.1:\(host.port)",
            "CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS": "127.0.0.1:\(host.port)",
            "CODEFORGE_GATEWAY__EGRESS": Arena.egress(host).joined(separator: ","),
            "CODEFORGE_SANDBOX__OUTPUT_BYTES": "4000000", "CODEFORGE_SANDBOX__LINE_BYTES": "65536",
            "CODEFORGE_TASKS__DEFAULT_TIMEOUT": "60", "CODEFORGE_SANDBOX__PROFILES_DIR": profiles.path,
            "CODEFORGE_SANDBOX__PROFILES__REPOSITORIES": #"{"/tmp/*/repos/tiny-*": "tiny"}"#,
        ]
        try await ServerFixture.with(settings) { server in
            let arena = try Arena(server, host)
            try await Arena.$current.withValue(arena) { try await body() }
        }
        host.stop()
    }
}

extension Trait where Self == ArenaTrait {
    static var arena: ArenaTrait { ArenaTrait() }
}
