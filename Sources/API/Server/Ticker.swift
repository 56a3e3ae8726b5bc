import ServiceLifecycle
import Synchronization

/// One clock for everything that waits: time limits of requests, keep-alives and deadlines of streams. Ten thousand
/// waiters cost one timer.
package final class Ticker: Service {
    /// Called about once a second; must not block.
    typealias OnTick = @Sendable (ContinuousClock.Instant) -> Void

    fileprivate struct State {
        var waiters: [UInt64: OnTick] = [:]
        var next: UInt64 = 0
    }

    fileprivate let state = Mutex(State())

    package init() {}

    /// - Returns: What `remove` wants.
    func add(_ onTick: @escaping OnTick) -> UInt64 {
        state.withLock { state in
            state.next += 1
            state.waiters[state.next] = onTick
            return state.next
        }
    }

    func remove(_ id: UInt64) {
        // Let go outside the lock: a closure may be the last owner of something that calls back.
        _ = state.withLock { $0.waiters.removeValue(forKey: id) }
    }

    /// Runs until the service stops. It stops after the HTTP server, so draining requests keep their limits.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))  // cancelled: the loop ends
                self.tick(.now)
            }
        }
    }

    func tick(_ now: ContinuousClock.Instant) {
        for waiter in state.withLock({ Array($0.waiters.values) }) { waiter(now) }
    }
}

extension Ticker {
    /// Waiters now, for tests.
    var count: Int { state.withLock { $0.waiters.count } }
}
