import CurlHTTP
import Domain
import Gateway
import Glibc
import Synchronization
import TestKit
import Testing

/// xorshift64*: the same requests in every run, so that a failure can be repeated.
private struct Dice: Sendable {
    var state: UInt64

    mutating func roll(_ sides: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_F491_4F6C_DD1D) >> 33) % max(1, sides)
    }
}

@Suite(.timeLimit(.minutes(4))) struct GatewayFuzzTests {
    private static let pieces: [[UInt8]] = [
        "\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", "\0", ":", "Content-Length: 3\r\n", "Content-Length: 0\r\n",
        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n", "0\r\n\r\n", "3\r\nabc\r\n", "/", "//",
        "..",
        "/../", "%2e", "%2f", "%00", "%0d%0a", "?", "#", "\\", "@", "http://127.0.0.1/", "HTTP/1.1", "HTTP/1.0",
        "Host: x",
        "GET /secret HTTP/1.1\r\nHost: x\r\n\r\n", "Connection: x-api-key\r\n", "Connection: authorization\r\n",
        "X-Api-Key: stolen\r\n", "Authorization: Bearer stolen\r\n", "Expect: 100-continue\r\n", "Upgrade: h2c\r\n",
        "\u{e9}", "/anthropic", "/openai", "/git/", "/v1/messages", "x-api-key", ";", ",", "+", "-1", "ffffffff",
    ].map { Array($0.utf8) }

    private static func seeds(_ port: UInt16) -> [[UInt8]] {
        let git = "/git/127.0.0.1:\(port)/Owner/repo.git"
        return [
            post("/anthropic/v1/messages?beta=true", "{\"model\":\"m\"}", "Anthropic-Version: 2023-06-01\r\n"),
            post("/anthropic/v1/messages/count_tokens", "{}"), get("/anthropic/v1/models/claude-x"),
            get("/openai/v1/models"), post("/openai/v1/chat/completions", "{}"),
            "POST /openai/v1/responses HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                + "5\r\nhello\r\n0\r\n\r\n",
            get(git + "/info/refs?service=git-upload-pack"), post(git + "/git-upload-pack", "0000"),
            "GET /openai/v1/models HTTP/1.1\r\nHost: g\r\n\r\n" + get("/anthropic/v1/models"),
            get(git + "/info/refs?service=git-receive-pack"), get("/anthropic/v1/files"),
        ].map { Array($0.utf8) }
    }

    private static func mutated(_ seeds: [[UInt8]], _ dice: inout Dice) -> [UInt8] {
        var bytes = seeds[dice.roll(seeds.count)]
        for _ in 0...dice.roll(4) {
            let at = dice.roll(bytes.count)
            switch dice.roll(7) {
            case 0: bytes.insert(contentsOf: pieces[dice.roll(pieces.count)], at: at)
            case 1: bytes[at] = UInt8(dice.roll(256))
            case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + dice.roll(8)))
            case 3: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + dice.roll(30))], at: at)
            case 4: bytes.insert(UInt8(dice.roll(256)), at: at)
            case 5:
                let other = seeds[dice.roll(seeds.count)]
                bytes = Array(bytes[..<at] + other[dice.roll(other.count)...])
            default:
                // A piece where lines end, as smuggling needs it.
                let ends = bytes.indices.filter { bytes[$0] == 0x0A }
                guard !ends.isEmpty else { break }
                bytes.insert(contentsOf: pieces[dice.roll(pieces.count)], at: ends[dice.roll(ends.count)] + 1)
            }
            if bytes.isEmpty { bytes = [0x47] }
        }
        return bytes
    }

    /// Whether the upstream may see this, judged by what arrived there alone.
    private static func isAllowed(_ request: SeenRequest) -> Bool {
        let parts = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = String(parts[0])
        let query = parts.count == 2 ? String(parts[1]) : nil
        let isAnthropic = request.headers.all("x-api-key") == [modelKey] && request.headers["authorization"] == nil
        let isOpenAI =
            request.headers.all("authorization") == ["Bearer " + modelKey] && request.headers["x-api-key"] == nil
        let isGit =
            request.headers.all("authorization").count == 1 && request.headers["x-api-key"] == nil
            && request.headers["authorization"]?.hasPrefix("Basic eC1hY2Nlc3MtdG9rZW46") == true
        let model = /\/v1\/models(\/[A-Za-z0-9_:-][A-Za-z0-9._:-]*)?/
        switch (request.method, path) {
        case ("POST", "/up/v1/messages"), ("POST", "/up/v1/messages/count_tokens"): return isAnthropic
        case ("POST", "/v1/responses"), ("POST", "/v1/responses/compact"), ("POST", "/v1/chat/completions"):
            return isOpenAI
        case ("GET", "/Owner/repo.git/info/refs"): return isGit && query == "service=git-upload-pack"
        case ("POST", "/Owner/repo.git/git-upload-pack"): return isGit && query == nil
        case ("GET", _) where path.hasPrefix("/up/"):
            return isAnthropic && path.dropFirst(3).wholeMatch(of: model) != nil
        case ("GET", _): return isOpenAI && path.wholeMatch(of: model) != nil
        default: return false
        }
    }

    @Test(arguments: [UInt64(1), 2, 3]) func nothingUnlistedEverReachesTheUpstream(seed: UInt64) async throws {
        let upstream = Upstream { request, socket in
            let echo = request.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
            return socket.write("HTTP/1.1 200 OK\r\nContent-Length: \(echo.utf8.count)\r\n\r\n\(echo)")
        }
        var policy = try GatewayHarness.policy(upstream.port)
        policy.limits.requestsPerMinute = 1_000_000
        policy.headerTimeout = .milliseconds(30)
        policy.idleTimeout = .milliseconds(30)
        policy.upstreamIdleTimeout = .seconds(5)
        var dice = Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
        let seeds = GatewayFuzzTests.seeds(upstream.port)
        let cases = (0..<1200).map { _ in GatewayFuzzTests.mutated(seeds, &dice) }
        try await GatewayHarness.run(policy) { gateway in
            let port = gateway.port
            let leaks = try await withThrowingTaskGroup(of: Int.self) { group in
                for lane in 0..<8 {
                    group.addTask {
                        await LocalThread.run {
                            var leaks = 0
                            for i in stride(from: lane, to: cases.count, by: 8) {
                                guard let socket = LocalSocket.connect(port: port) else { return 1_000_000 }
                                socket.write(cases[i])
                                let answer = text(socket.readToEnd())
                                if answer.contains(modelKey) || answer.contains(gitToken) { leaks += 1 }
                            }
                            return leaks
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(leaks == 0)
            let strange = upstream.seen.filter { !GatewayFuzzTests.isAllowed($0) }
            #expect(strange.isEmpty, "\(strange.first.map { "\($0)" } ?? "")")
            let allowed = gateway.decisions.value.withLock { $0 }.count { $0.allowed }
            #expect(upstream.seen.count <= allowed)
            // The mutations leave enough whole to mean something.
            #expect(upstream.seen.count > 100)
            #expect(await gateway.exchange(get("/openai/v1/models")).hasPrefix("HTTP/1.1 200"))
        }
    }
}
