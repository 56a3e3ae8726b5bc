import Synchronization

/// Holds new connections to a rate: beyond it nobody is refused, they are accepted later, and wait in the kernel's queue
/// meanwhile.
///
/// Accepting, reading a head and saying no happen outside the sandbox's processor limit. Requests have a limit of their
/// own; this one covers what never becomes a request: bare connections and heads that are refused.
final class AcceptRate: Sendable {
    enum Verdict: Equatable {
        case goOn
        /// Accept nothing for so long; and whether this is the first time in a while.
        case pause(Duration, isNew: Bool)
    }

    private struct State {
        var tokens: Double
        var last: ContinuousClock.Instant
        /// The last pause began then, and lasts until then.
        var paused: (at: ContinuousClock.Instant, until: ContinuousClock.Instant)?
    }

    /// Floods with less than this between them are one.
    static let quiet = Duration.seconds(10)
    private static let shortestPause = 0.05

    private let perSecond: Double
    private let state: Mutex<State>

    /// - Parameter perSecond: At least 1; twice as many may come at once.
    init(perSecond: Int, now: ContinuousClock.Instant = .now) {
        self.perSecond = Double(max(1, perSecond))
        state = Mutex(State(tokens: 2 * self.perSecond, last: now))
    }

    /// Counts one that was accepted.
    func take(at now: ContinuousClock.Instant = .now) -> Verdict {
        state.withLock { state in
            let passed = max(0, (now - state.last) / .seconds(1))
            state.tokens = min(2 * perSecond, state.tokens + passed * perSecond) - 1
            state.last = now
            // A few more come before a pause begins: they are a debt, and the first one after it waits for that.
            guard state.tokens < 1, state.paused.map({ now >= $0.until }) ?? true else { return .goOn }
            let isNew = state.paused.map { now - $0.at > AcceptRate.quiet } ?? true
            // A timer for each would cost more than it saves.
            let time = Duration.seconds(max(AcceptRate.shortestPause, (1 - state.tokens) / perSecond))
            state.paused = (now, now + time)
            return .pause(time, isNew: isNew)
        }
    }
}
