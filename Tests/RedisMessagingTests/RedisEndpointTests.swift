import Domain
import Foundation
import TestKit
import Testing

@testable import RedisMessaging

@Suite struct RedisEndpointTests {
    @Test func readsEveryForm() throws {
        let plain = try RedisEndpoint("redis://localhost:6380")
        #expect(plain.address == .tcp(host: "localhost", port: 6380))
        #expect(plain.password == nil && plain.database == 0)
        let full = try RedisEndpoint("redis://:p%40s%3As@10.0.0.1:1/3")
        #expect(full.address == .tcp(host: "10.0.0.1", port: 1))
        #expect(full.password == "p@s:s" && full.user == nil && full.database == 3)
        let user = try RedisEndpoint("redis://me:a:b@[::1]/")
        #expect(user.address == .tcp(host: "::1", port: 6379))
        #expect(user.user == "me" && user.password == "a:b")
        let unix = try RedisEndpoint("unix:///run/redis/r.sock?db=2")
        #expect(unix.address == .unix(path: "/run/redis/r.sock") && unix.database == 2)
    }

    @Test(arguments: [
        "", "localhost:6379", "http://localhost", "rediss://localhost:1", "redis://", "redis://:6379", "redis://h:0",
        "redis://h:65536", "redis://h:x", "redis://h/x", "redis://h/-1", "redis://secret@h", "redis://:%zz@h",
        "redis://[::1", "redis://[::1]x", "unix://", "unix://relative", "unix:///", "unix:///s?db=-1", "unix:///s?x=1",
        "unix:///" + String(repeating: "x", count: 107),
    ])
    func refusesAnythingElse(_ url: String) {
        let error = #expect(throws: CodeForgeError.self) { try RedisEndpoint(url) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("secret") == false)
    }

    @Test func neverPrintsAPassword() throws {
        #expect("\(try RedisEndpoint("redis://me:hush@h:1"))" == "h:1")
    }
}

@Suite struct RedisConnectionTests {
    @Test func aPasswordIsUsed() async throws {
        let redis = try await RedisFixture()
        try redis.cli("CONFIG", "SET", "requirepass", "p@s")
        let refused = RedisHealthProbe(try RedisClient(url: redis.url))
        await #expect(throws: CodeForgeError.self) { try await refused.ping() }
        var endpoint = try RedisEndpoint(redis.url)
        endpoint.password = "p@s"
        endpoint.database = 3
        let connection = try RedisConnection(endpoint)
        #expect(try connection.send("PING").root.text == "PONG")
        #expect(try connection.send("CLIENT", "INFO").root.text.contains("db=3"))
    }

    @Test func theProbeTellsThatRedisIsAway() async throws {
        let redis = try await RedisFixture()
        let probe = RedisHealthProbe(try RedisClient(url: redis.url))
        try await probe.ping()
        redis.crash()
        let error = await #expect(throws: CodeForgeError.self) { try await probe.ping() }
        #expect(error?.code == .unavailable)
        try await redis.start()
        try await probe.ping()
    }

    @Test func theProbeDoesNotWaitForAServerThatHangs() async throws {
        let redis = try await RedisFixture()
        let probe = RedisHealthProbe(try RedisClient(url: redis.url))
        try await probe.ping()
        let pid = try #require(redis.pid)
        kill(pid, SIGSTOP)
        defer { kill(pid, SIGCONT) }
        let error = await #expect(throws: CodeForgeError.self) { try await probe.ping() }
        #expect(error?.code == .unavailable)
    }

    @Test func commandsAreFramedByLength() {
        let command = RedisCommand("SET", .bytes([0, 13, 10]), .int(-5))
        #expect(command.bytes == Array("*3\r\n$3\r\nSET\r\n$3\r\n\u{0}\r\n\r\n$2\r\n-5\r\n".utf8))
        let long = RedisCommand(.text(String(repeating: "x", count: 1000)))
        #expect(Array(long.bytes.prefix(11)) == Array("*1\r\n$1000\r\n".utf8))
    }

    @Test func keysStayInTheirPrefix() async throws {
        let redis = try await RedisFixture()
        let client = try RedisClient(url: redis.url, prefix: "mine:")
        let log = RedisEventLog(client, historyEntries: 10)
        try await log.appendOnce([EventLogContract.body(1)], to: "t", key: "k")
        try await RedisTaskQueue(client).enqueue("t")
        try await RedisTaskSecretStore(client, box: ReversingSecretBox()).put(TaskSecrets(accessToken: "x"), for: "t")
        let keys = try redis.cli("KEYS", "*").split(separator: "\n")
        #expect(keys.count == 4)
        #expect(keys.allSatisfy { $0.hasPrefix("mine:") })
        #expect(try redis.cli("GET", "mine:task:t:secrets").hasPrefix("sealed:"))
    }

    @Test func theRateLimitFailsOpenAndStaysSmall() async throws {
        let redis = try await RedisFixture()
        let limiter = RedisRateLimiter(try RedisClient(url: redis.url), limit: 5, digest: { _ in Array(0...31) })
        for _ in 0..<100 { _ = await limiter.hit("x") }
        let key = "codeforge:ratelimit:0001020304050607"
        #expect(try redis.cli("ZCARD", key) == "5")
        #expect((1...60_000).contains(Int(try redis.cli("PTTL", key)) ?? 0))
        redis.crash()
        #expect(await limiter.hit("x") == nil)
    }
}
