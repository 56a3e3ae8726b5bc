import CurlHTTP
import Domain
import Gateway
import TestKit
import Testing

/// Tool servers behind the gateway.
@Suite(.timeLimit(.minutes(1))) struct GatewayMCPTests {
    private static let token = "mcp-secret-0123456789"

    private func policy(_ port: UInt16) throws -> GatewayPolicy {
        var policy = try GatewayHarness.policy(port)
        policy.mcp = [
            "tools": .init(
                url: "http://127.0.0.1:\(port)/api/mcp?tenant=7",
                headers: ["Authorization": "Bearer \(GatewayMCPTests.token)", "X-Team": "core"]),
            "other": .init(url: "http://127.0.0.1:\(port)/other"),
        ]
        return policy
    }

    @Test func headersAreAddedOutsideAndTheSessionPasses() async throws {
        let upstream = Upstream { request, socket in
            let body = "event: message\ndata: {\"seen\":\"\(request.headers["authorization"] ?? "")\"}\n\n"
            return socket.write(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nMcp-Session-Id: s-1\r\n"
                    + "Set-Cookie: a=b\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        try await GatewayHarness.run(policy(upstream.port)) { gateway in
            let answer = await gateway.exchange(
                post(
                    "/mcp/tools", "{\"jsonrpc\":\"2.0\"}",
                    "Mcp-Session-Id: s-0\r\nMCP-Protocol-Version: 2025-06-18\r\nAccept: text/event-stream\r\n"
                        + "Authorization: Bearer mine\r\nX-Team: other\r\nCookie: c\r\nX-Other: 1\r\n"))
            #expect(answer.contains("mcp-session-id: s-1") && !answer.lowercased().contains("set-cookie"))
            #expect(answer.contains("data: {\"seen\":\"*") && !answer.contains(GatewayMCPTests.token))
            let seen = try #require(upstream.seen.first)
            #expect(seen.target == "/api/mcp?tenant=7" && text(seen.body) == "{\"jsonrpc\":\"2.0\"}")
            #expect(seen.headers.all("authorization") == ["Bearer \(GatewayMCPTests.token)"])
            #expect(seen.headers.all("x-team") == ["core"])
            #expect(seen.headers["mcp-session-id"] == "s-0" && seen.headers["mcp-protocol-version"] == "2025-06-18")
            #expect(seen.headers["cookie"] == nil && seen.headers["x-other"] == nil)
            let decided = try #require(try await gateway.decisions(1).first)
            #expect(decided.route == .mcp && decided.target == "/mcp/tools" && decided.allowed)
            _ = await gateway.exchange(
                "DELETE /mcp/tools HTTP/1.1\r\nHost: g\r\nMcp-Session-Id: s-0\r\n\r\n"
                    .replacing("\r\n\r\n", with: "\r\nConnection: close\r\n\r\n"))
            _ = await gateway.exchange(get("/mcp/other"))
            #expect(upstream.seen.map(\.method) == ["POST", "DELETE", "GET"])
            #expect(upstream.seen.last?.headers["authorization"] == nil)
        }
    }

    @Test(arguments: [
        "/mcp/", "/mcp/none", "/mcp/Tools", "/mcp/tools/", "/mcp/tools/x", "/mcp/tools?x=y", "/mcp/tools?",
        "/mcp/../mcp/tools", "/mcp/%74ools", "/mcp//tools",
    ]) func onlyTheEndpointsThemselvesAreThere(path: String) async throws {
        let upstream = Upstream()
        try await GatewayHarness.run(policy(upstream.port)) { gateway in
            #expect(await gateway.exchange(post(path, "{}")).contains("endpoint_refused"))
            #expect(upstream.server.accepted == 0)
        }
    }

    @Test func otherMethodsAndProfilesAreRefused() async throws {
        let upstream = Upstream()
        try await GatewayHarness.run(policy(upstream.port)) { gateway in
            #expect(await gateway.exchange("PUT /mcp/tools HTTP/1.1\r\nHost: g\r\n\r\n").contains("method_not_allowed"))
        }
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            #expect(await gateway.exchange(post("/mcp/tools", "{}")).contains("route_refused"))
        }
        #expect(upstream.server.accepted == 0)
    }

    @Test func aMalformedServerDoesNotStart() async throws {
        let bad: [(String, GatewayPolicy.MCPServer)] = [
            ("", .init(url: "http://a.example/")), ("a/b", .init(url: "http://a.example/")),
            ("..", .init(url: "http://a.example/")), ("a", .init(url: "file:///x")),
            ("a", .init(url: "http://u:p@a.example/")),
            ("a", .init(url: "http://a.example/", headers: ["X": "a\r\nY: b"])),
            ("a", .init(url: "http://a.example/", headers: ["Host": "b.example"])),
            ("a", .init(url: "http://a.example/", headers: ["Content-Length": "1"])),
        ]
        for (name, server) in bad {
            var policy = try GatewayHarness.policy(1)
            policy.mcp = [name: server]
            let (descriptor, _) = LocalSocket.listen()
            let gateway = GatewayServer(
                descriptor: descriptor, policy: policy, transport: CurlTransport(), resolver: SystemResolver()
            ) { _ in }
            await #expect(throws: CodeForgeError.self) { try await gateway.start() }
        }
    }
}
