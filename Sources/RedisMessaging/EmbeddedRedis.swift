package import Domain
package import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A private `redis-server` in the data directory, on a unix socket, with its append-only file.
///
/// It runs in a session of its own and outlives this process, since supervisors do; the next start adopts it. It holds
/// a lock on `<directory>/lock` as long as it lives, so that there is never a second one on the same files. While this
/// process lives a thread watches it and starts it again when it dies.
package final class EmbeddedRedis: Sendable {
    /// The oldest version that has the commands and the append-only format in use.
    private static let oldestVersion = 7

    private let directory: String
    private let binary: String
    private let logger: Logger
    private let state = Monitor(State())

    /// - Parameters:
    ///   - directory: Made with mode 0700 if missing; its parent must exist.
    ///   - binary: Path, or a name looked up in `PATH`.
    package init(directory: String, binary: String = "redis-server", logger: Logger = .current) {
        self.directory = directory
        self.binary = binary
        self.logger = logger
    }

    deinit { state.update { $0.isStopping = true } }

    /// Where clients connect.
    package var url: String { "unix://\(directory)/redis.sock" }

    /// Process id of the running server, for diagnosis and tests.
    package var pid: Int32? { state.withLock { $0.pid } }

    /// Starts the server or adopts the one that runs; returns once it answers.
    ///
    /// - Parameter limit: Longest wait; loading a large append-only file takes a while.
    /// - Throws: `.unavailable`, naming what is missing, the version that is too old, or the last line of its log.
    package func start(within limit: Duration = .seconds(60)) async throws(CodeForgeError) {
        let outcome: Result<Void, CodeForgeError> = await withCheckedContinuation { continuation in
            startThread("redis-embedded") { [directory, binary, logger, state] in
                let keeper: Keeper
                do throws(CodeForgeError) {
                    keeper = try Keeper(directory: directory, binary: binary, logger: logger, state: state)
                    try keeper.start(until: .after(limit))
                } catch {
                    continuation.resume(returning: .failure(error))
                    return
                }
                continuation.resume(returning: .success(()))
                keeper.watch()
            }
        }
        try outcome.get()
    }

    /// Whether the server was there before this: supervisors may be using it.
    package var isAdopted: Bool { state.withLock { $0.isAdopted } }

    /// Ends the watch, and the server with it unless it is still needed. Not to be started again.
    ///
    /// - Parameter leaveRunning: Whether supervisors still use it.
    package func stop(leaveRunning: Bool) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isWatched = state.update { state in
                state.isStopping = true
                state.isLeftRunning = leaveRunning
                guard state.isWatched else { return false }
                state.stopped.append(continuation)
                return true
            }
            if !isWatched { continuation.resume() }
        }
    }

    fileprivate struct State {
        var pid: Int32?
        var isWatched = false
        /// Its first server was there before.
        var isAdopted = false
        var isStopping = false
        /// A process that goes away without `stop` leaves the server running.
        var isLeftRunning = true
        var stopped: [CheckedContinuation<Void, Never>] = []
    }

    /// What the thread does.
    fileprivate struct Keeper {
        private let directory: String
        private let executable: String
        private let endpoint: RedisEndpoint
        private let logger: Logger
        private let state: Monitor<State>

        init(directory: String, binary: String, logger: Logger, state: Monitor<State>) throws(CodeForgeError) {
            self.directory = directory
            self.logger = logger
            self.state = state
            guard directory.utf8.count + "/redis.sock".utf8.count <= RedisEndpoint.longestSocketPath else {
                throw CodeForgeError(
                    .unavailable,
                    "\(directory) is too long a path for a unix socket; shorten data_dir"
                )
            }
            endpoint = try RedisEndpoint("unix://\(directory)/redis.sock")
            try PrivateDirectory.make(directory)
            guard let executable = ServerBinary.find(binary) else {
                throw CodeForgeError(
                    .unavailable,
                    "\(binary) not found: install Redis 7 or newer (redis-server), or set redis.url"
                )
            }
            self.executable = executable
            let version = try ServerBinary.version(of: executable)
            guard version.major >= EmbeddedRedis.oldestVersion else {
                throw CodeForgeError(
                    .unavailable,
                    "redis-server \(version.text) (\(executable)) is too old: install 7.0 or newer, or set redis.url"
                )
            }
        }

        /// Adopts or starts a server, and waits until it answers.
        func start(until deadline: Deadline) throws(CodeForgeError) {
            var hasSpawned = false
            var backoff = Backoff(to: .milliseconds(200))
            while true {
                if let lock = try lock() {
                    guard !hasSpawned else {
                        close(lock)
                        throw CodeForgeError(.unavailable, "embedded redis does not start: \(lastLogLine())")
                    }
                    try spawn(holding: lock)
                    hasSpawned = true
                }
                do throws(RedisError) {
                    let pid = try answer()
                    state.withLock {
                        $0.pid = pid
                        if !$0.isWatched { $0.isAdopted = !hasSpawned }
                        $0.isWatched = true
                    }
                    if !hasSpawned { logger.info("embedded redis adopted", metadata: ["redis.pid": "\(pid)"]) }
                    return
                } catch {
                    guard !deadline.hasPassed else {
                        throw CodeForgeError(.unavailable, "embedded redis does not answer: \(error)")
                    }
                }
                _ = state.wait(until: .after(backoff.step())) { _ -> Bool? in nil }
                reap()
            }
        }

        /// Keeps the server alive until `stop`.
        func watch() {
            var backoff = Backoff(from: .milliseconds(50), to: .seconds(5))
            while !state.withLock({ $0.isStopping }) {
                guard isAlive() else {
                    logger.warning("embedded redis died", metadata: ["redis.log": "\(lastLogLine())"])
                    _ = state.wait(until: .after(backoff.step())) { $0.isStopping ? true : nil }
                    if state.withLock({ $0.isStopping }) { break }
                    do throws(CodeForgeError) {
                        try start(until: .after(.seconds(60)))
                        logger.notice("embedded redis is back")
                    } catch {
                        logger.error("embedded redis restart failed", metadata: ["error": "\(error.message)"])
                    }
                    continue
                }
                let end = Deadline.after(.milliseconds(500))
                _ = state.wait(until: end) { $0.isStopping ? true : nil }
                if isAlive() { backoff.reset() }
            }
            if !state.withLock({ $0.isLeftRunning }) { shutDown() }
            let stopped = state.withLock { state in
                state.isWatched = false
                defer { state.stopped = [] }
                return state.stopped
            }
            for continuation in stopped { continuation.resume() }
        }

        /// Takes the server's lock; `nil` while a server holds it.
        private func lock() throws(CodeForgeError) -> Int32? {
            let file = open(directory + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard file >= 0 else {
                throw CodeForgeError(.unavailable, "open \(directory)/lock: \(String(cString: strerror(errno)))")
            }
            if flock(file, LOCK_EX | LOCK_NB) == 0 { return file }
            close(file)
            return nil
        }

        private func spawn(holding lock: Int32) throws(CodeForgeError) {
            defer { close(lock) }
            let pid = try ServerBinary.spawn(executable, in: directory, lock: lock)
            state.withLock { $0.pid = pid }
            logger.info("embedded redis started", metadata: ["redis.pid": "\(pid)"])
        }

        /// - Returns: The server's process id.
        /// - Throws: `.away` or `.refusing` while it can't work yet.
        private func answer() throws(RedisError) -> Int32 {
            let connection = try RedisConnection(endpoint, timeout: .seconds(2))
            try connection.send(RedisCommand("PING"), wait: .seconds(2))
            let info = try connection.send("INFO", "server").root.text
            let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("process_id:") }
            guard let line, let pid = Int32(line.dropFirst("process_id:".count)) else {
                throw RedisError(.rejected, "INFO has no process_id")
            }
            return pid
        }

        /// The lock tells: a process id may be another process' by now.
        private func isAlive() -> Bool {
            reap()
            do throws(CodeForgeError) {
                guard let lock = try lock() else { return true }
                close(lock)
            } catch {
                logger.error("embedded redis lock", metadata: ["error": "\(error.message)"])
                return true
            }
            return false
        }

        /// Without this a dead child of ours would stay a zombie.
        ///
        /// - Parameter options: 0 waits for the end: of a child that let go of the lock, which is on its last steps.
        private func reap(_ options: Int32 = WNOHANG) {
            if let pid = state.withLock({ $0.pid }) { waitpid(pid, nil, options) }
        }

        private func shutDown() {
            // It closes the connection instead of answering.
            let connection = try? RedisConnection(endpoint)
            _ = try? connection?.send(RedisCommand("SHUTDOWN"), wait: .seconds(5))
            var backoff = Backoff(from: .milliseconds(5), to: .milliseconds(100))
            let polite = Deadline.after(.seconds(10))
            let pause = Monitor(())
            while isAlive() {
                if polite.hasPassed, let pid = state.withLock({ $0.pid }) { kill(pid, SIGTERM) }
                if Deadline.now() > polite + .seconds(5) { return logger.error("embedded redis does not stop") }
                _ = pause.wait(until: .after(backoff.step())) { _ -> Bool? in nil }
            }
            reap(0)
            logger.info("embedded redis stopped")
        }

        private func lastLogLine() -> String {
            ServerBinary.tail(of: directory + "/redis.log") ?? "no log"
        }
    }
}
