package import Domain
import Synchronization

/// Workspaces that are names in a set.
package final class InMemoryWorkspaceFiles: WorkspaceFiles {
    private struct State {
        /// Slug → bytes of a volume.
        var workspaces: [String: Int?] = [:]
        var taskIDs: Set<String> = []
        var runs: Set<String> = []
        var discarded = 0
        var failure: CodeForgeError?
    }
    private let state = Mutex(State())

    package init() {}

    package func add(slug: String, volumeBytes: Int? = nil) {
        state.withLock { $0.workspaces[slug] = .some(volumeBytes) }
    }
    package func add(taskID: String) { state.withLock { _ = $0.taskIDs.insert(taskID) } }
    package func add(run: String) { state.withLock { _ = $0.runs.insert(run) } }
    /// Makes every removal fail from now on; `nil` ends that.
    package func fail(with error: CodeForgeError?) { state.withLock { $0.failure = error } }

    /// What was discarded and is still to be removed.
    package var discarded: Int { state.withLock(\.discarded) }

    package func slugs() async throws(CodeForgeError) -> Set<String> { state.withLock { Set($0.workspaces.keys) } }
    package func taskIDs() async throws(CodeForgeError) -> Set<String> { state.withLock(\.taskIDs) }
    package func runs(unchangedFor seconds: Int) async throws(CodeForgeError) -> [String] {
        state.withLock { $0.runs.sorted() }
    }
    package func volumeBytes(of slug: String) -> Int? { state.withLock { $0.workspaces[slug] ?? nil } }

    package func discard(slug: String?, taskID: String) throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in
            if let failure = state.failure { throw failure }
            if let slug, state.workspaces.removeValue(forKey: slug) != nil { state.discarded += 1 }
            if state.taskIDs.remove(taskID) != nil { state.discarded += 1 }
            if state.runs.remove(taskID) != nil { state.discarded += 1 }
        }
    }

    package func discardRun(of taskID: String) throws(CodeForgeError) {
        state.withLock { if $0.runs.remove(taskID) != nil { $0.discarded += 1 } }
    }

    package func removeDiscarded() async throws(CodeForgeError) { state.withLock { $0.discarded = 0 } }
}
