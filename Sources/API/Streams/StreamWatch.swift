import Synchronization

/// The clocks of one stream, driven by the common ticker.
final class StreamWatch: Sendable {
    /// Something is due.
    enum Signal: Equatable {
        case idle, settled, timeout
        /// One write has been under way for too long: the client does not read.
        case stuck
    }

    struct Limits: Sendable {
        var keepalive: Duration = .seconds(15)
        var settle: Duration = .seconds(2)
        var total: Duration = .seconds(600)
        var write: Duration = .seconds(30)
    }

    private struct State {
        var writingSince: ContinuousClock.Instant?
        var lastWrite: ContinuousClock.Instant
        var settleAt: ContinuousClock.Instant?
        /// Signalled and not yet seen by the stream: no second signal of a kind is queued behind it.
        var isIdleSignalled = false
        var isTimedOut = false
    }

    private let state: Mutex<State>
    private let limits: Limits
    private let end: ContinuousClock.Instant

    init(limits: Limits, now: ContinuousClock.Instant) {
        self.limits = limits
        end = now + limits.total
        state = Mutex(State(lastWrite: now))
    }

    func beginWrite(_ now: ContinuousClock.Instant) { state.withLock { $0.writingSince = now } }

    func endWrite(_ now: ContinuousClock.Instant) {
        state.withLock {
            $0.writingSince = nil
            $0.lastWrite = now
        }
    }

    func sawIdle() { state.withLock { $0.isIdleSignalled = false } }
    func beginSettling(_ now: ContinuousClock.Instant) { state.withLock { $0.settleAt = now + limits.settle } }

    /// What is due now; each signal is given once.
    func tick(_ now: ContinuousClock.Instant) -> Signal? {
        state.withLock { state in
            if let since = state.writingSince { return now >= since + limits.write ? .stuck : nil }
            if now >= end, !state.isTimedOut {
                state.isTimedOut = true
                return .timeout
            }
            if let settleAt = state.settleAt, now >= settleAt {
                state.settleAt = nil
                return .settled
            }
            if now >= state.lastWrite + limits.keepalive, !state.isIdleSignalled {
                state.isIdleSignalled = true
                return .idle
            }
            return nil
        }
    }
}
