import Domain
import Glibc
import Synchronization

/// A token bucket over all connections of one gateway.
final class RequestLimiter: Sendable {
    private struct State {
        var tokens: Double
        var last: ContinuousClock.Instant
    }

    private let perMinute: Double
    private let state: Mutex<State>

    init(perMinute: Int) {
        self.perMinute = Double(max(1, perMinute))
        state = Mutex(State(tokens: self.perMinute, last: ContinuousClock().now))
    }

    /// - Returns: `nil` when the request may pass, else seconds until one may.
    func take() -> Int? {
        let now = ContinuousClock().now
        return state.withLock { state in
            let passed = (now - state.last) / .seconds(60)
            state.tokens = min(perMinute, state.tokens + passed * perMinute)
            state.last = now
            guard state.tokens < 1 else {
                state.tokens -= 1
                return nil
            }
            return max(1, Int(((1 - state.tokens) * 60 / perMinute).rounded(.up)))
        }
    }
}

extension Timestamp {
    /// The system's real-time clock.
    static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
