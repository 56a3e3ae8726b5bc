import CurlHTTP
import Domain
import Gateway
import Glibc
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct GatewayServerTests {
    // MARK: - What goes through

    @Test func aMessageGoesOutWithTheRealKeyAndWithoutTheClients() async throws {
        let upstream = Upstream()
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let answer = await gateway.exchange(
                post(
                    "/anthropic/v1/messages?beta=true",
                    "{\"a\":1}",
                    "X-Api-Key: fake\r\nAuthorization: Bearer fake\r\nCookie: a=b\r\nAnthropic-Version: 2023-06-01\r\n"
                        + "Accept-Encoding: gzip, br\r\nX-Drop: 1\r\nContent-Type: application/json\r\n"
                        + "Proxy-Authorization: x\r\nX-Forwarded-For: 1.2.3.4\r\nTE: trailers\r\n"
                        + "X-Original-URL: /x\r\nX-HTTP-Method-Override: PUT\r\n"
                )
            )
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n{}"))
            let seen = try #require(upstream.seen.first)
            #expect(seen.method == "POST")
            #expect(seen.target == "/up/v1/messages?beta=true")
            #expect(text(seen.body) == "{\"a\":1}")
            #expect(seen.headers.all("x-api-key") == [modelKey])
            #expect(seen.headers["accept-encoding"] == "identity")
            #expect(seen.headers["anthropic-version"] == "2023-06-01")
            #expect(seen.headers["content-type"] == "application/json")
            #expect(seen.headers["host"] == "127.0.0.1:\(upstream.port)")
            for name in [
                "authorization", "cookie", "proxy-authorization", "x-forwarded-for", "te", "connection",
                "x-original-url", "x-http-method-override",
            ] {
                #expect(seen.headers[name] == nil)
            }
            let decision = try await gateway.decisions(1)[0]
            #expect(decision.route == .anthropic)
            #expect(decision.target == "/v1/messages")
            #expect(decision.allowed)
            #expect(decision.status == 200)
            #expect(decision.reason == "ok")
            #expect(decision.requestBytes == 7)
            #expect(decision.responseBytes == 2)
        }
    }

    @Test func headersNamedByConnectionDoNotPass() async throws {
        let upstream = Upstream()
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            _ = await gateway.exchange(
                "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\n"
                    + "Connection: close, X-Drop\r\nX-Drop: 1\r\nX-Keep: 1\r\n\r\n"
            )
            let seen = try #require(upstream.seen.first)
            #expect(seen.headers["x-drop"] == nil)
            #expect(seen.headers["x-keep"] == "1")
            #expect(seen.target == "/v1/models")
            #expect(seen.headers.all("authorization") == ["Bearer " + modelKey])
        }
    }

    @Test func connectionsAreKeptAndPipelinedRequestsAnsweredInOrder() async throws {
        let upstream = Upstream { request, socket in
            let body = request.target
            return socket.write("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let chunked =
                "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
            let answer = await gateway.exchange(
                "GET /openai/v1/models/a HTTP/1.1\r\nHost: g\r\n\r\n" + chunked + get("/openai/v1/models/b")
            )
            let bodies = answer.split(separator: "HTTP/1.1 200 OK").map { $0.split(separator: "\r\n\r\n").last ?? "" }
            #expect(bodies == ["/v1/models/a", "/v1/responses", "/v1/models/b"])
            #expect(text(upstream.seen[1].body) == "hello!")
            #expect(upstream.server.accepted == 1)
        }
    }

    @Test func anEventPassesAsSoonAsItComesAndTokensAreCounted() async throws {
        let go = LocalSignal()
        let upstream = Upstream { _, socket in
            func send(_ text: String) { socket.write("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n") }
            socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            send(
                "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":12,"
                    + "\"cache_read_input_tokens\":30,\"output_tokens\":1}}}\n\n"
            )
            while !go.isSet { usleep(1000) }
            send(
                "event: message_delta\ndata: {\"delta\":{\"t\":\"\\\"usage\\\":{\\\"output_tokens\\\":9}\"},\"usage\":"
            )
            send("{\"output_tokens\":77}}\n\n")
            return socket.write("0\r\n\r\n")
        }
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let socket = gateway.connect()
            let first = await LocalThread.run {
                socket.write(post("/anthropic/v1/messages", "{}"))
                return socket.read(until: "\"output_tokens\":1}}}\n\n\r\n")
            }
            #expect(first.contains("message_start"))
            go.set()
            let rest = await LocalThread.run { text(socket.readToEnd()) }
            #expect(rest.hasSuffix("0\r\n\r\n"))
            let decision = try await gateway.decisions(1)[0]
            #expect(decision.inputTokens == 42)
            #expect(decision.outputTokens == 77)
        }
    }

    @Test func anExpectedContinueIsGiven() async throws {
        let upstream = Upstream()
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let socket = gateway.connect()
            let answer = await LocalThread.run {
                socket.write(
                    "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\nContent-Length: 4\r\n"
                        + "Connection: close\r\n\r\n"
                )
                let interim = socket.read(until: "\r\n\r\n")
                socket.write("body")
                return interim + text(socket.readToEnd())
            }
            #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"))
            #expect(upstream.seen.first.map { text($0.body) } == "body")
        }
    }

    // MARK: - Secrets

    @Test(arguments: [1, 2, 3, 7, 10_000]) func theKeyNeverComesBack(piece: Int) async throws {
        let basic = "eC1hY2Nlc3MtdG9rZW46"  // Base64 of "x-access-token:", whose token follows.
        let upstream = Upstream { request, socket in
            var all = "before \(request.headers["x-api-key"] ?? "") \(modelKey)\(modelKey) sk-ant-test-01 " + gitToken
            all += " \(modelKey.dropLast())"
            socket.write("HTTP/1.1 200 OK\r\nX-Echo: got \(modelKey)\r\nX-\(modelKey): 1\r\nSet-Cookie: a=b\r\n")
            socket.write("Content-Length: \(all.utf8.count)\r\n\r\n")
            var rest = all[...]
            while !rest.isEmpty {
                guard socket.write(String(rest.prefix(piece))) else { return false }
                rest = rest.dropFirst(piece)
                if piece < 100 { usleep(300) }
            }
            return true
        }
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let answer = await gateway.exchange(post("/anthropic/v1/messages", "{}"))
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(!answer.lowercased().contains(modelKey))
            #expect(!answer.contains(gitToken))
            #expect(!answer.contains(basic + "Z2hwX"))
            #expect(!answer.lowercased().contains("set-cookie"))
            let stars = String(repeating: "*", count: modelKey.count)
            #expect(answer.contains("x-echo: got \(stars)\r\n"))
            #expect(answer.contains("before \(stars) \(stars)\(stars) sk-ant-test-01 "))
            #expect(answer.hasSuffix(" " + modelKey.dropLast()))
        }
    }

    @Test func theGitCredentialNeverComesBackEncodedEither() async throws {
        let upstream = Upstream { request, socket in
            let body = request.headers["authorization"] ?? "none"
            return socket.write("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let path = "/git/127.0.0.1:\(upstream.port)/Owner/repo.git/info/refs?service=git-upload-pack"
            let answer = await gateway.exchange(get(path))
            #expect(
                upstream.seen.first?.headers["authorization"]
                    == "Basic eC1hY2Nlc3MtdG9rZW46Z2hwX3Rlc3RfMDEyMzQ1Njc4OWFiY2RlZg=="
            )
            #expect(answer.contains("\r\n\r\nBasic ****"))
            #expect(!answer.contains("eC1hY2"))
        }
    }

    @Test func aCompressedAnswerIsRefused() async throws {
        let upstream = Upstream { _, socket in
            socket.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx")
        }
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            #expect(await gateway.exchange(get("/openai/v1/models")).hasPrefix("HTTP/1.1 502"))
            let decided = try await gateway.decisions(1)
            #expect(decided.first?.reason == "upstream_encoding")
        }
    }

    @Test func aPolicyShowsNoSecretWhenPrinted() throws {
        let policy = try GatewayHarness.policy(1)
        var dumped = ""
        dump(policy, to: &dumped)
        for shown in ["\(policy)", dumped, String(reflecting: policy)] {
            #expect(!shown.contains(modelKey))
            #expect(!shown.contains(gitToken))
        }
    }

    // MARK: - Upstreams that fail

    @Test func aRedirectIsNeitherFollowedNorPassedOn() async throws {
        let upstream = Upstream { _, socket in
            socket.write("HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n")
        }
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let answer = await gateway.exchange(post("/anthropic/v1/messages", "{}"))
            #expect(answer.hasPrefix("HTTP/1.1 502"))
            #expect(answer.contains("upstream_redirect"))
            #expect(!answer.contains("evil"))
            #expect(upstream.seen.count == 1)
        }
    }

    @Test func anUpstreamInsideIsRefused() async throws {
        let upstream = Upstream()
        var policy = try GatewayHarness.policy(upstream.port)
        policy.addresses = .publicOnly
        try await GatewayHarness.run(policy) { gateway in
            let answer = await gateway.exchange(post("/anthropic/v1/messages", "{}"))
            #expect(answer.hasPrefix("HTTP/1.1 502"))
            #expect(answer.contains("address_refused"))
            #expect(!answer.contains("127.0.0.1"))
            let decided = try await gateway.decisions(1)
            #expect(decided.first?.detail?.contains("127.0.0.1 is a loopback address") == true)
            #expect(upstream.server.accepted == 0)
        }
    }

    @Test func aSilentUpstreamTimesOut() async throws {
        let upstream = Upstream { _, socket in
            _ = socket.read()
            return false
        }
        var policy = try GatewayHarness.policy(upstream.port)
        policy.upstreamIdleTimeout = .milliseconds(200)
        try await GatewayHarness.run(policy) { gateway in
            #expect(await gateway.exchange(post("/anthropic/v1/messages", "{}")).hasPrefix("HTTP/1.1 504"))
        }
    }

    @Test func aBrokenAnswerEndsWithoutItsEnd() async throws {
        let upstream = Upstream { _, socket in
            socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            return false
        }
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let answer = await gateway.exchange(post("/anthropic/v1/messages", "{}"))
            #expect(answer.hasSuffix("5\r\nhello\r\n"))
            let decided = try await gateway.decisions(1)
            #expect(decided.first?.reason == "upstream_unavailable")
        }
    }

    // MARK: - Limits

    @Test func aClientThatGoesEndsTheTransfer() async throws {
        let arrived = LocalSignal()
        let ended = LocalSignal()
        let upstream = Upstream { _, socket in
            arrived.set()
            if socket.read() == [] { ended.set() }
            return false
        }
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            do {
                let socket = gateway.connect()
                socket.write("POST /anthropic/v1/messages HTTP/1.1\r\nHost: g\r\nContent-Length: 2\r\n\r\n{}")
                await arrived.wait()
                socket.shut()
            }
            await ended.wait()
            let decided = try await gateway.decisions(1)
            #expect(decided.first?.reason == "client_gone")
        }
    }

    @Test func aSlowClientHoldsTheUpstreamBack() async throws {
        let sent = Mutex(0)
        let stalled = LocalSignal()
        let total = 64 << 20
        let upstream = Upstream { _, socket in
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let block = [UInt8](repeating: 120, count: 1 << 16)
            var still = 0
            while sent.withLock({ $0 }) < total, still < 500 {
                let count = socket.writeNow(block)
                sent.withLock { $0 += count }
                still = count == 0 ? still + 1 : 0
                if count == 0 { usleep(1000) }
            }
            stalled.set()
            var left = total - sent.withLock { $0 }
            while left > 0 {
                let count = socket.writeCounting(block.prefix(left))
                if count == 0 { return false }
                left -= count
            }
            return true
        }
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let socket = gateway.connect()
            socket.write(post("/anthropic/v1/messages", "{}"))
            await stalled.wait()
            // Four socket buffers of the kernel, and two small ones of ours.
            #expect(sent.withLock { $0 } < 32 << 20)
            let count = await LocalThread.run {
                var count = 0
                while let bytes = socket.read(upTo: 1 << 20), !bytes.isEmpty { count += bytes.count }
                return count
            }
            #expect(count > total)
        }
    }

    @Test func aSlowUpstreamHoldsTheClientBack() async throws {
        let stalled = LocalSignal()
        let upstream = LocalServer { socket in
            _ = socket.read(until: "\r\n\r\n")
            for _ in 0..<5000 where !stalled.isSet { usleep(1000) }
        }
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let socket = gateway.connect()
            let sent = await LocalThread.run {
                socket.write("POST /anthropic/v1/messages HTTP/1.1\r\nHost: g\r\nContent-Length: 33554432\r\n\r\n")
                let block = [UInt8](repeating: 120, count: 1 << 16)
                var sent = 0
                var still = 0
                while sent < 32 << 20, still < 500 {
                    let count = socket.writeNow(block)
                    sent += count
                    still = count == 0 ? still + 1 : 0
                    if count == 0 { usleep(1000) }
                }
                stalled.set()
                return sent
            }
            #expect(sent < 24 << 20)
        }
    }

    @Test func bodiesHaveALimit() async throws {
        let upstream = Upstream()
        var policy = try GatewayHarness.policy(upstream.port)
        policy.maxBodyBytes = 1000
        try await GatewayHarness.run(policy) { gateway in
            let big = String(repeating: "x", count: 1001)
            #expect(await gateway.exchange(post("/anthropic/v1/messages", big)).hasPrefix("HTTP/1.1 413"))
            #expect(upstream.seen.isEmpty)
            let chunked = "POST /anthropic/v1/messages HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
            #expect(await gateway.exchange(chunked + "3e9\r\n\(big)\r\n0\r\n\r\n").hasPrefix("HTTP/1.1 413"))
            #expect(upstream.seen.isEmpty)
            let fits = String(repeating: "x", count: 1000)
            #expect(await gateway.exchange(post("/anthropic/v1/messages", fits)).hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func headersHaveALimitInSizeNumberAndTime() async throws {
        let upstream = Upstream()
        var policy = try GatewayHarness.policy(upstream.port)
        policy.headerTimeout = .milliseconds(300)
        try await GatewayHarness.run(policy) { gateway in
            let huge = get("/openai/v1/models", "X: \(String(repeating: "y", count: 70_000))\r\n")
            #expect(await gateway.exchange(huge).hasPrefix("HTTP/1.1 431"))
            let endless = "GET /openai/v1/models HTTP/1.1\r\nX: " + String(repeating: "y", count: 70_000)
            #expect(await gateway.exchange(endless).hasPrefix("HTTP/1.1 431"))
            let many = get("/openai/v1/models", String(repeating: "X: y\r\n", count: 101))
            #expect(await gateway.exchange(many).hasPrefix("HTTP/1.1 431"))
            #expect(await gateway.exchange("GET /openai/v1/models HTTP/1.1\r\nHost: g\r\n").hasPrefix("HTTP/1.1 408"))
            #expect(upstream.seen.isEmpty)
        }
    }

    @Test func connectionsHaveALimit() async throws {
        let upstream = Upstream()
        var policy = try GatewayHarness.policy(upstream.port)
        policy.limits.connections = 2
        try await GatewayHarness.run(policy) { gateway in
            let held = [gateway.connect(), gateway.connect()]
            for socket in held {
                let answer = await LocalThread.run {
                    socket.write("GET /openai/v1/models HTTP/1.1\r\nHost: g\r\n\r\n")
                    return socket.read(until: "{}")
                }
                #expect(answer.hasPrefix("HTTP/1.1 200"))
            }
            #expect(await gateway.exchange(get("/openai/v1/models")).hasPrefix("HTTP/1.1 503"))
            for socket in held { socket.shut() }
            var answer = ""
            for _ in 0..<100 where !answer.hasPrefix("HTTP/1.1 200") {
                answer = await gateway.exchange(get("/openai/v1/models"))
            }
            #expect(answer.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func requestsHaveARate() async throws {
        let upstream = Upstream()
        var policy = try GatewayHarness.policy(upstream.port)
        policy.limits.requestsPerMinute = 3
        try await GatewayHarness.run(policy) { gateway in
            for _ in 0..<3 {
                #expect(await gateway.exchange(get("/openai/v1/models")).hasPrefix("HTTP/1.1 200"))
            }
            let answer = await gateway.exchange(get("/openai/v1/models"))
            #expect(answer.hasPrefix("HTTP/1.1 429"))
            #expect(answer.contains("Retry-After: "))
            #expect(upstream.seen.count == 3)
        }
    }

    @Test func aFloodOfRefusalsIsCountedAndNotReportedOneByOne() async throws {
        let upstream = Upstream()
        var policy = try GatewayHarness.policy(upstream.port)
        policy.limits.requestsPerMinute = 1_000_000
        try await GatewayHarness.run(policy) { gateway in
            for _ in 0..<200 { #expect(await gateway.exchange(get("/nothing")).hasPrefix("HTTP/1.1 404")) }
            #expect(await gateway.exchange(get("/openai/v1/models")).hasPrefix("HTTP/1.1 200"))
            let all = gateway.decisions.value.withLock { $0 }
            #expect(all.count < 190)
            #expect(all.map(\.suppressed).reduce(all.count, +) == 201)
        }
    }

    @Test func theEndOfAFloodIsCountedToo() async throws {
        let upstream = Upstream()
        var policy = try GatewayHarness.policy(upstream.port)
        policy.limits.requestsPerMinute = 5
        try await GatewayHarness.run(policy) { gateway in
            for _ in 0..<200 { _ = await gateway.exchange(get("/openai/v1/models")) }
            await gateway.server.stop()
            let all = gateway.decisions.value.withLock { $0 }
            #expect(all.count < 190)
            #expect(all.map(\.suppressed).reduce(all.count, +) == 200)
            let last = try #require(all.last)
            #expect(!last.allowed && last.reason == "rate_limited" && last.suppressed > 0, "\(last)")
            await gateway.server.stop()
            #expect(gateway.decisions.value.withLock { $0.count } == all.count, "once")
        }
    }

    @Test func stoppingEndsOpenTransfers() async throws {
        let arrived = LocalSignal()
        let ended = LocalSignal()
        let upstream = Upstream { _, socket in
            arrived.set()
            if socket.read() == [] { ended.set() }
            return false
        }
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let socket = gateway.connect()
            socket.write("POST /anthropic/v1/messages HTTP/1.1\r\nHost: g\r\nContent-Length: 2\r\n\r\n{}")
            await arrived.wait()
            await gateway.server.stop()
            await ended.wait()
            #expect(await LocalThread.run { socket.readToEnd() }.isEmpty)
            #expect(LocalSocket.connect(port: gateway.port) == nil)
            await #expect(throws: CodeForgeError.self) { try await gateway.server.start() }
        }
    }
}
