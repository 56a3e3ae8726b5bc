import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Starts a detached thread for calls that block.
///
/// `SIGPIPE` is blocked in it: hiredis writes with `write(2)`, and a lost peer must be an error, not the end of the
/// process. (The signal goes to the writing thread; see pipe(7).)
///
/// - Parameter name: For the message of the trap when there can be no more threads.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let start = Unmanaged.passRetained(Start(body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 512 * 1024)
    defer { pthread_attr_destroy(&attributes) }
    var thread = pthread_t()
    let status = pthread_create(
        &thread,
        &attributes,
        { argument in
            guard let argument else { return nil }
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &signals, nil)
            start.body()
            return nil
        },
        start.toOpaque()
    )
    precondition(status == 0, "cannot start thread \(name): errno \(status)")
}

/// A value behind a mutex, with a condition to wait for on threads of our own.
///
/// `Mutex` has no condition to wait on, hence pthreads.
final class Monitor<State>: @unchecked Sendable {  // `mutex` guards `state`; the two pointers never change
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    init(_ state: State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func withLock<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Changes the state, then wakes every waiter.
    func update<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return body(&state)
    }

    func wake() { pthread_cond_broadcast(condition) }

    /// Blocks until `body` answers something, asking again after each wake-up; `nil` once `deadline` passed.
    func wait<Result>(until deadline: Deadline? = nil, for body: (inout State) -> Result?) -> Result? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            if let deadline {
                var time = deadline.absoluteTime
                if pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT { return body(&state) }
            } else {
                pthread_cond_wait(condition, mutex)
            }
        }
    }
}

/// A point on the monotonic clock.
struct Deadline: Sendable, Comparable {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    private(set) var nanoseconds: Int64

    static func now() -> Deadline {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Deadline(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    static func after(_ duration: Duration) -> Deadline { now() + duration }

    static func + (deadline: Deadline, duration: Duration) -> Deadline {
        Deadline(nanoseconds: deadline.nanoseconds &+ duration.wholeNanoseconds)
    }

    static func < (a: Deadline, b: Deadline) -> Bool { a.nanoseconds < b.nanoseconds }

    var hasPassed: Bool { Deadline.now() >= self }

    /// Never negative.
    var remaining: Duration { .nanoseconds(max(0, nanoseconds - Deadline.now().nanoseconds)) }

    var absoluteTime: timespec {
        timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}

extension Duration {
    /// Clamped to a hundred years.
    var wholeNanoseconds: Int64 {
        let limited = min(components.seconds, 3_155_760_000)
        return limited * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }

    var wholeMilliseconds: Int64 { wholeNanoseconds / 1_000_000 }

    var interval: timeval {
        timeval(tv_sec: Int(wholeNanoseconds / 1_000_000_000), tv_usec: Int(wholeNanoseconds / 1000 % 1_000_000))
    }
}

/// Waits that double from one attempt to the next, up to a limit.
struct Backoff: Sendable {
    private let first: Duration
    private let limit: Duration
    private var next: Duration

    init(from first: Duration = .milliseconds(20), to limit: Duration = .seconds(1)) {
        self.first = first
        self.limit = limit
        next = first
    }

    mutating func step() -> Duration {
        defer { next = min(limit, next * 2) }
        return next
    }

    mutating func reset() { next = first }
}
