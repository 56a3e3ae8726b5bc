import Domain
import Foundation
import TestKit
import Testing

@testable import RedisMessaging

@Suite struct RedisEventLogTests {
    let redis: RedisFixture
    let log: RedisEventLog

    init() async throws {
        redis = try await RedisFixture()
        log = RedisEventLog(try RedisClient(url: redis.url), historyEntries: 1_000_000)
    }

    /// What a follower of `t` sees until entry `last`.
    private func follow(_ last: Int, ready: Counter? = nil) async throws -> [LoggedEvent.Body] {
        var seen: [LoggedEvent.Body] = []
        for try await batch in log.follow("t", after: nil) {
            seen += batch.entries.map(\.body)
            if batch.caughtUp, let ready { ready.value = 1 }
            if seen.last == EventLogContract.body(last) { break }
        }
        return seen
    }

    @Test func followersOutliveAKilledRedis() async throws {
        try await log.append((0..<100).map(EventLogContract.body), to: "t")
        let ready = Counter()
        async let seen = follow(200, ready: ready)
        try await eventually("the follower to catch up") { ready.value == 1 ? () : nil }
        redis.crash()
        try await Task.sleep(for: .milliseconds(100))
        try await redis.start()
        for number in 100...200 { try await log.append([EventLogContract.body(number)], to: "t") }
        #expect(try await seen == (0...200).map(EventLogContract.body))
    }

    @Test func anAppendWaitsForARedisThatComesBackSoon() async throws {
        redis.crash()
        async let appended: Void = log.append([EventLogContract.body(1)], to: "t")
        try await Task.sleep(for: .milliseconds(100))
        try await redis.start()
        try await appended
        #expect(try redis.cli("XLEN", "codeforge:task:t:events") == "1")
    }

    @Test func withoutRedisAnAppendFailsInTheEnd() async throws {
        redis.crash()
        let impatient = try RedisClient(url: redis.url, patience: .milliseconds(50))
        let log = RedisEventLog(impatient, historyEntries: 10)
        let error = await #expect(throws: CodeForgeError.self) {
            try await log.append([EventLogContract.body(1)], to: "t")
        }
        #expect(error?.code == .unavailable)
    }

    @Test func oneSubscriberConnectionServesAllFollowers() async throws {
        try await withThrowingTaskGroup { group in
            let ready = Counter()
            for number in 0..<5000 {
                group.addTask {
                    var seen: [LoggedEvent.Body] = []
                    var hasCaughtUp = false
                    for try await batch in log.follow(number < 4000 ? "t" : "t\(number % 10)", after: nil) {
                        seen += batch.entries.map(\.body)
                        if batch.caughtUp && !hasCaughtUp {
                            hasCaughtUp = true
                            ready.increment()
                        }
                        if seen.count == 50 { break }
                    }
                    #expect(seen == (0..<50).map(EventLogContract.body))
                }
            }
            try await eventually("all followers", within: .seconds(60)) { ready.value == 5000 ? () : nil }
            let clients = try redis.cli("CLIENT", "LIST").split(separator: "\n")
            #expect(clients.filter { $0.contains("sub=1") }.count == 1)
            #expect(clients.count < 10)
            let before = try reads()
            for number in 0..<50 {
                try await log.append([EventLogContract.body(number)], to: "t")
                for other in 0..<10 { try await log.append([EventLogContract.body(number)], to: "t\(other)") }
            }
            try await group.waitForAll()
            // Shared reads: a few for each append (the safety poll may add some), not one for each follower.
            #expect(try reads() - before < 50 * 11 * 4)
        }
    }

    private func reads() throws -> Int {
        let line = try redis.cli("INFO", "commandstats").split(separator: "\n").first { $0.contains("cmdstat_xrange:") }
        let calls = line?.split(separator: "=").dropFirst().first?.split(separator: ",").first
        return calls.flatMap { Int($0) } ?? 0
    }

    @Test func aSlowFollowerLosesNothing() async throws {
        let written = Counter()
        async let slow: [LoggedEvent.Body] = {
            var seen: [LoggedEvent.Body] = []
            for try await batch in log.follow("t", after: nil) {
                seen += batch.entries.map(\.body)
                if seen.count == 6000 { break }
                // Sleeps until the writer is well ahead of the window.
                if written.value < 6000 { try await eventually("the writer") { written.value == 6000 ? () : nil } }
            }
            return seen
        }()
        async let fast = follow(5999)
        for number in 0..<6000 {
            try await log.append([EventLogContract.body(number)], to: "t")
            written.value = number + 1
        }
        let wanted = (0..<6000).map(EventLogContract.body)
        #expect(try await fast == wanted)
        #expect(try await slow == wanted)
    }

    @Test func aTrimmedIdContinuesWithTheOldest() async throws {
        try await log.append((0..<10).map(EventLogContract.body), to: "t")
        let first = try redis.cli("XRANGE", "codeforge:task:t:events", "-", "+", "COUNT", "1").prefix { $0 != "\n" }
        try redis.cli("XTRIM", "codeforge:task:t:events", "MAXLEN", "3")
        for try await batch in log.follow("t", after: String(first)) {
            #expect(batch.entries.map(\.body) == (7..<10).map(EventLogContract.body))
            break
        }
    }

    @Test func historyExpiresWhenToldAndStaysWhenToldOtherwise() async throws {
        try await log.append([EventLogContract.body(1)], to: "t")
        try await log.expire("t", seconds: 1000)
        #expect(try #require(Int(try redis.cli("TTL", "codeforge:task:t:events"))) > 900)
        try await log.expire("t", seconds: nil)
        #expect(try redis.cli("TTL", "codeforge:task:t:events") == "-1")
        try await log.expire("gone", seconds: nil)
    }

    @Test func hubsAreGoneWithTheirFollowers() async throws {
        for number in 0..<20 {
            for try await _ in log.follow("t\(number)", after: nil) { break }
        }
        try await eventually("no hub") { log.hubCount == 0 ? () : nil }
    }
}
