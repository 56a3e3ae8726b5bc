import Domain
import Logging

/// Reads a stream through the consumer group, on a thread of its own that blocks in Redis only while somebody waits.
///
/// Several callers may wait at once; the first come gets the first entries. Entries nobody waits for any more (their
/// caller was cancelled just then) are kept for the next caller.
final class StreamConsumer: Sendable {
    /// One entry: its id and the value of its only field.
    struct Entry: Sendable, Equatable {
        var id: String
        var value: [UInt8]
    }

    private let client: RedisClient
    private let stream: String
    private let consumer: String
    private let state: Monitor<State>

    /// - Parameter consumer: Our name in the group; the same one after a restart finds what was left unacknowledged.
    init(_ client: RedisClient, stream: String, consumer: String) {
        self.client = client
        self.stream = stream
        self.consumer = consumer
        state = Monitor(State())
    }

    deinit { state.update { $0.isClosed = true } }

    /// Waits for entries.
    ///
    /// - Returns: 1…`max` entries, or none when the wait is over.
    /// - Throws: `.unavailable` when Redis was away at the end of the wait; `.cancelled`.
    func take(max: Int, wait: Duration) async throws(CodeForgeError) -> [Entry] {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        let outcome: Result<[Entry], CodeForgeError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enqueue(Waiter(ticket: ticket, max: max, deadline: .after(wait), continuation: continuation))
            }
        } onCancel: {
            let waiter = state.withLock { $0.cancel(ticket) }
            waiter?.continuation.resume(returning: .failure(StreamConsumer.cancelled))
        }
        // A cancel that came after the outcome has left its mark.
        if Task.isCancelled { state.withLock { _ = $0.cancelledEarly.remove(ticket) } }
        return try outcome.get()
    }

    /// Entries after `id` that were given to our name and never acknowledged, oldest first, at most 256.
    func unacknowledged(after id: String) async throws(CodeForgeError) -> [Entry] {
        let command = RedisCommand(
            "XREADGROUP",
            "GROUP",
            .text(client.keys.group),
            .text(consumer),
            "COUNT",
            256,
            "STREAMS",
            .text(stream),
            .text(id)
        )
        return try await client.perform("read \(stream)") { [client, stream] connection throws(RedisError) in
            try StreamConsumer.withGroup(client, stream, connection) { connection throws(RedisError) in
                StreamConsumer.entries(of: try connection.send(command))
            }
        }
    }

    /// Forgets entries for good.
    func remove(_ ids: [String]) async throws(CodeForgeError) {
        guard !ids.isEmpty else { return }
        let list = ids.map { RedisArgument.text($0) }
        let acknowledge = RedisCommand(["XACK", .text(stream), .text(client.keys.group)] + list)
        let delete = RedisCommand(["XDEL", .text(stream)] + list)
        try await client.perform("acknowledge \(stream)") { connection throws(RedisError) in
            try connection.send(acknowledge)
            try connection.send(delete)
        }
    }

    /// Creates the group when it is missing, then once more.
    static func withGroup<Result>(
        _ client: RedisClient,
        _ stream: String,
        _ connection: RedisConnection,
        _ body: (RedisConnection) throws(RedisError) -> Result
    ) throws(RedisError) -> Result {
        do {
            return try body(connection)
        } catch  where error.word == "NOGROUP" {
            do {
                try connection.send(
                    "XGROUP",
                    "CREATE",
                    .text(stream),
                    .text(client.keys.group),
                    "0",
                    "MKSTREAM"
                )
            } catch  where error.word == "BUSYGROUP" {
                // Somebody else made it meanwhile.
            }
            return try body(connection)
        }
    }

    private static let cancelled = CodeForgeError(.cancelled, "the wait was cancelled")

    /// Longest block in Redis, so that a newcomer or the end of a wait is seen soon.
    private static let slice: Duration = .milliseconds(500)

    private func enqueue(_ waiter: Waiter) {
        let (isCancelled, ready, needsThread) = state.update { state -> (Bool, [Entry], Bool) in
            if state.cancelledEarly.remove(waiter.ticket) != nil { return (true, [], false) }
            if !state.buffer.isEmpty {
                let ready = Array(state.buffer.prefix(waiter.max))
                state.buffer.removeFirst(ready.count)
                return (false, ready, false)
            }
            state.waiters.append(waiter)
            defer { state.hasThread = true }
            return (false, [], !state.hasThread)
        }
        if isCancelled { return waiter.continuation.resume(returning: .failure(StreamConsumer.cancelled)) }
        if !ready.isEmpty { return waiter.continuation.resume(returning: .success(ready)) }
        guard needsThread else { return }
        startThread("redis-consumer") { [client, stream, consumer, state] in
            StreamConsumer.serve(client, stream, consumer, state)
        }
    }

    /// Body of the thread: ends when the consumer is gone.
    private static func serve(_ client: RedisClient, _ stream: String, _ consumer: String, _ state: Monitor<State>) {
        var connection: RedisConnection?
        var backoff = Backoff(to: .milliseconds(500))
        while let want = state.wait(for: { $0.demand }).flatMap({ $0 }) {
            do throws(RedisError) {
                let open: RedisConnection
                if let connection { open = connection } else { open = try RedisConnection(client.endpoint) }
                connection = open
                let wait = min(slice, want.deadline.remaining)
                let entries = try read(client, stream, consumer, open, count: want.count, wait: wait)
                backoff.reset()
                answer(state.withLock { $0.deliver(entries) })
            } catch {
                connection = nil
                let failure = error.portError("read \(stream)")
                answer(state.withLock { $0.fail(failure, all: !error.isTransient) })
                _ = state.wait(until: .after(backoff.step())) { $0.isClosed ? true : nil }
            }
        }
    }

    /// Outside the lock: who is resumed may be cancelled this moment, and a cancel holds a lock of the task's when it
    /// wants ours.
    private static func answer(_ answers: [Answer]) {
        for answer in answers { answer.waiter.continuation.resume(returning: answer.result) }
    }

    private static func read(
        _ client: RedisClient,
        _ stream: String,
        _ consumer: String,
        _ connection: RedisConnection,
        count: Int,
        wait: Duration
    ) throws(RedisError) -> [Entry] {
        // BLOCK 0 would mean forever.
        let block: [RedisArgument] = wait > .milliseconds(1) ? ["BLOCK", .int(Int(wait.wholeMilliseconds))] : []
        let head: [RedisArgument] = [
            "XREADGROUP", "GROUP", .text(client.keys.group), .text(consumer), "COUNT", .int(count),
        ]
        let command = RedisCommand(head + block + ["STREAMS", .text(stream), ">"])
        return try withGroup(client, stream, connection) { connection throws(RedisError) in
            entries(of: try connection.send(command))
        }
    }

    /// `[[stream, [[id, [field, value]], …]]]`, or nothing; deleted entries have no fields.
    private static func entries(of reply: RedisReply) -> [Entry] {
        guard let list = reply.root[0]?[1] else { return [] }
        return list.elements().map { Entry(id: $0[0]?.text ?? "", value: $0[1]?[1]?.bytes ?? []) }
    }

    private struct Waiter {
        let ticket: Int
        let max: Int
        let deadline: Deadline
        let continuation: CheckedContinuation<Result<[Entry], CodeForgeError>, Never>
    }

    private struct Answer {
        let waiter: Waiter
        let result: Result<[Entry], CodeForgeError>
    }

    private struct State {
        var waiters: [Waiter] = []
        var buffer: [Entry] = []
        var cancelledEarly: Set<Int> = []
        var lastTicket = 0
        var hasThread = false
        var isClosed = false

        /// What the waiters want together; `.some(nil)` to end the thread, `nil` to wait.
        var demand: (count: Int, deadline: Deadline)?? {
            if isClosed { return .some(nil) }
            guard let first = waiters.map(\.deadline).min() else { return nil }
            return (min(1024, waiters.reduce(0) { $0 + $1.max }), first)
        }

        /// Hands entries out in order; a waiter whose time is over goes empty-handed.
        mutating func deliver(_ entries: [Entry]) -> [Answer] {
            buffer += entries
            var answers: [Answer] = []
            while let waiter = waiters.first, !buffer.isEmpty {
                waiters.removeFirst()
                let share = Array(buffer.prefix(waiter.max))
                buffer.removeFirst(share.count)
                answers.append(Answer(waiter: waiter, result: .success(share)))
            }
            return answers + take(.success([])) { $0.deadline.hasPassed }
        }

        mutating func fail(_ error: CodeForgeError, all: Bool) -> [Answer] {
            take(.failure(error)) { all || $0.deadline.hasPassed }
        }

        private mutating func take(
            _ result: Result<[Entry], CodeForgeError>, where isMeant: (Waiter) -> Bool
        ) -> [Answer] {
            var answers: [Answer] = []
            waiters.removeAll { waiter in
                guard isMeant(waiter) else { return false }
                answers.append(Answer(waiter: waiter, result: result))
                return true
            }
            return answers
        }

        /// Takes a waiter out; one that has not come yet is remembered.
        mutating func cancel(_ ticket: Int) -> Waiter? {
            if let index = waiters.firstIndex(where: { $0.ticket == ticket }) { return waiters.remove(at: index) }
            cancelledEarly.insert(ticket)
            return nil
        }
    }
}
