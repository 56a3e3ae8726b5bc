import Glibc
import Synchronization

/// A file descriptor with one owner, closed at the latest when that owner goes away.
package final class HostDescriptor: Sendable {
    private let state: Mutex<Int32>

    /// Takes ownership of `raw`.
    package init(_ raw: Int32) { state = Mutex(raw) }

    deinit { close() }

    /// The number, for a borrowed use while this object is kept alive; -1 once taken or closed.
    package var raw: Int32 { state.withLock { $0 } }

    /// Gives the descriptor away: the caller closes it from now on; -1 when it is gone already.
    package func take() -> Int32 {
        state.withLock { value in
            defer { value = -1 }
            return value
        }
    }

    /// Closes it now; harmless when repeated.
    package func close() {
        let raw = take()
        if raw >= 0 { _ = Glibc.close(raw) }
    }
}
