package import Domain
import Synchronization

/// Sandboxes set by the test; what is done to them is kept for it to see, and changes their state.
package final class InMemorySandboxControl: SandboxControl {
    /// Something an operator did.
    package struct Act: Sendable, Equatable {
        package var action: SandboxAction
        package var sandbox: String
        package var actor: String

        package init(action: SandboxAction, sandbox: String, actor: String) {
            self.action = action
            self.sandbox = sandbox
            self.actor = actor
        }
    }

    private struct State {
        var sandboxes: [SandboxStatus] = []
        var processes: [String: [SandboxProcess]] = [:]
        var acts: [Act] = []
        var failure: CodeForgeError?
    }
    private let state = Mutex(State())

    package init() {}

    package func add(_ status: SandboxStatus, processes: [SandboxProcess] = []) {
        state.withLock { state in
            state.sandboxes.append(status)
            state.processes[status.id] = processes
        }
    }

    package func remove(_ id: String) { state.withLock { $0.sandboxes.removeAll { $0.id == id } } }

    /// Makes every call fail, as if no supervisor answered; `nil` ends that.
    package func fail(with error: CodeForgeError?) { state.withLock { $0.failure = error } }

    package var acts: [Act] { state.withLock(\.acts) }

    package func sandboxes() async throws(CodeForgeError) -> [SandboxStatus] {
        try checked { $0.sandboxes.sorted { ($0.startedAt, $0.id) < ($1.startedAt, $1.id) } }
    }

    package func status(of id: String) async throws(CodeForgeError) -> SandboxStatus {
        try checked { state throws(CodeForgeError) in state.sandboxes[try Self.index(of: id, state)] }
    }

    package func processes(of id: String) async throws(CodeForgeError) -> [SandboxProcess] {
        try checked { state throws(CodeForgeError) in
            _ = try Self.index(of: id, state)
            return state.processes[id] ?? []
        }
    }

    package func perform(_ action: SandboxAction, on id: String, by actor: String) async throws(CodeForgeError) {
        try checked { state throws(CodeForgeError) in
            let index = try Self.index(of: id, state)
            state.acts.append(Act(action: action, sandbox: id, actor: actor))
            switch action {
            case .kill: state.sandboxes.remove(at: index)
            case .pause: state.sandboxes[index].state = .paused
            case .resume: state.sandboxes[index].state = .running
            }
        }
    }

    private static func index(of id: String, _ state: State) throws(CodeForgeError) -> Int {
        guard let index = state.sandboxes.firstIndex(where: { $0.id == id }) else {
            throw CodeForgeError(.notFound, "no running sandbox \(id)")
        }
        return index
    }

    private func checked<Value: Sendable>(
        _ body: (inout State) throws(CodeForgeError) -> Value
    ) throws(CodeForgeError) -> Value {
        let result: Result<Value, CodeForgeError> = state.withLock { state in
            if let failure = state.failure { return .failure(failure) }
            do throws(CodeForgeError) {
                return .success(try body(&state))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
