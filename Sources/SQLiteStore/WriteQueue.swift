import Domain
import GRDB
import Synchronization

/// Writes of many callers, as few transactions: what waits while one is on its way to the disk goes together in the
/// next. Each caller's part has a savepoint of its own, so that one that fails takes no other with it, and nobody is
/// answered before the commit.
final class WriteQueue: Sendable {
    private struct State {
        var waiting: [Job] = []
        var isWriting = false
    }

    /// One caller's part. `run` keeps its result for `finish`, which is called after the commit, or with the error that
    /// prevented it.
    private struct Job: Sendable {
        let run: @Sendable (Database) throws -> Void
        let finish: @Sendable ((any Error)?) -> Void
    }

    private let writer: any DatabaseWriter
    private let state = Mutex(State())
    /// Bounds the time one transaction holds the file.
    private static let mostJobs = 256

    init(_ writer: any DatabaseWriter) { self.writer = writer }

    /// Runs `body` in a transaction; durable when it returns.
    func write<Result: Sendable>(_ body: @escaping @Sendable (Database) throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let outcome = Mutex<Swift.Result<Result, any Error>?>(nil)
            let box = Box(outcome)
            submit(
                Job(
                    run: { db in
                        let result = try body(db)
                        box.value.withLock { $0 = .success(result) }
                    },
                    finish: { error in
                        if let error { return continuation.resume(throwing: error) }
                        // `run` came back without an error, so there is a result.
                        guard let result = box.value.withLock({ $0 }) else {
                            return continuation.resume(throwing: CodeForgeError(.internal, "a write without result"))
                        }
                        continuation.resume(with: result)
                    }
                )
            )
        }
    }

    private final class Box<Value: ~Copyable & Sendable>: Sendable {
        let value: Value
        init(_ value: consuming Value) { self.value = value }
    }

    private func submit(_ job: Job) {
        let starts = state.withLock { state in
            state.waiting.append(job)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if starts { writeNext() }
    }

    private func writeNext() {
        let jobs = state.withLock { state -> [Job] in
            let jobs = Array(state.waiting.prefix(WriteQueue.mostJobs))
            state.waiting.removeFirst(jobs.count)
            state.isWriting = !jobs.isEmpty
            return jobs
        }
        guard !jobs.isEmpty else { return }
        // On a thread of GRDB's.
        writer.asyncWriteWithoutTransaction { db in
            for (job, error) in WriteQueue.commit(jobs, in: db) { job.finish(error) }
            self.writeNext()
        }
    }

    private static func commit(_ jobs: [Job], in db: Database) -> [(Job, (any Error)?)] {
        var outcomes: [(Job, (any Error)?)] = []
        do {
            try db.inTransaction(.immediate) {
                for job in jobs {
                    do {
                        try db.inSavepoint {
                            try job.run(db)
                            return .commit
                        }
                        outcomes.append((job, nil))
                    } catch {
                        outcomes.append((job, error))
                    }
                }
                return .commit
            }
            return outcomes
        } catch {
            return jobs.map { ($0, error) }
        }
    }
}
