import CCurl
import Domain
import Glibc
import Synchronization

/// The way to the curl thread: commands go into a mailbox, and the thread is started when there is none.
final class CurlDriver: Sendable {
    enum Command: Sendable {
        case start(Transfer)
        case resume(Transfer)
        case cancel(Transfer)
        case resolved(Transfer, Result<[IPAddress], CodeForgeError>)
    }

    /// Shared with the thread, which must not keep the driver alive.
    final class Mailbox: Sendable {
        struct State {
            var commands: [Command] = []
            var isRunning = false
            var isClosed = false
            var waker: Waker?
        }

        /// The running thread's handle, only to wake it.
        ///
        /// Unchecked: `multi_wakeup` may be called from any thread, and the lock around the state keeps the handle
        /// alive meanwhile.
        struct Waker: @unchecked Sendable {
            let multi: UnsafeMutableRawPointer

            func wake() { _ = CurlLibrary.shared.functions.pointee.multi_wakeup(multi) }
        }

        let state = Mutex(State())
        let authorities: String?

        init(authorities: String?) { self.authorities = authorities }

        /// - Returns: Whether a thread has to be started.
        func post(_ command: Command) -> Bool {
            state.withLock { state in
                state.commands.append(command)
                // Under the lock, so that the thread cannot free the handle meanwhile.
                state.waker?.wake()
                defer { state.isRunning = true }
                return !state.isRunning
            }
        }
    }

    private let mailbox: Mailbox

    init(authorities: String?) { mailbox = Mailbox(authorities: authorities) }

    deinit {
        mailbox.state.withLock {
            $0.isClosed = true
            $0.waker?.wake()
        }
    }

    func post(_ command: Command) {
        guard mailbox.post(command) else { return }
        let mailbox = mailbox
        let started = OwnThread.start(stackBytes: 512 * 1024) { CurlLoop(mailbox: mailbox).run() }
        guard !started else { return }
        let stranded = mailbox.state.withLock { state in
            state.isRunning = false
            defer { state.commands = [] }
            return state.commands
        }
        for case .start(let transfer) in stranded {
            transfer.finish(.failure(CodeForgeError(.unavailable, "\(transfer.plan.label): no thread to send it")))
        }
    }
}

/// A detached thread that takes no signal: writing to a closed connection must not end the process (SIGPIPE), and
/// handlers belong to other threads.
enum OwnThread {
    private final class Box: Sendable {
        let work: @Sendable () -> Void
        init(_ work: @escaping @Sendable () -> Void) { self.work = work }
    }

    /// - Returns: `false` when the system has no thread left.
    static func start(stackBytes: Int, _ work: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // The new thread inherits the mask, so that no signal can reach it before it sets one.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let box = Unmanaged.passRetained(Box(work))
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            &attributes,
            { argument in
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().work() }
                return nil
            },
            box.toOpaque()
        )
        if code != 0 { box.release() }
        return code == 0
    }
}
