import Domain
import Sandboxing
import Synchronization

/// Runs a CLI's watchdogs beside it.
final class OutputWatch: Sendable {
    private struct State {
        var watchdog: Watchdog
        var began: ContinuousClock.Instant?
        var sandbox: RunningSandbox?
        var fired: SandboxLimit?
    }
    private let state: Mutex<State>

    init(_ limits: JobSpec.Watchdogs) { state = Mutex(State(watchdog: Watchdog(limits))) }

    /// The watchdog that fired.
    var fired: SandboxLimit? { state.withLock(\.fired) }

    func line(sawResult: Bool) {
        state.withLock { $0.watchdog.line(at: OutputWatch.activeSeconds($0), sawResult: sawResult) }
    }

    /// Watches until one fires or the caller is cancelled.
    ///
    /// - Returns: The one that fired; `nil` when cancelled, or when nothing is to be watched for.
    func run(_ sandbox: RunningSandbox) async -> SandboxLimit? {
        state.withLock { ($0.began, $0.sandbox) = (.now, sandbox) }
        defer { state.withLock { $0.sandbox = nil } }
        while !Task.isCancelled {
            switch state.withLock({ $0.watchdog.verdict(at: OutputWatch.activeSeconds($0)) }) {
            case .fired(let limit):
                state.withLock { $0.fired = limit }
                return limit
            // A line may switch to a shorter limit at any time, and a paused sandbox comes no nearer to its own.
            case .wait(let seconds): try? await Task.sleep(for: .seconds(min(max(seconds, 0.05), 1)))  // ends above
            case .idle: try? await Task.sleep(for: .seconds(1))
            }
        }
        return nil
    }

    private static func activeSeconds(_ state: borrowing State) -> Double {
        guard let began = state.began else { return 0 }
        let paused = state.sandbox?.pausedTime ?? .zero
        return (ContinuousClock.now - began - paused) / .seconds(1)
    }
}
