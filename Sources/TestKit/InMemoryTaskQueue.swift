package import Domain
import Synchronization

/// A queue in an array. Several may share one: each is then a server after a restart.
package final class InMemoryTaskQueue: TaskQueue {
    private final class Storage: Sendable {
        struct State {
            /// In order; `owner` is the queue object that claimed it.
            var entries: [(id: Int, taskID: String, owner: ObjectIdentifier?)] = []
            var lastID = 0
        }
        let state = Mutex(State())
    }

    private let storage: Storage

    package init() { storage = Storage() }

    /// The same queue after a restart of the server: what `earlier` claimed is to be reclaimed.
    package init(after earlier: InMemoryTaskQueue) { storage = earlier.storage }

    package func enqueue(_ taskID: String) async throws(CodeForgeError) {
        storage.state.withLock { state in
            state.lastID += 1
            state.entries.append((state.lastID, taskID, nil))
        }
    }

    package func claim(wait: Duration) async throws(CodeForgeError) -> Claim? {
        let clock = ContinuousClock()
        let end = clock.now + wait
        while true {
            if Task.isCancelled { throw CodeForgeError(.cancelled, "the wait was cancelled") }
            if let claim = claimNow() { return claim }
            guard clock.now < end else { return nil }
            try? await Task.sleep(for: .milliseconds(2))  // a cancelled sleep is seen above
        }
    }

    package func reclaim() async throws(CodeForgeError) -> [Claim] {
        storage.state.withLock { state in
            var claims: [Claim] = []
            for index in state.entries.indices {
                guard let owner = state.entries[index].owner, owner != ObjectIdentifier(self) else { continue }
                state.entries[index].owner = ObjectIdentifier(self)
                claims.append(Claim(entry: String(state.entries[index].id), taskID: state.entries[index].taskID))
            }
            return claims
        }
    }

    package func acknowledge(_ claim: Claim) async throws(CodeForgeError) {
        storage.state.withLock { $0.entries.removeAll { String($0.id) == claim.entry } }
    }

    package func depth() async throws(CodeForgeError) -> Int { storage.state.withLock { $0.entries.count } }

    package func contents() async throws(CodeForgeError) -> Set<String> {
        storage.state.withLock { Set($0.entries.map(\.taskID)) }
    }

    private func claimNow() -> Claim? {
        storage.state.withLock { state in
            guard let index = state.entries.firstIndex(where: { $0.owner == nil }) else { return nil }
            state.entries[index].owner = ObjectIdentifier(self)
            return Claim(entry: String(state.entries[index].id), taskID: state.entries[index].taskID)
        }
    }
}
