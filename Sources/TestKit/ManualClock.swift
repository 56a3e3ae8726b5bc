package import Domain
import Synchronization

/// A clock that moves when told.
package final class ManualClock: WallClock {
    private let time: Mutex<Timestamp>

    /// - Parameter start: 2026-01-02T03:04:05Z unless told otherwise.
    package init(_ start: Timestamp = Timestamp(nanoseconds: 1_767_323_045_000_000_000)) { time = Mutex(start) }

    package func now() -> Timestamp { time.withLock { $0 } }

    package func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        time.withLock { $0.nanoseconds += seconds * 1_000_000_000 + attoseconds / 1_000_000_000 }
    }
}
