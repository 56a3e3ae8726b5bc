package import Domain
package import Logging

/// Short commands to Redis from async code: a few connections, each on a thread of its own, opened when first needed.
///
/// While Redis is away a command waits, and is tried again, as long as its patience lasts. So every command given to
/// `perform` must bear being run twice.
package final class RedisClient: Sendable {
    package let endpoint: RedisEndpoint
    package let keys: RedisKeys
    let logger: Logger
    private let patience: Duration
    private let jobs: Monitor<Jobs>

    /// - Parameters:
    ///   - url: See `RedisEndpoint`.
    ///   - prefix: Put before each key.
    ///   - connections: 1…16.
    ///   - patience: How long a command waits for Redis to come back.
    /// - Throws: `.invalidArgument` for a URL that can't be read. Does not connect yet.
    package init(
        url: String,
        prefix: String = "codeforge:",
        connections: Int = 3,
        patience: Duration = .seconds(5),
        logger: Logger = .current
    ) throws(CodeForgeError) {
        endpoint = try RedisEndpoint(url)
        keys = RedisKeys(prefix: prefix)
        self.logger = logger
        self.patience = patience
        jobs = Monitor(Jobs(limit: connections))
    }

    /// Same place and keys, own connections.
    init(like other: RedisClient, connections: Int, patience: Duration) {
        endpoint = other.endpoint
        keys = other.keys
        logger = other.logger
        self.patience = patience
        jobs = Monitor(Jobs(limit: connections))
    }

    deinit { jobs.update { $0.isClosed = true } }

    /// Runs `body` on a connection's thread.
    ///
    /// - Throws: `.unavailable` once the patience is used up; `.internal` for what Redis rejects.
    func perform<Result: Sendable>(
        _ operation: String,
        patience: Duration? = nil,
        _ body: @escaping @Sendable (RedisConnection) throws(RedisError) -> Result
    ) async throws(CodeForgeError) -> Result {
        let deadline = Deadline.after(patience ?? self.patience)
        let outcome: Swift.Result<Result, RedisError> = await withCheckedContinuation { continuation in
            submit(
                Job(deadline: deadline) { connection, isLast in
                    do throws(RedisError) {
                        continuation.resume(returning: .success(try body(try connection.get())))
                        return .finished
                    } catch {
                        if error.isTransient && !isLast { return .retry(error) }
                        continuation.resume(returning: .failure(error))
                        return error.code == .away || error.code == .tooLarge ? .broken : .finished
                    }
                }
            )
        }
        do { return try outcome.get() } catch { throw error.portError(operation) }
    }

    private func submit(_ job: Job) {
        let needsThread = jobs.update { jobs in
            jobs.waiting.append(job)
            guard jobs.idle < jobs.waiting.count - jobs.next, jobs.threads < jobs.limit else { return false }
            jobs.threads += 1
            return true
        }
        guard needsThread else { return }
        startThread("redis-commands") { [jobs, endpoint] in RedisClient.serve(jobs, endpoint) }
    }

    /// Body of a thread: ends when the client is gone.
    private static func serve(_ jobs: Monitor<Jobs>, _ endpoint: RedisEndpoint) {
        var connection: RedisConnection?
        jobs.withLock { $0.idle += 1 }
        while let job = jobs.wait(for: { $0.take() }).flatMap({ $0 }) {
            var backoff = Backoff(to: .milliseconds(250))
            while true {
                let isLast = job.deadline.hasPassed
                let timeout = min(.seconds(3), job.deadline.remaining + .milliseconds(50))
                let opened: Result<RedisConnection, RedisError>
                do throws(RedisError) {
                    if let connection {
                        opened = .success(connection)
                    } else {
                        opened = .success(try RedisConnection(endpoint, timeout: timeout))
                    }
                } catch {
                    opened = .failure(error)
                }
                connection = try? opened.get()  // the job sees why it failed
                let outcome = job.run(opened, isLast)
                if case .finished = outcome { break }
                if case .retry(let error) = outcome, error.code == .refusing {} else { connection = nil }
                if case .broken = outcome { break }
                let pause = Deadline.after(min(backoff.step(), job.deadline.remaining))
                _ = jobs.wait(until: pause) { $0.isClosed ? true : nil }
            }
            jobs.withLock { $0.idle += 1 }
        }
    }

    private enum Outcome {
        case finished
        /// Finished, and the connection is of no more use.
        case broken
        case retry(RedisError)
    }

    private struct Job: Sendable {
        let deadline: Deadline
        let run: @Sendable (_ connection: Result<RedisConnection, RedisError>, _ isLast: Bool) -> Outcome
    }

    private struct Jobs {
        let limit: Int
        var waiting: [Job] = []
        /// First of `waiting` that is not taken yet.
        var next = 0
        var threads = 0
        var idle = 0
        var isClosed = false

        /// The next job; `.some(nil)` to end the thread, `nil` to wait.
        mutating func take() -> Job?? {
            guard next < waiting.count else { return isClosed ? .some(nil) : nil }
            let job = waiting[next]
            next += 1
            if next == waiting.count || next > 1024 {
                waiting.removeFirst(next)
                next = 0
            }
            idle -= 1
            return job
        }
    }
}
