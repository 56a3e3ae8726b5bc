import CurlHTTP
import Domain
import Gateway
import Glibc
import Synchronization
import TestKit
import Testing

/// What must not get through: each case is tried as raw bytes on a real socket, and the upstream must see nothing.
@Suite(.timeLimit(.minutes(2))) struct GatewayRefusalTests {
    private func refused(
        _ raw: String,
        _ status: Int,
        _ error: String,
        policy change: (inout GatewayPolicy) -> Void = { _ in }
    ) async throws {
        let upstream = Upstream()
        var policy = try GatewayHarness.policy(upstream.port)
        policy.headerTimeout = .milliseconds(300)
        change(&policy)
        let raw = raw.replacing("{PORT}", with: "\(upstream.port)")
        try await GatewayHarness.run(policy) { gateway in
            let answer = await gateway.exchange(raw)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
            #expect(answer.contains("{\"error\":\"\(error)\",\"message\":\""), "\(answer)")
            #expect(answer.contains("\r\nconnection: close\r\n"))
            #expect(upstream.server.accepted == 0)
            let decisions = try await gateway.decisions(1)
            #expect(decisions.count == 1)
            #expect(decisions.first?.status == status)
            #expect(decisions.first?.reason == error)
            #expect(!"\(decisions)".contains(modelKey))
        }
    }

    @Test(arguments: [
        "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", get("http://example.com/"),
        get("http://127.0.0.1:{PORT}/v1/models"), get("//example.com/anthropic/v1/models"), get("*"),
        get("anthropic/v1/models"),
    ]) func itIsNoProxy(raw: String) async throws { try await refused(raw, 403, "proxy_refused") }

    @Test(arguments: ["/", "/anthropic", "/metrics", "/Anthropic/v1/models", "/mcp", "/%61nthropic/v1/models"])
    func otherPathsAreNotThere(path: String) async throws { try await refused(get(path), 404, "not_found") }

    @Test(arguments: [
        "/anthropic/", "/anthropic/v1/organizations", "/anthropic/v1/messages/batches", "/anthropic/v1/messages/",
        "/anthropic//v1/messages", "/anthropic/v1/../v1/messages", "/anthropic/v1/models/..",
        "/anthropic/v1/models/../files", "/anthropic/v1/models/%2e%2e", "/anthropic/v1/models/a/b",
        "/anthropic/v1/models/", "/anthropic/v1/%6dessages", "/anthropic/v1/messages;x", "/anthropic/v1/files",
        "/openai/v1/files", "/openai/v1/models/a%2fb", "/openai/v1/fine_tuning/jobs", "/openai/v1/responses/resp_1",
        "/openai/v1/../../up/v1/models", "/openai/../anthropic/v1/models",
    ]) func onlyListedEndpointsAreServed(path: String) async throws {
        try await refused(get(path), 403, "endpoint_refused")
        try await refused(post(path, "{}"), 403, "endpoint_refused")
    }

    @Test func methodsAreHeldToTheTable() async throws {
        try await refused(get("/anthropic/v1/messages"), 405, "method_not_allowed")
        try await refused(post("/openai/v1/models", "{}"), 405, "method_not_allowed")
        try await refused(
            "DELETE /anthropic/v1/models/x HTTP/1.1\r\nHost: g\r\n\r\n",
            405,
            "method_not_allowed"
        )
        try await refused(
            "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\nContent-Length: 1\r\n\r\nx",
            400,
            "bad_request"
        )
    }

    @Test func routesNeedThePolicyAndAKey() async throws {
        try await refused(post("/anthropic/v1/messages", "{}"), 403, "route_refused") { $0.anthropic = nil }
        try await refused(post("/openai/v1/responses", "{}"), 403, "route_refused") { $0.openai = nil }
        try await refused(
            get("/git/127.0.0.1:{PORT}/Owner/repo.git/info/refs?service=git-upload-pack"),
            403,
            "route_refused"
        ) { $0.git = nil }
        try await refused(post("/anthropic/v1/messages", "{}"), 403, "no_key") { $0.anthropic?.apiKey = nil }
    }

    @Test(arguments: [
        "GET /openai/v1/models HTTP/1.1\nHost: g\n\n", "GET /openai/v1/models HTTP/1.1\r\nHost: g\n\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\rHost: g\r\n\r\n", "\r\nGET /openai/v1/models HTTP/1.1\r\nHost: g\r\n\r\n",
        "GET  /openai/v1/models HTTP/1.1\r\nHost: g\r\n\r\n", "GET /openai/v1/models\r\nHost: g\r\n\r\n",
        " GET /openai/v1/models HTTP/1.1\r\nHost: g\r\n\r\n", "GET\t/openai/v1/models\tHTTP/1.1\r\nHost: g\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1 \r\nHost: g\r\n\r\n", "GET /openai/v1/models HTTP/1.1\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\nHost: h\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\r\nHost : g\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\n: x\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\nX: a\r\n b\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\nX: a\u{0}b\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\nno colon\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\nX: \u{e9}\r\n\r\n",
        "GET /openai/v1/models#x HTTP/1.1\r\nHost: g\r\n\r\n", "GET /openai/v1\\models HTTP/1.1\r\nHost: g\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\n"
            + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nContent-Length: 5, 5\r\n\r\nhello",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nContent-Length: +5\r\n\r\nhello",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nContent-Length: -5\r\n\r\nhello",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nContent-Length: 0x5\r\n\r\nhello",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nContent-Length: \r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\n"
            + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\nx",
        "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\n\tContent-Length: 5\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\nX: a\r\rb\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\nX: a\r\n\rContent-Length: 5\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\r\n Host: g\r\n\r\n", "GET /openai/\u{0}v1/models HTTP/1.1\r\nHost: g\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\u{0B}\r\nHost: g\r\n\r\n",
        "G\u{0}ET /openai/v1/models HTTP/1.1\r\nHost: g\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\nX\u{0}: a\r\n\r\n",
        "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\nX: a\u{7F}\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\n"
            + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nContent-Length: 5 5\r\n\r\nhello",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nContent-Length: 5_0\r\n\r\nhello",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nContent-Length: \"5\"\r\n\r\nhello",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: \r\n\r\n0\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: identity\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding:\u{0B}chunked\r\n\r\n0\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer\u{2D}Encoding\t: chunked\r\n\r\n0\r\n\r\n",
        "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\nExpect: x\r\nContent-Length: 1\r\n\r\nx",
        "\u{16}\u{03}\u{01}\u{02}\u{00}\n", "PRI * HTTP/2.0\r\n\nSM",
    ]) func loosenessIsRefused(raw: String) async throws { try await refused(raw, 400, "bad_request") }

    @Test(arguments: ["HTTP/1.0", "HTTP/2", "HTTP/1.2", "http/1.1", "HTTP/1.10"])
    func onlyOneVersionIsSpoken(version: String) async throws {
        try await refused("GET /openai/v1/models \(version)\r\nHost: g\r\n\r\n", 505, "http_version")
    }

    @Test func anHTTP2PrefaceIsRefused() async throws {
        try await refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http_version")
    }

    @Test func namesWithUnderscoresDoNotArriveAsOthers() async throws {
        let upstream = Upstream()
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            _ = await gateway.exchange(get("/anthropic/v1/models", "X_Api_Key: mine\r\nX-Fine: 1\r\n"))
            let seen = try #require(upstream.seen.first)
            #expect(seen.headers["x_api_key"] == nil && seen.headers["x-fine"] == "1")
        }
    }

    @Test func noUpgrade() async throws {
        try await refused(get("/openai/v1/models", "Upgrade: websocket\r\n"), 400, "upgrade_refused")
        try await refused(get("/openai/v1/models", "Upgrade: h2c\r\n"), 400, "upgrade_refused")
    }

    /// A malformed chunked body may begin to flow; it must never end as if it were whole.
    @Test(arguments: [
        "5\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5;x=y\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nX: y\r\n\r\n",
        "000000005\r\nhello\r\n0\r\n\r\n", "\r\nhello", "fffffffff\r\nhello", "5\r\nhello\r\n0\r\n\n",
    ]) func aMalformedChunkedBodyNeverArrives(body: String) async throws {
        let upstream = Upstream()
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let head = "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
            let answer = await gateway.exchange(head + body)
            #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
            #expect(upstream.seen.isEmpty)
        }
    }

    @Test func aRequestHiddenInABodyStaysABody() async throws {
        let upstream = Upstream()
        try await GatewayHarness.run(GatewayHarness.policy(upstream.port)) { gateway in
            let hidden = "GET /secret HTTP/1.1\r\nHost: x\r\n\r\n"
            let raw = post("/openai/v1/responses", hidden).replacing("Connection: close\r\n", with: "")
            let answer = await gateway.exchange(raw + get("/openai/v1/files"))
            #expect(answer.contains("endpoint_refused"))
            #expect(upstream.seen.map(\.target) == ["/v1/responses"])
            #expect(upstream.seen.first.map { text($0.body) } == hidden)
        }
    }

    // MARK: - Git

    @Test(arguments: [
        "/git/127.0.0.1:{PORT}/Owner/other.git/info/refs?service=git-upload-pack",
        "/git/127.0.0.1:{PORT}/owner/repo.git/info/refs?service=git-upload-pack",
        "/git/127.0.0.1:{PORT}/Owner/../Owner/repo.git/info/refs?service=git-upload-pack",
        "/git/127.0.0.1:{PORT}/Owner/%72epo.git/info/refs?service=git-upload-pack",
        "/git/127.0.0.1:{PORT}//Owner/repo.git/info/refs?service=git-upload-pack",
        "/git/127.0.0.1:{PORT}/Owner//repo.git/info/refs?service=git-upload-pack",
        "/git/127.0.0.1:{PORT}/Owner/repo/info/refs?service=git-upload-pack",
        "/git/127.0.0.1/Owner/repo.git/info/refs?service=git-upload-pack",
        "/git/127.0.0.1:1/Owner/repo.git/info/refs?service=git-upload-pack",
        "/git/x@127.0.0.1:{PORT}/Owner/repo.git/info/refs?service=git-upload-pack",
        "/git/127.0.0.1.:{PORT}/Owner/repo.git/info/refs?service=git-upload-pack",
        "/git/localhost:{PORT}/Owner/repo.git/info/refs?service=git-upload-pack",
        "/git/evil.example/127.0.0.1:{PORT}/Owner/repo.git/info/refs?service=git-upload-pack", "/git/", "/git//",
    ]) func otherRepositoriesAreRefused(path: String) async throws {
        try await refused(get(path), 403, "repository_refused")
    }

    @Test(arguments: [
        "/git/127.0.0.1:{PORT}/Owner/repo.git", "/git/127.0.0.1:{PORT}/Owner/repo.git/HEAD",
        "/git/127.0.0.1:{PORT}/Owner/repo.git/info/refs", "/git/127.0.0.1:{PORT}/Owner/repo.git/config",
        "/git/127.0.0.1:{PORT}/Owner/repo.git/../other.git/info/refs?service=git-upload-pack",
        "/git/127.0.0.1:{PORT}/Owner/repo.git/%2e%2e/other.git/info/refs?service=git-upload-pack",
        "/git/127.0.0.1:{PORT}/Owner/repo.git/info//refs?service=git-upload-pack",
        "/git/127.0.0.1:{PORT}/Owner/repo.git2/info/refs?service=git-upload-pack",
        "/git/127.0.0.1:{PORT}/Owner/repo.git/info/refs?service=git-upload-pack&x=y",
        "/git/127.0.0.1:{PORT}/Owner/repo.git/info/refs?service=git-upload-archive",
        "/git/127.0.0.1:{PORT}/Owner/repo.git/info/refs?Service=git-upload-pack",
        "/git/127.0.0.1:{PORT}/Owner/repo.git/info/lfs/objects/batch",
        "/git/127.0.0.1:{PORT}/Owner/repo.git/objects/info/packs",
        "/git/127.0.0.1:{PORT}/Owner/repo.git/git-upload-pack?x",
    ]) func onlySmartHTTPIsServed(path: String) async throws { try await refused(get(path), 403, "endpoint_refused") }

    @Test func pushingNeedsPermission() async throws {
        let base = "/git/127.0.0.1:{PORT}/Owner/repo.git"
        try await refused(get(base + "/info/refs?service=git-receive-pack"), 403, "push_refused")
        try await refused(post(base + "/git-receive-pack", "x"), 403, "push_refused")
        let upstream = Upstream()
        var policy = try GatewayHarness.policy(upstream.port)
        policy.git?.allowPush = true
        policy.git?.username = "oauth2"
        try await GatewayHarness.run(policy) { gateway in
            let path = base.replacing("{PORT}", with: "\(upstream.port)") + "/git-receive-pack"
            #expect(
                await gateway.exchange(post(path, "pack", "Authorization: Basic eDp5\r\nX-Other: 1\r\n"))
                    .hasPrefix("HTTP/1.1 200")
            )
            let seen = try #require(upstream.seen.first)
            #expect(seen.target == "/Owner/repo.git/git-receive-pack")
            #expect(seen.headers.all("authorization") == ["Basic b2F1dGgyOmdocF90ZXN0XzAxMjM0NTY3ODlhYmNkZWY="])
            #expect(seen.headers["x-other"] == nil)
            let decided = try await gateway.decisions(1)
            #expect(decided.first?.target == "{repository}/git-receive-pack")
        }
    }

    @Test func aMalformedPolicyDoesNotStart() async throws {
        let good = try GatewayHarness.policy(1)
        var bad: [GatewayPolicy] = []
        for url in ["file:///x", "http://127.1/x", "http://user:pass@host/x", "http://host", "http://host/x?y=z"] {
            var policy = good
            policy.git?.repositoryURL = url
            bad.append(policy)
        }
        var policy = good
        policy.anthropic?.apiKey = "a\r\nX: y"
        bad.append(policy)
        policy = good
        policy.git?.token = "a b"
        bad.append(policy)
        for policy in bad {
            let (descriptor, _) = LocalSocket.listen()
            let server = GatewayServer(
                descriptor: descriptor, policy: policy, transport: CurlTransport(), resolver: SystemResolver()
            ) { _ in }
            await #expect(throws: CodeForgeError.self) { try await server.start() }
        }
    }
}
