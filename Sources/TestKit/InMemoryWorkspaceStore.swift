package import Domain
import Synchronization

/// Workspaces in a dictionary, beside the tasks they belong to.
package final class InMemoryWorkspaceStore: WorkspaceStore {
    private struct State {
        var workspaces: [String: Workspace] = [:]
        var diffs: [String: [Int: WorkspaceDiff]] = [:]
        var failure: CodeForgeError?

        func check() throws(CodeForgeError) { if let failure { throw failure } }
    }

    private let tasks: InMemoryTaskStore
    private let state = Mutex(State())

    package init(_ tasks: InMemoryTaskStore) { self.tasks = tasks }

    /// Makes every call fail from now on; `nil` ends that.
    package func fail(with error: CodeForgeError?) { state.withLock { $0.failure = error } }

    package func insert(_ workspace: Workspace) async throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            if state.workspaces[workspace.taskID] == nil { state.workspaces[workspace.taskID] = workspace }
        }
    }

    package func adopt(slug: String) async throws(CodeForgeError) {
        for task in try await tasks.tasks(in: Set(TaskStatus.allCases)) where task.workspaceSlug == slug {
            try await insert(
                Workspace(taskID: task.id, slug: slug, createdAt: task.startedAt ?? task.createdAt))
        }
    }

    package func workspace(of taskID: String) async throws(CodeForgeError) -> Workspace? {
        try await workspaces().first { $0.taskID == taskID }
    }

    package func workspaces() async throws(CodeForgeError) -> [Workspace] {
        let all = try state.withLock { state throws(CodeForgeError) in
            try state.check()
            return state.workspaces.values.sorted { ($0.createdAt, $0.taskID) < ($1.createdAt, $1.taskID) }
        }
        var shown: [Workspace] = []
        for var workspace in all {
            workspace.taskStatus = try await tasks.task(workspace.taskID)?.status
            shown.append(workspace)
        }
        return shown
    }

    package func record(_ measurement: WorkspaceMeasurement) async throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            let own = state.workspaces[measurement.taskID] == nil ? nil : measurement.taskID
            if let owner = own ?? measurement.usedTaskID {
                if let bytes = measurement.bytes { state.workspaces[owner]?.bytes = bytes }
                state.workspaces[owner]?.measuredTask = measurement.taskID
                state.workspaces[owner]?.measuredIteration = measurement.iteration
            }
            if let diff = measurement.diff {
                state.diffs[measurement.taskID, default: [:]][measurement.iteration] = diff
            }
        }
    }

    package func remove(_ taskID: String) async throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            state.workspaces[taskID] = nil
        }
    }

    package func bytes() async throws(CodeForgeError) -> Int {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            return state.workspaces.values.reduce(0) { $0 + $1.bytes }
        }
    }

    package func diff(of taskID: String, iteration: Int?) async throws(CodeForgeError) -> WorkspaceDiff? {
        try state.withLock { state throws(CodeForgeError) in
            try state.check()
            let diffs = state.diffs[taskID] ?? [:]
            return (iteration ?? diffs.keys.max()).flatMap { diffs[$0] }
        }
    }
}
