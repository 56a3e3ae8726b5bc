import Domain
import Synchronization
import TestKit
import Testing

@testable import Engine

@Suite struct TaskCacheTests {
    private let cache = TaskCache(bytes: 1 << 20)

    private func task(_ id: String = "t", iteration: Int = 1, prompt: String = "p") -> CodeTask {
        var task = CodeTask(
            id: id, repoURL: "r", prompt: prompt, workspaceSlug: "s", createdAt: Timestamp(nanoseconds: 0))
        task.iteration = iteration
        return task
    }

    /// What comes when the record says `iteration` now: of the record, or older, from the cache.
    private func seen(_ iteration: Int, in cache: TaskCache? = nil, _ id: String = "t") async throws -> Int? {
        try await (cache ?? self.cache).task(id) { () throws(CodeForgeError) in task(id, iteration: iteration) }?
            .iteration
    }

    @Test(arguments: TaskStoreContract.cases)
    func aStoreThatRemembersIsAStore(_ rule: TaskStoreContract.Case) async throws {
        try await rule.run(WatchedTaskStore(InMemoryTaskStore(), cacheBytes: 1 << 20))
        try await rule.run(WatchedTaskStore(InMemoryTaskStore(), cacheBytes: 0))
    }

    @Test func aTaskIsReadOnceUntilItIsWritten() async throws {
        #expect(try await seen(1) == 1)
        #expect(try await seen(2) == 1)
        try await cache.writing("other") {}
        #expect(try await seen(3) == 1)
        try await cache.writing("t") {}
        #expect(try await seen(4) == 4)
        #expect(try await seen(5) == 4)
    }

    @Test func whatIsNotThereIsAskedForAgain() async throws {
        #expect(try await cache.task("t") { () throws(CodeForgeError) in nil } == nil)
        #expect(try await seen(1) == 1)
    }

    @Test func whatAWriteOvertookIsNotKept() async throws {
        let old = try await cache.task("t") { () throws(CodeForgeError) in
            try await cache.writing("t") { () throws(CodeForgeError) in }
            return task(iteration: 1)
        }
        #expect(old?.iteration == 1)
        #expect(try await seen(2) == 2)
    }

    @Test func whatIsReadDuringAWriteIsNotKept() async throws {
        try await cache.writing("t") { () throws(CodeForgeError) in
            // A second write that ends first leaves the first one under way.
            try await cache.writing("t") { () throws(CodeForgeError) in }
            _ = try await cache.task("t") { () throws(CodeForgeError) in task(iteration: 1) }
        }
        #expect(try await seen(2) == 2)
        #expect(try await seen(3) == 2)
    }

    @Test func failuresLeaveNothingBehind() async throws {
        let away = CodeForgeError(.unavailable, "away")
        await #expect(throws: away) {
            _ = try await cache.task("t") { () throws(CodeForgeError) in throw away }
        }
        await #expect(throws: away) {
            try await cache.writing("t") { () throws(CodeForgeError) in throw away }
        }
        #expect(try await seen(1) == 1)
        #expect(try await seen(2) == 1)
    }

    @Test func whatNobodyAsksForGoes() async throws {
        let small = TaskCache(bytes: 200_000)
        func ask(_ number: Int, _ prompt: String) async throws -> Bool {
            let isRead = Mutex(false)
            _ = try await small.task("\(number)") { () throws(CodeForgeError) in
                isRead.withLock { $0 = true }
                return task("\(number)", prompt: prompt)
            }
            return isRead.withLock { $0 }
        }
        let prompt = String(repeating: "x", count: 10_000)
        for number in 0..<100 {
            _ = try await ask(number, prompt)
            // Asked for all the time: it stays.
            _ = try await ask(0, prompt)
        }
        #expect(try await !ask(0, prompt))
        #expect(try await !ask(99, prompt))
        var known = 0
        for number in stride(from: 99, through: 0, by: -1) where try await !ask(number, prompt) { known += 1 }
        #expect((5...20).contains(known))
        // What would fill it alone is not taken in at all.
        let long = String(repeating: "x", count: 150_000)
        _ = try await ask(1000, long)
        #expect(try await ask(1000, long))
        #expect(try await !ask(0, prompt))
    }

    private final class Version: Sendable {
        let number = Mutex(1)
    }

    @Test func nobodySeesWhatWasReplaced() async throws {
        let store = WatchedTaskStore(InMemoryTaskStore(), cacheBytes: 1 << 20)
        try await store.insert(task(), receipt: nil)
        let written = Version()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<500 {
                        let task = try await store.update("t") { task throws(CodeForgeError) in
                            task.iteration += 1
                            return nil
                        }
                        written.number.withLock { $0 = max($0, task.iteration) }
                    }
                }
                group.addTask {
                    for _ in 0..<2000 {
                        let least = written.number.withLock { $0 }
                        let seen = try await store.task("t")?.iteration ?? 0
                        #expect(seen >= least)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.task("t")?.iteration == 2001)
    }
}
