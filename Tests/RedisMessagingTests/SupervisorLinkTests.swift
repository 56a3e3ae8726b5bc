import Domain
import Foundation
import Synchronization
import TestKit
import Testing

@testable import RedisMessaging

@Suite struct SupervisorLinkTests {
    let redis: RedisFixture
    let link: RedisSupervisorLink
    let run = RunID(taskID: "t", iteration: 2, attempt: 1, purpose: .task)

    init() async throws {
        redis = try await RedisFixture()
        link = RedisSupervisorLink(try RedisClient(url: redis.url))
    }

    /// Commands as they arrive.
    private final class Commands: Sendable {
        private let list = Mutex<[RunLease.Command]>([])
        var all: [RunLease.Command] { list.withLock { $0 } }
        func add(_ command: RunLease.Command) { list.withLock { $0.append(command) } }
    }

    private func lease(_ run: RunID, firstAttempt: Int = 1) throws -> (RunLease, Commands) {
        let commands = Commands()
        let lease = RunLease(try RedisClient(url: redis.url), run: run, firstAttempt: firstAttempt) { commands.add($0) }
        lease.start()
        return (lease, commands)
    }

    @Test func aHeldLeaseIsSeenUntilItIsReleased() async throws {
        let (lease, _) = try lease(run)
        try await eventually("the lease") { try await link.leases(of: ["t"]) == ["t": run] ? () : nil }
        #expect(try await link.leases(of: ["other", "t", "t2"]) == ["t": run])
        #expect(try await link.leases(of: []).isEmpty)
        let ttl = try #require(Int(try redis.cli("PTTL", "codeforge:task:t:lease")))
        #expect((10_000...15_000).contains(ttl))
        await lease.release()
        #expect(try await link.leases(of: ["t"]).isEmpty)
    }

    @Test func aCancelReachesTheSupervisor() async throws {
        let (lease, commands) = try lease(run)
        try await eventually("the lease") { try await link.leases(of: ["t"]).isEmpty ? nil : () }
        try await link.requestCancel(run)
        try await eventually("the cancel") { commands.all == [.cancel] ? () : nil }
        await lease.release()
    }

    @Test func aCancelSentBeforeTheStartOrDuringAnOutageIsKept() async throws {
        try await link.requestCancel(run)
        redis.crash()
        let (lease, commands) = try lease(run)
        try await redis.start()
        try await eventually("the cancel") { commands.all.first == .cancel ? () : nil }
        await lease.release()
        let ttl = try #require(Int(try redis.cli("TTL", "codeforge:task:t:control")))
        #expect((1...86_400).contains(ttl))
    }

    /// Two reviews of one iteration: a cancel that came too late for the first is not for the second.
    @Test func aCancelOfTheReviewBeforeIsIgnored() async throws {
        var second = run
        (second.purpose, second.attempt) = (.review, 3)
        var first = second
        first.attempt = 2
        try await link.requestCancel(first)
        let (lease, commands) = try lease(second, firstAttempt: 3)
        try await eventually("the lease") { try await link.leases(of: ["t"]).isEmpty ? nil : () }
        try await Task.sleep(for: .milliseconds(200))  // nothing tells that it was read
        #expect(commands.all.isEmpty)
        try await link.requestCancel(second)
        try await eventually("the cancel") { commands.all == [.cancel] ? () : nil }
        await lease.release()
    }

    @Test func aCancelOfAnotherRunIsIgnored() async throws {
        var earlier = run
        earlier.iteration = 1
        var review = run
        review.purpose = .review
        var later = run
        later.attempt = 2
        let (lease, commands) = try lease(run)
        try await link.requestCancel(later)
        try await link.requestCancel(earlier)
        try await link.requestCancel(review)
        try redis.cli("XADD", "codeforge:task:t:control", "*", "cancel", "no json")
        try redis.cli("XADD", "codeforge:task:t:control", "*", "other", "thing")
        try await link.requestCancel(run)
        try await eventually("the cancel") { commands.all.isEmpty ? nil : () }
        #expect(commands.all == [.cancel])
        await lease.release()
    }

    @Test func aCancelOfALostAttemptReachesTheNext() async throws {
        var next = run
        next.attempt = run.attempt + 1
        #expect(next.continues(run) && !run.continues(next))
        try await link.requestCancel(run)
        let (lease, commands) = try lease(next)
        try await eventually("the cancel") { commands.all.contains(.cancel) ? () : nil }
        await lease.release()
    }

    @Test func onlyTheLeaseOfTheNamedRunIsDropped() async throws {
        let (lease, _) = try lease(run)
        try await eventually("the lease") { try await link.leases(of: ["t"]).isEmpty ? nil : () }
        var other = run
        other.attempt = 9
        try await link.dropLease(of: other)
        #expect(try await link.leases(of: ["t"]) == ["t": run])
        try await link.dropLease(of: run)
        #expect(try await link.leases(of: ["t"]).isEmpty)
        await lease.release()
    }

    @Test func aSupervisorThatWasReplacedIsTold() async throws {
        let (old, commands) = try lease(run)
        try await eventually("the lease") { try await link.leases(of: ["t"]).isEmpty ? nil : () }
        var next = run
        next.attempt = 2
        let (new, _) = try lease(next)
        try await eventually("the new lease") { try await link.leases(of: ["t"]) == ["t": next] ? () : nil }
        try await eventually("the old one to be told") { commands.all.contains(.superseded) ? () : nil }
        await old.release()
        #expect(try await link.leases(of: ["t"]) == ["t": next])
        await new.release()
    }

    @Test func aLeaseIsTakenAgainWhenRedisForgotIt() async throws {
        let (lease, _) = try lease(run)
        try await eventually("the lease") { try await link.leases(of: ["t"]).isEmpty ? nil : () }
        try redis.cli("FLUSHALL")
        redis.crash()
        try await redis.start()
        try await eventually("the lease again") { try await link.leases(of: ["t"]) == ["t": run] ? () : nil }
        await lease.release()
    }

    @Test func whatIsNoLeaseIsNone() async throws {
        try redis.cli("SET", "codeforge:task:t:lease", "garbage")
        #expect(try await link.leases(of: ["t"]).isEmpty)
        try await link.dropLease(of: run)
        #expect(try redis.cli("GET", "codeforge:task:t:lease") == "garbage")
    }
}

@Suite struct TaskSecretResealTests {
    @Test func allSecretsAreSealedAnewOrNone() async throws {
        let redis = try await RedisFixture()
        let client = try RedisClient(url: redis.url, prefix: "a*[b]:")
        let store = RedisTaskSecretStore(client, box: ReversingSecretBox())
        // Another service's, whose prefix the pattern would take without escapes.
        let other = RedisTaskSecretStore(
            try RedisClient(url: redis.url, prefix: "axb:"), box: ReversingSecretBox())
        let secrets = TaskSecrets(accessToken: "t", aiAPIKey: "k")
        for task in ["1", "2", "3"] { try await store.put(secrets, for: task) }
        try await other.put(secrets, for: "9")
        try await store.expire("2", seconds: 500)

        let refused = await #expect(throws: CodeForgeError.self) {
            _ = try await store.reseal { task, sealed throws(CodeForgeError) in
                if task == "3" { throw CodeForgeError(.conflict, "no") }
                return "wrong"
            }
        }
        #expect(refused?.message == "no")
        #expect(try await store.reseal(isTrial: true) { (_, _) throws(CodeForgeError) in "wrong" } == 3)
        for task in ["1", "2", "3"] { #expect(try await store.secrets(of: task) == secrets) }

        let box = ReversingSecretBox()
        let count = try await store.reseal { _, sealed throws(CodeForgeError) in
            try box.seal(try box.open(sealed).replacing("\"t\"", with: "\"new\""))
        }
        #expect(count == 3)
        for task in ["1", "2", "3"] { #expect(try await store.secrets(of: task).accessToken == "new") }
        #expect(try await other.secrets(of: "9") == secrets)
        let left = try await client.perform("ttl") { connection throws(RedisError) in
            try connection.send("TTL", .text(client.keys.secrets("2"))).root.integer
        }
        #expect((1...500).contains(left), "its expiry stays")
    }
}
