import Domain
import Foundation
import ServerKit
import TestKit
import Testing
import Vault

/// Ten thousand requests nobody would send, over sockets, to the real server with all its stores: well-formed ones with
/// wrong contents, and bytes that are no HTTP. The same ones in every run.
@Suite(.serialized) struct HostileWireTests {
    private static let total = 10_000
    private static let connections: UInt64 = 8

    @Test func noBytesAreAFaultOfOurs() async throws {
        // Where keys go that name no place of their own.
        let forge = ForgeServer.start()
        let settings = [
            "CODEFORGE_FORGES__GITHUB_API_URL": forge.githubAPI, "CODEFORGE_FORGES__GITLAB_API_URL": forge.gitlabAPI,
            "CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS": forge.authority,
            // One worker, which is busy: what the requests create stays pending.
            "CODEFORGE_WORKERS__CONCURRENCY": "1", "CODEFORGE_CODE_REVIEW__DEFAULT_KEY_NAME": "bot",
            "CODEFORGE_CODE_REVIEW__WEBHOOK_SECRETS__GITHUB": HostileRequest.secret,
            "CODEFORGE_CODE_REVIEW__WEBHOOK_SECRETS__GITLAB": HostileRequest.secret,
        ]
        try await ServerFixture.with(settings) { server in
            let repository = try server.makeRepository()
            let done = try await server.create("echo more >> README.md", repo: repository)
            let failed = try await server.create("exit 3", repo: repository)
            for id in [done, failed] { _ = try await server.finished(id) }
            let busy = try await server.create("sleep 900", repo: repository)
            try await server.wait(busy, for: "running")
            var tokens = [ServerFixture.token, ServerFixture.token, "nobodys"]
            for role in ["read", "submit"] { tokens.append(try await Self.token(server, role)) }
            let operations = try await Self.operations(server)
            try #require(operations.count > 50, "\(operations)")
            let pid = server.process.pid

            let port = UInt16(server.port)
            let plan = HostileRequest.Plan(operations: operations, tasks: [done, failed, "x"], tokens: tokens)
            let outcome = await withTaskGroup(of: Outcome.self) { group in
                for seed in 1...Self.connections {
                    group.addTask {
                        await LocalThread.run { Self.send(Self.total / Int(Self.connections), plan, seed, to: port) }
                    }
                }
                return await group.reduce(into: Outcome()) { $0.add($1) }
            }
            #expect(outcome.faults == [], "\(outcome.faults.prefix(5))")
            #expect(outcome.statuses.values.reduce(0, +) > Self.total / 2, "\(outcome.statuses)")
            // It did not just knock at the door.
            for status in [200, 201, 400, 401, 403, 404, 405] {
                #expect(outcome.statuses[status, default: 0] > 20, "\(status): \(outcome.statuses)")
            }
            #expect(server.process.isRunning && server.process.pid == pid)
            #expect(try await server.request("GET", "/health").status == 200)
            #expect(try await server.task(busy)["status"] == "running", "what runs was not disturbed")
        }
    }

    private static func token(_ server: ServerFixture, _ role: String) async throws -> String {
        let made = try await Commands.run(
            server, ["token", "create", role, "--role", role, "--json"],
            environment: ["CODEFORGE_DATA_DIR": server.directory + "/data"])
        let line = made.output.split(separator: "\n").first { $0.contains("token") } ?? ""
        let all = try JSONDecoder().decode(JSONValue.self, from: Data(made.output.utf8))
        return try #require(all["token"]?.stringValue, "\(line)")
    }

    /// Method and path template of each operation that the server describes.
    private static func operations(_ server: ServerFixture) async throws -> [(method: String, path: String)] {
        let answer = try await server.request("GET", "/api/docs/openapi.yaml")
        let text = try #require(answer.json.stringValue, "\(answer.status)")
        var operations: [(String, String)] = []
        var path = ""
        for line in text.split(separator: "\n") {
            if let match = line.firstMatch(of: /^  (\/[^:]*):/) { path = String(match.1) }
            if let match = line.firstMatch(of: /^    (get|post|put|patch|delete):/), !path.isEmpty {
                operations.append((match.1.uppercased(), path))
            }
        }
        return operations
    }

    /// What came of many requests.
    private struct Outcome: Sendable {
        /// How many were answered with each status; 0: the connection was closed without an answer.
        var statuses: [Int: Int] = [:]
        var faults: [String] = []

        mutating func add(_ other: Outcome) {
            statuses.merge(other.statuses) { $0 + $1 }
            faults += other.faults
        }
    }

    private static func send(
        _ count: Int, _ plan: HostileRequest.Plan, _ seed: UInt64, to port: UInt16
    ) -> Outcome {
        var random = HostileRequest.Seeded(state: seed)
        var outcome = Outcome()
        for number in 0..<count {
            let request = HostileRequest(plan, &random)
            guard let socket = LocalSocket.connect(port: port) else {
                outcome.faults.append("\(seed)/\(number): nobody listens any more")
                return outcome
            }
            socket.write(request.bytes)
            if request.isCut { _ = shutdown(socket.descriptor, Int32(SHUT_WR)) }
            // A stream may stay open; its head is enough.
            let answer = socket.read(until: request.isStream ? "\r\n\r\n" : "\r\n")
            let status = answer.hasPrefix("HTTP/1.1 ") ? Int(answer.dropFirst(9).prefix(3)) ?? -1 : 0
            outcome.statuses[status, default: 0] += 1
            let isTheirs = request.asksOthers && [502, 504].contains(status)
            if (status >= 500 && !isTheirs) || status < 0 || (status == 0 && (request.isWellFormed || !answer.isEmpty))
            {
                let shown = String(decoding: request.bytes.prefix(600), as: UTF8.self)
                outcome.faults.append(
                    "\(seed)/\(number): \(status) '\(answer.prefix(300))' to \(shown.debugDescription)")
            }
        }
        return outcome
    }
}
