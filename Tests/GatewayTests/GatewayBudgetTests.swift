import CurlHTTP
import Domain
import Gateway
import Glibc
import TestKit
import Testing

/// What a task may use up, and what it is told then.
@Suite(.timeLimit(.minutes(2))) struct GatewayBudgetTests {
    private func run(
        _ upstream: Upstream, _ change: (inout SandboxProfile.GatewayLimits) -> Void,
        _ body: (GatewayHarness) async throws -> Void
    ) async throws {
        var policy = try GatewayHarness.policy(upstream.port)
        change(&policy.limits)
        try await GatewayHarness.run(policy, body)
    }

    private func exceeded(_ answer: String, _ which: String, _ decision: GatewayDecision?) {
        #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains("\"error\":\"budget_exceeded\""), "\(answer)")
        #expect(answer.contains(which), "\(answer)")
        #expect(decision?.reason == "budget_exceeded" && decision?.detail == which && decision?.allowed == false)
    }

    @Test func requestsAreCountedWhateverTheirRoute() async throws {
        let upstream = Upstream()
        try await run(upstream, { $0.requests = 2 }) { gateway in
            #expect(await gateway.exchange(get("/openai/v1/models")).hasPrefix("HTTP/1.1 200"))
            #expect(await gateway.exchange(get("/nothing")).hasPrefix("HTTP/1.1 404"))
            exceeded(await gateway.exchange(get("/openai/v1/models")), "requests", try await gateway.decisions(3).last)
            #expect(upstream.seen.count == 1)
            #expect(gateway.server.usage.requests == 3)
        }
    }

    @Test func aBodyBeyondTheBudgetIsNotSent() async throws {
        let upstream = Upstream()
        try await run(upstream, { $0.requestBytes = 1000 }) { gateway in
            let body = String(repeating: "x", count: 400)
            #expect(await gateway.exchange(post("/openai/v1/responses", body)).hasPrefix("HTTP/1.1 200"))
            exceeded(
                await gateway.exchange(post("/openai/v1/responses", body + body)), "request_bytes",
                try await gateway.decisions(2).last)
            #expect(upstream.seen.count == 1)
        }
    }

    @Test func aChunkedBodyIsCutAtTheBudget() async throws {
        let upstream = Upstream()
        try await run(upstream, { $0.requestBytes = 1000 }) { gateway in
            let chunk = "190\r\n" + String(repeating: "x", count: 400) + "\r\n"
            let raw =
                "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
                + chunk + chunk + chunk + "0\r\n\r\n"
            exceeded(await gateway.exchange(raw), "request_bytes", try await gateway.decisions(1).last)
            #expect(upstream.seen.isEmpty)
            #expect(gateway.server.usage.bytesOut <= 1000)
        }
    }

    @Test func anAnswerIsCutAtTheBudgetAndNothingFollows() async throws {
        let upstream = Upstream { _, socket in
            socket.write(
                "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + String(repeating: "x", count: 100_000))
        }
        try await run(upstream, { $0.responseBytes = 50_000 }) { gateway in
            let answer = await gateway.exchange(get("/openai/v1/models"))
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.utf8.count < 51_000)
            let first = try await gateway.decisions(1).first
            #expect(first?.reason == "budget_exceeded" && first?.detail == "response_bytes")
            #expect(gateway.server.usage.bytesIn <= 50_000)
        }
    }

    @Test func tokensAreRefusedOnceTheyAreSpent() async throws {
        let upstream = Upstream { _, socket in
            let body = "{\"usage\":{\"input_tokens\":60,\"output_tokens\":50}}"
            return socket.write("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        try await run(upstream, { $0.tokens = 100 }) { gateway in
            #expect(await gateway.exchange(post("/anthropic/v1/messages", "{}")).hasPrefix("HTTP/1.1 200"))
            #expect(gateway.server.usage.tokens == 110)
            exceeded(
                await gateway.exchange(post("/anthropic/v1/messages", "{}")), "tokens",
                try await gateway.decisions(2).last)
            #expect(upstream.seen.count == 1)
        }
    }

    /// Chat completions can be streamed without a count.
    @Test func anAnswerWithoutACountIsChargedBySize() async throws {
        let upstream = Upstream { _, socket in
            let body = "data: {\"choices\":[]}\n\n"
            return socket.write(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
        }
        try await run(upstream, { $0.tokens = 20 }) { gateway in
            let body = String(repeating: "x", count: 100)
            #expect(await gateway.exchange(post("/openai/v1/chat/completions", body)).hasPrefix("HTTP/1.1 200"))
            #expect(gateway.server.usage.tokens > 25)
            exceeded(
                await gateway.exchange(post("/openai/v1/chat/completions", body)), "tokens",
                try await gateway.decisions(2).last)
        }
    }

    @Test func aTunnelEndsAtTheBudget() async throws {
        let upstream = LocalServer { socket in
            _ = socket.read()
            socket.write([UInt8](repeating: 1, count: 400_000))
        }
        var policy = try GatewayHarness.policy(upstream.port)
        policy.egress = try EgressList(["api.test.example:\(upstream.port)"])
        policy.addresses = try AddressRule(exceptions: ["api.test.example"])
        policy.limits.responseBytes = 100_000
        try await GatewayHarness.run(policy, resolver: PlayedResolver(["127.0.0.1"])) { gateway in
            let authority = "api.test.example:\(upstream.port)"
            let raw =
                Array("CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n\r\n".utf8)
                + clientHello("api.test.example")
            let came = await LocalThread.run { () -> Int in
                let socket = gateway.connect()
                socket.write(raw)
                return socket.readToEnd().count
            }
            #expect(came <= 100_100)
            let first = try await gateway.decisions(1).first
            #expect(first?.reason == "budget_exceeded" && first?.detail == "response_bytes")
        }
    }

    @Test func openConnectionsAreCountedDownAgain() async throws {
        try await run(Upstream(), { _ in }) { gateway in
            let socket = gateway.connect()
            for _ in 0..<200 where gateway.server.usage.openConnections == 0 {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(gateway.server.usage.openConnections == 1)
            socket.shut()
            for _ in 0..<200 where gateway.server.usage.openConnections > 0 {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(gateway.server.usage.openConnections == 0)
        }
    }
}
