import CurlHTTP
package import Domain
import Foundation

/// A real `codeforge serve` with its embedded Redis, its own data directory, and everything it starts.
package final class ServerFixture: Sendable {
    package let directory: String
    package let images: String
    private let environment: [String: String]
    private let flags: [String]
    private let transport = CurlTransport()
    nonisolated(unsafe) package private(set) var process: ChildProcess  // replaced by the one test that owns it
    nonisolated(unsafe) package private(set) var port: Int

    package static let token = "test-token-\(UUID().uuidString)"

    /// Starts a server, runs `body`, and removes every trace of it, also after a failure.
    package static func with(
        _ extra: [String: String] = [:], flags: [String] = [], _ body: (ServerFixture) async throws -> Void
    ) async throws {
        let server = try await ServerFixture(extra, flags)
        do {
            try await body(server)
        } catch {
            print("server output:\n\(server.process.output.suffix(4000))\n\(server.supervisorLogs().suffix(4000))")
            await server.tearDown()
            throw error
        }
        await server.tearDown()
    }

    private init(_ extra: [String: String], _ flags: [String]) async throws {
        self.flags = flags
        images = try BuiltProducts.images()
        var template = Array("/tmp/cf-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure("no temporary directory") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        environment = [
            "CODEFORGE_DATA_DIR": directory + "/data", "CODEFORGE_SERVER__AUTH_TOKEN": ServerFixture.token,
            "CODEFORGE_ENCRYPTION__KEY": Data(repeating: 7, count: 32).base64EncodedString(),
            "CODEFORGE_SERVER__PORT": "0", "CODEFORGE_SANDBOX__IMAGE_DIR": images,
            "CODEFORGE_RATE_LIMIT__ENABLED": "false", "CODEFORGE_GIT__ALLOWED_LOCAL_ROOTS": directory + "/repos",
            "CODEFORGE_CLI__DEFAULT": "shell",
        ].merging(extra) { $1 }
        (process, port) = try await ServerFixture.start(environment, flags)
    }

    private static func start(
        _ environment: [String: String], _ flags: [String]
    ) async throws -> (ChildProcess, Int) {
        let process = try ChildProcess(
            try BuiltProducts.executable("codeforge"), ["serve"] + flags, environment: environment)
        let port = try await process.output(matching: #""port":"?(\d+)"#)
        return (process, Int(port) ?? 0)
    }

    /// Ends the server by `signal` and starts another on the same data directory.
    package func restart(signal: Int32) async throws {
        process.signal(signal)
        try await process.wait()
        (process, port) = try await ServerFixture.start(environment, flags)
    }

    // MARK: Requests

    package func request(
        _ method: String, _ path: String, _ body: JSONValue? = nil, headers: [String: String] = [:]
    ) async throws -> (status: Int, json: JSONValue) {
        try await answer(
            method, path, headerList(headers), try body.map { .bytes(Array(try JSONEncoder().encode($0))) } ?? .none)
    }

    /// Posts these very bytes, as a stranger without a token does.
    package func post(
        _ path: String, _ bytes: [UInt8], headers: HeaderList
    ) async throws -> (status: Int, json: JSONValue) {
        try await answer("POST", path, headers, .bytes(bytes))
    }

    private func answer(
        _ method: String, _ path: String, _ headers: HeaderList, _ body: TransportRequest.Body
    ) async throws -> (status: Int, json: JSONValue) {
        let response = try await transport.send(
            TransportRequest(
                method: method, url: "http://127.0.0.1:\(port)\(path)", headers: headers, body: body,
                limits: TransportLimits(total: .seconds(30)),
                addresses: AddressRule(exceptions: ["127.0.0.1:\(port)"])))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        let json = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        return (response.status, json ?? .string(String(decoding: bytes, as: UTF8.self)))
    }

    private func headerList(_ extra: [String: String]) -> HeaderList {
        var headers: HeaderList = ["authorization": "Bearer \(ServerFixture.token)"]
        for (name, value) in extra { headers.append(name, value) }
        return headers
    }

    /// Creates a task; a shell script unless `config` says otherwise.
    package func create(
        _ prompt: String, repo: String, config: [String: JSONValue] = [:], extra: [String: JSONValue] = [:]
    ) async throws -> String {
        var body: [String: JSONValue] = ["repo_url": .string(repo), "prompt": .string(prompt)]
        if !config.isEmpty { body["config"] = .object(config) }
        let answer = try await request("POST", "/api/v1/tasks", .object(body.merging(extra) { $1 }))
        guard answer.status == 201, let id = answer.json["id"]?.stringValue else { throw Failure("\(answer)") }
        return id
    }

    package func task(_ id: String, iterations: Bool = false) async throws -> JSONValue {
        let answer = try await request("GET", "/api/v1/tasks/\(id)" + (iterations ? "?include=iterations" : ""))
        try require(answer.status == 200, "\(answer)")
        return answer.json
    }

    /// Polls until the task is in one of `statuses`.
    @discardableResult
    package func wait(_ id: String, for statuses: String..., seconds: Double = 60) async throws -> JSONValue {
        var last = JSONValue.null
        for _ in 0..<Int(seconds * 20) {
            last = try await task(id)
            if let status = last["status"]?.stringValue, statuses.contains(status) { return last }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure("task \(id) did not reach \(statuses): \(last)")
    }

    package func finished(_ id: String, seconds: Double = 60) async throws -> JSONValue {
        try await wait(id, for: "completed", "failed", seconds: seconds)
    }

    // MARK: Stream

    /// A frame of the stream.
    package struct Frame: Sendable, Equatable {
        package var event: String?
        package var id: String?
        package var data: JSONValue
        /// The `event` member of an unnamed frame.
        package var name: String { event ?? data["event"]?.stringValue ?? "" }
    }

    /// Reads the stream to its end (`done`, or the connection's), giving each frame to `body`, which may stop it.
    package func stream(
        _ id: String, lastEventID: String? = nil, _ body: (Frame) throws -> Bool = { _ in true }
    ) async throws { try await stream(path: "tasks/\(id)", lastEventID: lastEventID, body) }

    /// Likewise that of whatever `path` names.
    package func stream(
        path: String, lastEventID: String? = nil, _ body: (Frame) throws -> Bool = { _ in true }
    ) async throws {
        let response = try await transport.send(
            TransportRequest(
                url: "http://127.0.0.1:\(port)/api/v1/\(path)/stream",
                headers: headerList(lastEventID.map { ["Last-Event-ID": $0] } ?? [:]),
                limits: TransportLimits(idle: .seconds(60), total: .seconds(300)),
                addresses: AddressRule(exceptions: ["127.0.0.1:\(port)"])))
        try require(response.status == 200, "stream: status \(response.status)")
        var buffer: [UInt8] = []
        var frame = Frame(data: .null)
        var hasData = false
        for try await chunk in response.body {
            buffer += chunk
            var start = buffer.startIndex
            while let end = buffer[start...].firstIndex(of: 10) {
                let line = String(decoding: buffer[start..<end], as: UTF8.self)
                start = end + 1
                if line.isEmpty {
                    if hasData, try !body(frame) { return }
                    frame = Frame(data: .null)
                    hasData = false
                } else if line.hasPrefix("event: ") {
                    frame.event = String(line.dropFirst(7))
                } else if line.hasPrefix("id: ") {
                    frame.id = String(line.dropFirst(4))
                } else if line.hasPrefix("data: ") {
                    frame.data = try JSONDecoder().decode(JSONValue.self, from: Data(line.dropFirst(6).utf8))
                    hasData = true
                }
            }
            buffer.removeSubrange(..<start)
        }
    }

    /// All frames of a task's stream.
    package func frames(_ id: String) async throws -> [Frame] {
        var frames: [Frame] = []
        try await stream(id) { frame in
            frames.append(frame)
            return true
        }
        return frames
    }

    // MARK: Repositories

    /// A bare repository with `files` on branch `main`, under the allowed local root.
    package func makeRepository(_ files: [String: String] = ["README.md": "hello\n"]) throws -> String {
        try HostRepository.make(files, under: directory)
    }

    @discardableResult
    package func shell(_ script: String) throws -> String { try HostRepository.shell(script) }

    /// Runs a script of the test in a task's work tree, once no supervisor has it.
    @discardableResult
    package func inWorkspace(of id: String, _ script: String) throws -> String {
        try withFiles(
            of: id, "cd workspace; \(script)", orIn: "cd '\(directory)'/data/workspaces/*\(id.prefix(8)); \(script)")
    }

    /// Likewise in its host-owned git directory.
    @discardableResult
    package func inGitDirectory(of id: String, _ script: String) throws -> String {
        try withFiles(of: id, "cd git; \(script)", orIn: "cd '\(directory)'/data/git/\(id); \(script)")
    }

    private func withFiles(of id: String, _ script: String, orIn directories: String) throws -> String {
        let folder = directory + "/data/workspaces"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        guard let volume = names.first(where: { $0.hasSuffix("\(id.prefix(8)).ext4") }) else {
            return try shell("set -e; \(directories)")
        }
        let mounted = "set -e; mount -o loop,ro \(folder)/\(volume) /mnt; cd /mnt; \(script)"
        return try shell("flock -w 20 '\(folder)/\(volume)' unshare -m sh -c \(ServerFixture.quoted(mounted))")
    }

    private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: #"'\''"#) + "'" }

    // MARK: Processes

    /// Processes of this installation whose command line contains all of `words`.
    package func pids(_ words: String...) -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { Int32($0) }.filter { pid in
            guard let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
            let text = String(decoding: line, as: UTF8.self)
            return words.allSatisfy { text.contains($0) }
        }
    }

    package func supervisor(of task: String) -> Int32? { pids("codeforge-supervisor", task).first }
    /// The embedded Redis; it is known by the directory it works in.
    package var redis: Int32? {
        pids("redis-server").first { pid in
            let folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
            return folder == directory + "/data/redis"
        }
    }

    private func supervisorLogs() -> String {
        (try? shell("cat '\(directory)'/data/runs/*/supervisor.log 2>/dev/null || true")) ?? ""
    }

    private func tearDown() async {
        process.signal(SIGTERM)
        _ = try? await process.wait(seconds: 20)
        let runs = (try? FileManager.default.contentsOfDirectory(atPath: directory + "/data/runs")) ?? []
        for task in runs { for pid in pids("codeforge-supervisor", task) { kill(pid, SIGKILL) } }
        if let redis { kill(redis, SIGKILL) }
        for _ in 0..<100 where redis != nil { try? await Task.sleep(for: .milliseconds(20)) }
        _ = try? shell("rm -rf '\(directory)'")
    }
}
