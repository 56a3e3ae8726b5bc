import Domain
import Sandboxing
import Synchronization

/// Where everything that can end a run early meets: whoever comes first decides, and what runs is killed.
package final class RunControl: Sendable {
    package enum Reason: Sendable, Equatable {
        case cancelled
        case timeout
        /// A limit was hit; the text names it.
        case limit(String)
    }

    private struct State {
        var reason: Reason?
        var sandbox: RunningSandbox?
    }
    private let state = Mutex(State())

    package init() {}

    /// Why the run must end; `nil` while it may go on.
    package var reason: Reason? { state.withLock(\.reason) }

    /// Ends the run. Later calls change nothing.
    package func stop(_ reason: Reason) {
        let sandbox = state.withLock { state in
            if state.reason == nil { state.reason = reason }
            return state.sandbox
        }
        sandbox?.kill()
    }

    /// Makes `sandbox` the one a stop kills, at once when the stop came first.
    func attach(_ sandbox: RunningSandbox) {
        let stopped = state.withLock { state in
            state.sandbox = sandbox
            return state.reason != nil
        }
        if stopped { sandbox.kill() }
    }

    func detach() { state.withLock { $0.sandbox = nil } }
}
