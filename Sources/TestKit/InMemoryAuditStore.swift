package import Domain
import Synchronization

/// Audit entries in an array.
package final class InMemoryAuditStore: AuditStore {
    private struct State {
        var entries: [AuditEntry] = []
        var last: Int64 = 0
        var failure: CodeForgeError?
    }

    private let state = Mutex(State())

    package init() {}

    /// Makes every call fail from now on; `nil` ends that.
    package func fail(with error: CodeForgeError?) { state.withLock { $0.failure = error } }

    @discardableResult
    package func append(_ batches: [AuditBatch]) async throws(CodeForgeError) -> [AuditRecord] {
        try state.withLock { state throws(CodeForgeError) in
            if let failure = state.failure { throw failure }
            var added: [AuditRecord] = []
            for batch in batches {
                for record in batch.records
                where !state.entries.contains(where: { $0.run == batch.run && $0.record.number == record.number }) {
                    state.last += 1
                    state.entries.append(AuditEntry(id: state.last, run: batch.run, record: record))
                    added.append(record)
                }
            }
            return added
        }
    }

    package func entries(_ query: AuditQuery) async throws(CodeForgeError) -> [AuditEntry] {
        try state.withLock { state throws(CodeForgeError) in
            if let failure = state.failure { throw failure }
            let found = state.entries.filter { entry in
                let isInScope =
                    switch query.scope {
                    case .task(let id): entry.run.taskID == id
                    case .iteration(let id, let number): entry.run.taskID == id && entry.run.iteration == number
                    case .sandbox(let id): entry.record.sandbox == id
                    }
                return isInScope && entry.id > query.after && (query.kind ?? entry.record.kind) == entry.record.kind
                    && (query.verdict ?? entry.record.verdict) == entry.record.verdict
            }
            return Array(found.prefix(max(1, query.limit)))
        }
    }

    @discardableResult
    package func remove(before time: Timestamp) async throws(CodeForgeError) -> Int {
        try state.withLock { state throws(CodeForgeError) in
            if let failure = state.failure { throw failure }
            let count = state.entries.count
            state.entries.removeAll { $0.record.time < time }
            return count - state.entries.count
        }
    }
}
