import Glibc
import Synchronization

/// A TCP server on loopback whose every connection gets a thread and a script.
package final class LocalServer: Sendable {
    package let port: UInt16
    private let listener: Int32
    private let open = Mutex<[LocalSocket]>([])
    private let isStopped = Atomic<Bool>(false)
    private let acceptedCount = Atomic<Int>(0)

    /// Connections so far.
    package var accepted: Int { acceptedCount.load(ordering: .sequentiallyConsistent) }

    /// - Parameter script: Runs on a thread of its own; the connection closes when it returns.
    package init(_ script: @escaping @Sendable (LocalSocket) -> Void) {
        (listener, port) = LocalSocket.listen()
        let listener = listener
        LocalThread.start { [weak self] in
            defer { close(listener) }
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                let socket = LocalSocket(owning: descriptor)
                guard let server = self else { return }
                server.acceptedCount.add(1, ordering: .sequentiallyConsistent)
                server.open.withLock { $0.append(socket) }
                LocalThread.start { [weak server] in
                    script(socket)
                    socket.shut()
                    server?.open.withLock { $0.removeAll { $0 === socket } }
                }
            }
        }
    }

    deinit { stop() }

    /// Ends the listener and every connection.
    package func stop() {
        guard isStopped.exchange(true, ordering: .sequentiallyConsistent) == false else { return }
        _ = shutdown(listener, Int32(SHUT_RDWR))
        for socket in open.withLock({ $0 }) { socket.shut() }
    }
}

/// Threads for blocking calls of tests.
package enum LocalThread {
    private final class Box: Sendable {
        let work: @Sendable () -> Void
        init(_ work: @escaping @Sendable () -> Void) { self.work = work }
    }

    package static func start(_ work: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(work))
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().work() }
                return nil
            },
            box.toOpaque()
        )
        precondition(code == 0, "no thread left")
        pthread_detach(thread)
    }

    /// Runs blocking work on a thread of its own.
    package static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { waiter in start { waiter.resume(returning: work()) } }
    }
}

/// A one-time signal between a script on a thread and a test.
package final class LocalSignal: Sendable {
    private struct State {
        var isSet = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())

    package init() {}

    package func set() {
        let waiters = state.withLock { state in
            state.isSet = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    package var isSet: Bool { state.withLock { $0.isSet } }

    package func wait() async {
        await withCheckedContinuation { waiter in
            let isSet = state.withLock {
                if !$0.isSet { $0.waiters.append(waiter) }
                return $0.isSet
            }
            if isSet { waiter.resume() }
        }
    }
}
