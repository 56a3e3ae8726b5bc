import Domain
import Foundation
import TestKit
import Testing

@testable import RedisMessaging

@Suite struct EmbeddedRedisTests {
    let directory = try! TemporaryDirectory()
    private var folder: String { directory.file("redis") }

    private func ping(_ redis: EmbeddedRedis) async throws {
        try await RedisHealthProbe(try RedisClient(url: redis.url)).ping()
    }

    private func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }

    @Test func startsAndStops() async throws {
        let redis = EmbeddedRedis(directory: folder)
        try await redis.start()
        try await ping(redis)
        let pid = try #require(redis.pid)
        #expect(getsid(pid) == pid)
        let mode = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        let connection = try RedisConnection(RedisEndpoint(redis.url))
        for (name, value) in [
            ("appendonly", "yes"), ("appendfsync", "everysec"), ("save", ""), ("port", "0"),
            ("maxmemory-policy", "noeviction"), ("dir", folder),
        ] {
            #expect(try connection.send("CONFIG", "GET", .text(name)).root[1]?.text == value, "\(name)")
        }
        await redis.stop(leaveRunning: false)
        try await eventually("the end") { isAlive(pid) ? nil : () }
        await redis.stop(leaveRunning: false)
    }

    @Test func aServerLeftRunningIsAdoptedWithItsData() async throws {
        let first = EmbeddedRedis(directory: folder)
        try await first.start()
        let queue = RedisTaskQueue(try RedisClient(url: first.url))
        try await queue.enqueue("kept")
        await first.stop(leaveRunning: true)
        let pid = try #require(first.pid)
        #expect(isAlive(pid))
        let second = EmbeddedRedis(directory: folder)
        try await second.start()
        #expect(second.pid == pid)
        #expect(try await queue.claim(wait: .seconds(20))?.taskID == "kept")
        await second.stop(leaveRunning: false)
        try await eventually("the end") { isAlive(pid) ? nil : () }
    }

    @Test func aKilledServerIsBackWithItsData() async throws {
        let redis = EmbeddedRedis(directory: folder)
        try await redis.start()
        let queue = RedisTaskQueue(try RedisClient(url: redis.url, patience: .seconds(20)))
        try await queue.enqueue("kept")
        let pid = try #require(redis.pid)
        kill(pid, SIGKILL)
        try await eventually("another process") { redis.pid.map { $0 != pid } == true ? () : nil }
        #expect(try await queue.claim(wait: .seconds(20))?.taskID == "kept")
        await redis.stop(leaveRunning: false)
    }

    @Test func anAdoptedServerIsWatchedToo() async throws {
        let first = EmbeddedRedis(directory: folder)
        try await first.start()
        await first.stop(leaveRunning: true)
        let second = EmbeddedRedis(directory: folder)
        try await second.start()
        let pid = try #require(second.pid)
        kill(pid, SIGKILL)
        // It is this process' child still, so it must be reaped before it counts as gone.
        try await eventually("another process") { second.pid.map { $0 != pid } == true ? () : nil }
        try await ping(second)
        await second.stop(leaveRunning: false)
    }

    @Test func twoStartsShareOneServer() async throws {
        let all = (0..<4).map { _ in EmbeddedRedis(directory: folder) }
        try await withThrowingTaskGroup { group in
            for redis in all { group.addTask { try await redis.start() } }
            try await group.waitForAll()
        }
        #expect(Set(all.map(\.pid)).count == 1)
        for redis in all.dropFirst() { await redis.stop(leaveRunning: true) }
        await all[0].stop(leaveRunning: false)
    }

    @Test func aMissingBinaryIsNamed() async throws {
        let error = await #expect(throws: CodeForgeError.self) {
            try await EmbeddedRedis(directory: folder, binary: "no-such-redis").start()
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message == "no-such-redis not found: install Redis 7 or newer (redis-server), or set redis.url")
    }

    @Test func anOldVersionIsNamed() async throws {
        let script = directory.file("redis-server")
        // Written by another process: a child of a test beside this one could hold our descriptor (ETXTBSY).
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        let line = "Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=x"
        shell.arguments = ["-c", "printf '#!/bin/sh\\necho %s\\n' '\(line)' > \(script); chmod 755 \(script)"]
        try shell.run()
        shell.waitUntilExit()
        let error = await #expect(throws: CodeForgeError.self) {
            try await EmbeddedRedis(directory: folder, binary: script).start()
        }
        #expect(error?.message.hasPrefix("redis-server 6.0.16 (\(script)) is too old") == true)
    }

    @Test func aServerThatCantStartSaysWhy() async throws {
        let files = folder + "/appendonlydir"
        try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
        try "garbage\n".write(toFile: files + "/appendonly.aof.manifest", atomically: true, encoding: .utf8)
        let error = await #expect(throws: CodeForgeError.self) { try await EmbeddedRedis(directory: folder).start() }
        #expect(error?.message.hasPrefix("embedded redis does not start: ") == true)
    }

    @Test func aDirectoryOfOthersIsRefused() async throws {
        try FileManager.default.createSymbolicLink(atPath: folder, withDestinationPath: directory.path)
        let error = await #expect(throws: CodeForgeError.self) { try await EmbeddedRedis(directory: folder).start() }
        #expect(error?.message.contains(folder) == true)
    }

    @Test func aPathTooLongForASocketIsRefused() async throws {
        let long = directory.file(String(repeating: "x", count: 100))
        let error = await #expect(throws: CodeForgeError.self) { try await EmbeddedRedis(directory: long).start() }
        #expect(error?.message.contains("shorten data_dir") == true)
    }

    @Test func namesWithSpacesAndQuotesAreOnlyNames() async throws {
        let odd = directory.file("a 'b\" --port 7000\n#c")
        let redis = EmbeddedRedis(directory: odd)
        try await redis.start()
        let connection = try RedisConnection(RedisEndpoint(redis.url))
        #expect(try connection.send("CONFIG", "GET", "dir").root[1]?.text == odd)
        #expect(try connection.send("CONFIG", "GET", "port").root[1]?.text == "0")
        await redis.stop(leaveRunning: false)
    }
}
