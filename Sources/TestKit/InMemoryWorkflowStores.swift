package import Domain
import Synchronization

/// Workflows in an array.
package final class InMemoryWorkflowStore: WorkflowStore {
    private let all = Mutex<[Workflow]>([])

    package init() {}

    package func insert(_ workflow: Workflow) async throws(CodeForgeError) {
        try all.withLock { all throws(CodeForgeError) in
            if all.contains(where: { $0.name == workflow.name }) {
                throw CodeForgeError(.conflict, "\(workflow.name) is taken")
            }
            all.append(workflow)
        }
    }

    package func replaceBuiltIn(_ workflows: [Workflow]) async throws(CodeForgeError) {
        all.withLock { all in
            all.removeAll { old in old.isBuiltIn && !workflows.contains { $0.name == old.name } }
            for var workflow in workflows {
                workflow.isBuiltIn = true
                if let index = all.firstIndex(where: { $0.name == workflow.name }) {
                    guard all[index].isBuiltIn else { continue }
                    workflow.createdAt = all[index].createdAt
                    all[index] = workflow
                } else {
                    all.append(workflow)
                }
            }
        }
    }

    package func workflows() async throws(CodeForgeError) -> [Workflow] {
        all.withLock { $0.filter(\.isBuiltIn) + $0.filter { !$0.isBuiltIn } }
    }

    package func workflow(_ name: String) async throws(CodeForgeError) -> Workflow? {
        all.withLock { $0.first { $0.name == name } }
    }

    package func remove(_ name: String) async throws(CodeForgeError) -> Bool {
        all.withLock { all in
            let count = all.count
            all.removeAll { $0.name == name }
            return all.count < count
        }
    }
}

/// Runs and steps in arrays.
package final class InMemoryWorkflowRunStore: WorkflowRunStore {
    private struct State {
        var runs: [WorkflowRun] = []
        var steps: [String: [Int: RunStep]] = [:]
        /// How many of the next updates fail.
        var failures = 0
    }

    private let state = Mutex(State())
    private let receipts: InMemoryReceiptStore

    package init(receipts: InMemoryReceiptStore = InMemoryReceiptStore()) { self.receipts = receipts }

    /// Makes the next updates fail, as a record that is away for a while does.
    package func failUpdates(_ count: Int) { state.withLock { $0.failures = count } }

    package func insert(_ run: WorkflowRun, receipt: Receipt?) async throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in
            if state.runs.contains(where: { $0.id == run.id }) {
                throw CodeForgeError(.conflict, "\(run.id) is taken")
            }
            if let receipt { try receipts.put(receipt) }
            state.runs.append(run)
        }
    }

    package func run(_ id: String) async throws(CodeForgeError) -> WorkflowRun? {
        state.withLock { $0.runs.first { $0.id == id } }
    }

    package func steps(of runID: String) async throws(CodeForgeError) -> [RunStep] {
        state.withLock { ($0.steps[runID] ?? [:]).values.sorted { $0.index < $1.index } }
    }

    @discardableResult
    package func update(
        _ id: String, _ change: @escaping @Sendable (inout WorkflowRun) throws(CodeForgeError) -> RunStep?
    ) async throws(CodeForgeError) -> WorkflowRun {
        try state.withLock { state throws(CodeForgeError) in
            if state.failures > 0 {
                state.failures -= 1
                throw CodeForgeError(.unavailable, "the record is away")
            }
            guard let index = state.runs.firstIndex(where: { $0.id == id }) else {
                throw CodeForgeError(.notFound, "workflow run '\(id)' not found")
            }
            let old = state.runs[index]
            var run = old
            let step = try change(&run)
            // As with rows: what a run was started with never changes.
            (run.id, run.workflow, run.workflowName, run.params) = (id, old.workflow, old.workflowName, old.params)
            state.runs[index] = run
            if let step { state.steps[id, default: [:]][step.index] = step }
            return run
        }
    }

    package func runs(of workflow: String?, limit: Int) async throws(CodeForgeError) -> [WorkflowRun] {
        state.withLock { state in
            Array(state.runs.reversed().filter { workflow == nil || $0.workflowName == workflow }.prefix(limit))
        }
    }

    package func openRuns(of workflow: String?) async throws(CodeForgeError) -> [WorkflowRun] {
        state.withLock { state in
            state.runs.filter { !$0.status.isFinished && (workflow == nil || $0.workflowName == workflow) }
        }
    }
}
