import CurlHTTP
import Domain
import Gateway
import Glibc
import Synchronization
import TestKit
import Testing

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

let modelKey = "sk-ant-test-0123456789abcdef"
let gitToken = "ghp_test_0123456789abcdef"

/// One request as an upstream got it.
struct SeenRequest: Sendable {
    var method: String
    var target: String
    /// Names in lower case.
    var headers: HeaderList
    var body: [UInt8]

    /// Reads one from a blocking socket, body included; `nil` at the end of the connection.
    static func read(_ socket: LocalSocket, _ rest: inout [UInt8], body wantsBody: Bool = true) -> SeenRequest? {
        func more() -> Bool {
            guard let bytes = socket.read(), !bytes.isEmpty else { return false }
            rest += bytes
            return true
        }
        let mark = Array("\r\n\r\n".utf8)
        while !rest.contains(mark) { guard more() else { return nil } }
        guard let range = rest.firstRange(of: mark) else { return nil }
        let lines = text(Array(rest[..<range.lowerBound])).split(separator: "\r\n").map(String.init)
        rest = Array(rest[range.upperBound...])
        let parts = lines[0].split(separator: " ").map(String.init)
        var headers = HeaderList()
        for line in lines.dropFirst() {
            let colon = line.firstIndex(of: ":")!
            headers.append(
                line[..<colon].lowercased(),
                String(line[line.index(after: colon)...].drop { $0 == " " })
            )
        }
        var request = SeenRequest(method: parts[0], target: parts[1], headers: headers, body: [])
        guard wantsBody else { return request }
        if let length = headers["content-length"].flatMap(Int.init) {
            while rest.count < length { guard more() else { return nil } }
            request.body = Array(rest.prefix(length))
            rest.removeFirst(length)
        } else if headers["transfer-encoding"] == "chunked" {
            while true {
                while !rest.contains(Array("\r\n".utf8)) { guard more() else { return nil } }
                let line = rest.firstRange(of: Array("\r\n".utf8))!
                let size = Int(text(Array(rest[..<line.lowerBound])), radix: 16)!
                rest = Array(rest[line.upperBound...])
                while rest.count < size + 2 { guard more() else { return nil } }
                request.body += rest.prefix(size)
                rest.removeFirst(size + 2)
                if size == 0 { break }
            }
        }
        return request
    }
}

/// An upstream that records what it gets and answers as the test says.
final class Upstream: Sendable {
    private let seenRequests: Shared<[SeenRequest]>
    let server: LocalServer

    var port: UInt16 { server.port }
    var seen: [SeenRequest] { seenRequests.value.withLock { $0 } }

    /// - Parameter answer: Writes the whole answer; `false` ends the connection.
    init(_ answer: @escaping @Sendable (SeenRequest, LocalSocket) -> Bool = Upstream.ok) {
        let seen = Shared<[SeenRequest]>([])
        seenRequests = seen
        server = LocalServer { socket in
            var rest: [UInt8] = []
            while let request = SeenRequest.read(socket, &rest) {
                seen.value.withLock { $0.append(request) }
                guard answer(request, socket) else { return }
            }
        }
    }

    static let ok: @Sendable (SeenRequest, LocalSocket) -> Bool = { _, socket in
        socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    }
}

final class Shared<Value>: Sendable where Value: Sendable {
    let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
}

/// A gateway on a real socket in front of an upstream on another.
struct GatewayHarness: Sendable {
    let server: GatewayServer
    let port: UInt16
    let decisions: Shared<[GatewayDecision]>

    static func policy(_ port: UInt16) throws -> GatewayPolicy {
        var policy = GatewayPolicy(
            anthropic: .init(baseURL: "http://127.0.0.1:\(port)/up", apiKey: modelKey),
            openai: .init(baseURL: "http://127.0.0.1:\(port)/v1/", apiKey: modelKey),
            git: .init(repositoryURL: "http://127.0.0.1:\(port)/Owner/repo.git", token: gitToken),
            addresses: try AddressRule(exceptions: ["127.0.0.1:\(port)"])
        )
        // Bodies and the rate of connections have tests of their own.
        policy.modelTools = .any
        policy.limits.connectionsPerSecond = 100_000
        return policy
    }

    static func run<Result>(
        _ policy: GatewayPolicy,
        transport: any HTTPTransport = CurlTransport(),
        resolver: any NameResolver = SystemResolver(),
        _ body: (GatewayHarness) async throws -> Result
    ) async throws -> Result {
        let (descriptor, port) = LocalSocket.listen()
        let decisions = Shared<[GatewayDecision]>([])
        let server = GatewayServer(
            descriptor: descriptor, policy: policy, transport: transport, resolver: resolver
        ) { decision in
            decisions.value.withLock { $0.append(decision) }
        }
        try await server.start()
        let harness = GatewayHarness(server: server, port: port, decisions: decisions)
        do {
            let result = try await body(harness)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    /// Sends raw bytes and returns everything until the gateway closes.
    func exchange(_ raw: String) async -> String {
        let port = port
        return await LocalThread.run {
            guard let socket = LocalSocket.connect(port: port) else { return "no connection" }
            socket.write(raw)
            return text(socket.readToEnd())
        }
    }

    func connect() -> LocalSocket { LocalSocket.connect(port: port)! }

    /// Decisions once there are `count` of them.
    func decisions(_ count: Int) async throws -> [GatewayDecision] {
        for _ in 0..<500 {
            let all = decisions.value.withLock { $0 }
            if all.count >= count { return all }
            try await Task.sleep(for: .milliseconds(10))
        }
        return decisions.value.withLock { $0 }
    }
}

func post(_ target: String, _ body: String, _ headers: String = "") -> String {
    "POST \(target) HTTP/1.1\r\nHost: gateway\r\n\(headers)Connection: close\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n"
        + body
}

func get(_ target: String, _ headers: String = "") -> String {
    "GET \(target) HTTP/1.1\r\nHost: gateway\r\n\(headers)Connection: close\r\n\r\n"
}
