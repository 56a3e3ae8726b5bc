import Domain
import Foundation
import TestKit
import Testing

@testable import RedisMessaging

/// As the relay does: never ahead of what the writer has room for.
private func write(_ body: LoggedEvent.Body, _ writer: EventWriter) {
    writer.waitForRoom()
    writer.append(body)
}

@Suite struct EventWriterTests {
    let redis: RedisFixture

    init() async throws { redis = try await RedisFixture() }

    private func settings(_ writerID: String = "1-1-task", history: Int = 1_000_000) -> EventWriter.Settings {
        .init(
            taskID: "t",
            writerID: writerID,
            historyEntries: history,
            spoolPath: redis.directory.file("spool-" + writerID)
        )
    }

    private func client() throws -> RedisClient { try RedisClient(url: redis.url) }

    private func collect(_ count: Int) async throws -> [LoggedEvent.Body] {
        try await EventLogContract.collect(RedisEventLog(client(), historyEntries: 1_000_000), count)
    }

    @Test func everythingIsInTheLogAfterAFlush() async throws {
        let writer = try EventWriter(client(), settings())
        let bodies = (0..<20_000).map(EventLogContract.body) + [.done(json: Array("{}".utf8))]
        await onThread { for body in bodies { write(body, writer) } }
        try await writer.flush()
        #expect(try redis.cli("XLEN", "codeforge:task:t:events") == "20001")
        #expect(try await collect(20_001) == bodies)
        #expect(await writer.close())
        let spool = redis.directory.file("spool-1-1-task")
        try await eventually("the spool to be removed") { FileManager.default.fileExists(atPath: spool) ? nil : () }
    }

    /// The property everything rests on: killed at any moment, Redis has every entry once, in order, in the end.
    @Test func aKilledRedisLosesAndDoublesNothing() async throws {
        let total = 200_000
        let writer = try EventWriter(client(), settings())
        let written = Counter()
        async let writing: Void = onThread {
            for number in 0..<total {
                write(EventLogContract.body(number), writer)
                written.value = number
            }
        }
        for kill in 1...3 {
            let mark = total / 5 * kill
            try await eventually("\(mark) entries") { written.value > mark ? () : nil }
            redis.crash()
            try await Task.sleep(for: .milliseconds(150 * (kill - 1)))
            try await redis.start()
        }
        await writing
        #expect(await writer.flush(within: .seconds(60)))
        let seen = try await collect(total)
        #expect(seen.count == total)
        #expect(seen == (0..<total).map(EventLogContract.body))
        await writer.close()
    }

    @Test func whatComesWhileRedisIsAwayIsSpooledAndSentLater() async throws {
        let writer = try EventWriter(client(), settings())
        writer.append(EventLogContract.body(0))
        try await writer.flush()
        redis.crash()
        let body = LoggedEvent.Body.event(json: [UInt8](repeating: 120, count: 1000))
        // Twice the memory: it can only pass through the spool.
        await onThread { for _ in 0..<8000 { write(body, writer) } }
        #expect(await writer.flush(within: .milliseconds(50)) == false)
        let spool = try FileManager.default.attributesOfItem(atPath: redis.directory.file("spool-1-1-task"))
        #expect((spool[.size] as? Int ?? 0) > 1 << 20)
        #expect(spool[.posixPermissions] as? Int == 0o600)
        try await redis.start()
        #expect(await writer.flush(within: .seconds(60)))
        #expect(try redis.cli("XLEN", "codeforge:task:t:events") == "8001")
        #expect(await writer.close())
    }

    @Test func aFullSpoolHoldsTheCallerUp() async throws {
        redis.crash()
        var settings = settings()
        settings.memoryBytes = 64 << 10
        settings.spoolBytes = 256 << 10
        let writer = try EventWriter(client(), settings)
        let written = Counter()
        let body = LoggedEvent.Body.event(json: [UInt8](repeating: 120, count: 1000))
        async let writing: Void = onThread {
            for number in 1...2000 {
                write(body, writer)
                written.value = number
            }
        }
        try await eventually("a standstill") {
            let before = written.value
            try await Task.sleep(for: .milliseconds(400))
            return before > 0 && written.value == before ? () : nil
        }
        #expect(written.value < 1000)
        try await redis.start()
        await writing
        #expect(await writer.flush(within: .seconds(60)))
        #expect(try redis.cli("XLEN", "codeforge:task:t:events") == "2000")
        await writer.close()
    }

    @Test func aBatchThatComesTwiceIsAppendedOnce() async throws {
        let connection = try RedisConnection(RedisEndpoint(redis.url))
        let keys = ["stream", "counter"]
        func send(_ first: Int, _ values: [String]) throws -> Int {
            let kinds = String(repeating: "e", count: values.count)
            let head: [RedisArgument] = [.int(first), 1000, "live", "t", 60, .text(kinds)]
            return try connection.run(RedisScripts.writeBatch, keys: keys, head + values.map { .text($0) }).root.integer
        }
        #expect(try send(1, ["a", "b"]) == 2)
        #expect(try send(1, ["a", "b"]) == 2)
        #expect(try send(2, ["b", "c", "d"]) == 4)
        #expect(try send(5, ["e"]) == 5)
        #expect(try send(3, ["c", "d"]) == 5)
        let values = try connection.send("XRANGE", "stream", "-", "+").root.elements().map { $0[1]?[1]?.text }
        #expect(values == ["a", "b", "c", "d", "e"])
    }

    @Test func twoWritersOfATaskDoNotDisturbEachOther() async throws {
        let log = RedisEventLog(try client(), historyEntries: 1000)
        for (name, number) in [("1-1-task", 1), ("1-2-task", 2)] {
            let writer = try EventWriter(client(), settings(name))
            writer.append(EventLogContract.body(number))
            #expect(await writer.close())
            try await log.append([EventLogContract.body(number * 10)], to: "t")
        }
        #expect(try await collect(4) == [1, 10, 2, 20].map(EventLogContract.body))
    }

    @Test func theHistoryIsCapped() async throws {
        let writer = try EventWriter(client(), settings(history: 500))
        await onThread { for number in 0..<5000 { writer.append(EventLogContract.body(number)) } }
        #expect(await writer.close())
        let length = try #require(Int(try redis.cli("XLEN", "codeforge:task:t:events")))
        #expect((500..<1000).contains(length))
    }

    @Test func aClosedWriterTakesNothing() async throws {
        let writer = try EventWriter(client(), settings())
        #expect(await writer.close())
        writer.append(EventLogContract.body(1))
        #expect(try redis.cli("EXISTS", "codeforge:task:t:events") == "0")
    }

    @Test func aLinkInPlaceOfTheSpoolIsRefused() throws {
        let path = redis.directory.file("spool-1-1-task")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: redis.directory.file("x"))
        #expect(throws: CodeForgeError.self) { try EventWriter(client(), settings()) }
    }
}
