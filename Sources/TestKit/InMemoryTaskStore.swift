package import Domain
import Synchronization

/// Tasks in a dictionary.
package final class InMemoryTaskStore: TaskStore {
    private struct State {
        var tasks: [String: CodeTask] = [:]
        var iterations: [String: [Iteration]] = [:]
        var callbacks: [String: Callback] = [:]
        /// When set, every call throws it: a store that is away.
        var failure: CodeForgeError?

        func check() throws(CodeForgeError) { if let failure { throw failure } }
    }

    private let state = Mutex(State())
    package let receipts = InMemoryReceiptStore()

    package init() {}

    /// Makes every call fail from now on; `nil` ends that.
    package func fail(with error: CodeForgeError?) { state.withLock { $0.failure = error } }

    package func insert(_ task: CodeTask, receipt: Receipt?) async throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            guard state.tasks[task.id] == nil else { throw CodeForgeError(.conflict, "insert task \(task.id): exists") }
            if let receipt { try receipts.put(receipt) }
            state.tasks[task.id] = task
        }
    }

    package func task(_ id: String) async throws(CodeForgeError) -> CodeTask? {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            return state.tasks[id]
        }
    }

    @discardableResult
    package func update(
        _ id: String,
        _ change: @escaping @Sendable (inout CodeTask) throws(CodeForgeError) -> Iteration?
    ) async throws(CodeForgeError) -> CodeTask {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            guard var task = state.tasks[id] else { throw CodeForgeError(.notFound, "task \(id) not found") }
            let iteration = try change(&task)
            task.id = id
            if let callback = task.callback { state.callbacks[callback.id] = callback }
            task.callback = nil
            state.tasks[id] = task
            if let iteration {
                state.iterations[id, default: []].removeAll { $0.number == iteration.number }
                state.iterations[id, default: []].append(iteration)
            }
            return task
        }
    }

    package func list(
        status: String?,
        limit: Int,
        offset: Int
    ) async throws(CodeForgeError) -> (tasks: [CodeTask], total: Int) {
        let all = try matching { status == nil || $0.status.rawValue == status }
        return (Array(all.reversed().dropFirst(max(0, offset)).prefix(max(0, limit))), all.count)
    }

    package func tasks(in statuses: Set<TaskStatus>) async throws(CodeForgeError) -> [CodeTask] {
        try matching { statuses.contains($0.status) }
    }

    package func waiting() async throws(CodeForgeError) -> [String] {
        try matching { $0.status.isClaimable && !$0.isUnderWay && $0.hold == nil }.map(\.id)
    }

    package func held() async throws(CodeForgeError) -> [CodeTask] {
        try matching { $0.status == .pending && $0.hold != nil }
    }

    package func tasksToPost() async throws(CodeForgeError) -> [CodeTask] { try matching { $0.posting != nil } }

    package func iterations(of id: String) async throws(CodeForgeError) -> [Iteration] {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            return state.iterations[id] ?? []
        }
    }

    package func ping() async throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in try state.check() }
    }

    /// Oldest first.
    private func matching(_ predicate: (CodeTask) -> Bool) throws(CodeForgeError) -> [CodeTask] {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            return state.tasks.values.filter(predicate).sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        }
    }
}

/// Callbacks come in with a change of their task, so the twin of their store is the same.
extension InMemoryTaskStore: CallbackStore {
    package func due(
        at time: Timestamp, limit: Int, except busy: Set<String>
    ) async throws(CodeForgeError) -> [Callback] {
        Array(try waiting(except: busy).filter { $0.dueAt <= time }.prefix(max(0, limit)))
    }

    package func nextDue(except busy: Set<String>) async throws(CodeForgeError) -> Timestamp? {
        try waiting(except: busy).first?.dueAt
    }

    package func release(task id: String, at time: Timestamp) async throws(CodeForgeError) {
        try changeCallbacks { callbacks in
            for callback in callbacks.values
            where callback.taskID == id && callback.attempts == 0 && callback.dueAt > time {
                callbacks[callback.id]?.dueAt = time
            }
        }
    }

    package func postpone(_ id: String, attempts: Int, until time: Timestamp) async throws(CodeForgeError) {
        try changeCallbacks { callbacks in
            callbacks[id]?.attempts = attempts
            callbacks[id]?.dueAt = time
        }
    }

    package func remove(_ id: String) async throws(CodeForgeError) { try changeCallbacks { $0[id] = nil } }

    private func changeCallbacks(_ change: (inout [String: Callback]) -> Void) throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            change(&state.callbacks)
        }
    }

    /// Longest due first.
    private func waiting(except busy: Set<String>) throws(CodeForgeError) -> [Callback] {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            return state.callbacks.values.filter { !busy.contains($0.id) }.sorted {
                ($0.dueAt, $0.id) < ($1.dueAt, $1.id)
            }
        }
    }
}
