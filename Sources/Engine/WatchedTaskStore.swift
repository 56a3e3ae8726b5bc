package import Domain
import Synchronization

/// A record of tasks that tells who waits for one that it changed, and remembers those that were asked for. All of the
/// service's writes go through it.
package final class WatchedTaskStore: TaskStore {
    private let store: any TaskStore
    private let cache: TaskCache
    private let watchers = Mutex<(next: Int, all: [String: [Int: Waker]])>((0, [:]))

    /// - Parameter cacheBytes: About what the tasks it remembers may take up.
    package init(_ store: any TaskStore, cacheBytes: Int) {
        self.store = store
        cache = TaskCache(bytes: cacheBytes)
    }

    /// Runs `body` with something that is woken by each change of a task, from now on.
    package func watching<Result, Failure: Error>(
        _ id: String, _ body: (Waker) async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let waker = Waker()
        let number = watchers.withLock { watchers in
            watchers.next += 1
            watchers.all[id, default: [:]][watchers.next] = waker
            return watchers.next
        }
        defer {
            watchers.withLock { watchers in
                watchers.all[id]?[number] = nil
                if watchers.all[id]?.isEmpty == true { watchers.all[id] = nil }
            }
        }
        return try await body(waker)
    }

    @discardableResult
    package func update(
        _ id: String, _ change: @escaping @Sendable (inout CodeTask) throws(CodeForgeError) -> Iteration?
    ) async throws(CodeForgeError) -> CodeTask {
        let task = try await cache.writing(id) { () throws(CodeForgeError) in try await store.update(id, change) }
        for waker in watchers.withLock({ Array(($0.all[id] ?? [:]).values) }) { waker.wake() }
        return task
    }

    package func insert(_ task: CodeTask, receipt: Receipt?) async throws(CodeForgeError) {
        try await store.insert(task, receipt: receipt)
    }

    package func task(_ id: String) async throws(CodeForgeError) -> CodeTask? {
        try await cache.task(id) { () throws(CodeForgeError) in try await store.task(id) }
    }

    package func list(
        status: String?, limit: Int, offset: Int
    ) async throws(CodeForgeError) -> (tasks: [CodeTask], total: Int) {
        try await store.list(status: status, limit: limit, offset: offset)
    }

    package func tasks(in statuses: Set<TaskStatus>) async throws(CodeForgeError) -> [CodeTask] {
        try await store.tasks(in: statuses)
    }

    package func waiting() async throws(CodeForgeError) -> [String] { try await store.waiting() }

    package func held() async throws(CodeForgeError) -> [CodeTask] { try await store.held() }

    package func tasksToPost() async throws(CodeForgeError) -> [CodeTask] { try await store.tasksToPost() }

    package func iterations(of id: String) async throws(CodeForgeError) -> [Iteration] {
        try await store.iterations(of: id)
    }

    package func ping() async throws(CodeForgeError) { try await store.ping() }
}
