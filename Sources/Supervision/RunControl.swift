package import Domain
import Sandboxing
import Synchronization

/// Where everything that can end a run early meets: whoever comes first decides, and what runs is killed.
package final class RunControl: Sendable {
    package enum Reason: Sendable, Equatable {
        case cancelled
        case timeout
        /// A limit was hit; the text names it and its setting.
        case limit(SandboxLimit, String)
        /// By an operator.
        case killed(by: String)
    }

    private struct State {
        var reason: Reason?
        var stoppedSandbox = ""
        var live: LiveSandbox?
        var enforced: (profile: SandboxProfile, missing: [LayerStatus])?
    }
    private let state = Mutex(State())

    package init() {}

    /// Why the run must end; `nil` while it may go on.
    package var reason: Reason? { state.withLock(\.reason) }

    /// What the CLI's sandbox was bounded by, and the layers it went without; `nil` when it never ran.
    var enforced: (profile: SandboxProfile, missing: [LayerStatus])? { state.withLock(\.enforced) }

    /// Id of the sandbox that a stop ended; empty when none ran.
    var stoppedSandbox: String { state.withLock(\.stoppedSandbox) }

    /// The sandbox that runs now.
    var live: LiveSandbox? { state.withLock(\.live) }

    /// Ends the run. Later calls change nothing.
    package func stop(_ reason: Reason) {
        let live = state.withLock { state in
            if state.reason == nil { (state.reason, state.stoppedSandbox) = (reason, state.live?.id ?? "") }
            return state.live
        }
        live?.sandbox.kill()
    }

    /// Makes `live` the one a stop kills, at once when the stop came first.
    func attach(_ live: LiveSandbox) {
        let stopped = state.withLock { state in
            state.live = live
            if live.phase == "agent" { state.enforced = (live.sandbox.profile, live.sandbox.missingLayers) }
            return state.reason != nil
        }
        if stopped { live.sandbox.kill() }
    }

    func detach() { state.withLock { $0.live = nil } }
}
