import Domain
import Logging

/// The thread of an `EventWriter`.
struct EventSender {
    private let client: RedisClient
    private let settings: EventWriter.Settings
    private let state: Monitor<EventWriterState>
    private var spool: EventSpool
    private var connection: RedisConnection?
    /// Taken from the queue or the spool, and not known to be in the log.
    private var pending: EventChunk?
    private var backoff = Backoff(to: .milliseconds(250))
    private var isAway = false
    private var command = RedisCommand()
    private var kinds: [UInt8] = []
    private let keys: [RedisArgument]
    private let constants: [RedisArgument]

    /// A writer's counter outlives its run by as much: no batch is on its way any more then.
    private static let counterLifetimeSeconds = 7 * 86_400
    private static let answerLimit: Duration = .seconds(5)

    init(
        _ client: RedisClient,
        _ settings: EventWriter.Settings,
        _ spool: EventSpool,
        _ state: Monitor<EventWriterState>
    ) {
        self.client = client
        self.settings = settings
        self.spool = spool
        self.state = state
        let names = client.keys
        keys = [.text(names.events(settings.taskID)), .text(names.writer(settings.taskID, settings.writerID))]
        constants = [
            .int(settings.historyEntries), .text(names.live), .text(settings.taskID),
            .int(EventSender.counterLifetimeSeconds),
        ]
    }

    mutating func run() {
        while takeWork() {
            guard let chunk = pending else { continue }
            do throws(RedisError) {
                try send(chunk)
                pending = nil
                backoff.reset()
                if isAway { client.logger.notice("event log is back", metadata: ["task.id": "\(settings.taskID)"]) }
                isAway = false
                answer(
                    state.update { state in
                        state.sent = chunk.last
                        return state.settledFlushes()
                    })
            } catch {
                connection = nil
                pause(after: error)
            }
        }
        spool.remove()
        answer(
            state.update { state in
                state.hasEnded = true
                return state.settledFlushes()
            })
    }

    private func answer(_ settled: [(flush: EventWriterState.Flush, isComplete: Bool)]) {
        for (flush, isComplete) in settled { flush.continuation.resume(returning: isComplete) }
    }

    /// Makes `pending` the oldest entries that are not sent; waits for some.
    ///
    /// - Returns: `false` when the thread is to end.
    private mutating func takeWork() -> Bool {
        if state.withLock({ $0.isAbandoned }) { return false }
        if pending != nil { return true }
        if !spool.isEmpty {
            pending = spool.next()
            if pending != nil { return true }
            client.logger.error("event spool is unreadable", metadata: ["task.id": "\(settings.taskID)"])
            spool.clear()
        }
        pending = state.wait { state -> EventChunk?? in
            state.senderWaits = false
            if state.isAbandoned { return .some(nil) }
            if let chunk = state.takeChunk() { return chunk }
            state.senderWaits = true
            return nil
        }.flatMap { $0 }
        // Those who wait for room have some now.
        if pending != nil { state.wake() }
        return pending != nil
    }

    private mutating func send(_ chunk: EventChunk) throws(RedisError) {
        let open: RedisConnection
        if let connection { open = connection } else { open = try RedisConnection(client.endpoint) }
        connection = open
        let digest = try open.digest(of: RedisScripts.writeBatch)
        command.removeAll()
        command.reserve(chunk.bytes.count + chunk.count * 12 + 512)
        command.begin(arguments: 3 + keys.count + 2 + constants.count + chunk.count)
        command.append("EVALSHA")
        command.append(.text(digest))
        command.append(.int(keys.count))
        for key in keys { command.append(key) }
        command.append(.int(chunk.first))
        for constant in constants { command.append(constant) }
        kinds.removeAll(keepingCapacity: true)
        chunk.forEach { kind, _ in kinds.append(kind) }
        command.append(.bytes(kinds))
        chunk.forEach { _, value in command.append(raw: value) }
        try open.send(command, wait: EventSender.answerLimit)
    }

    /// Lets some time pass while Redis is away; what comes meanwhile goes to the spool.
    private mutating func pause(after error: RedisError) {
        if !isAway {
            client.logger.warning(
                "event log is away",
                metadata: ["task.id": "\(settings.taskID)", "error": "\(error)"]
            )
            isAway = true
        }
        let end = Deadline.after(backoff.step())
        let low = settings.memoryBytes / 4
        var hasRoom = true
        while !end.hasPassed {
            let chunk = state.wait(until: end) { state -> EventChunk?? in
                if state.isAbandoned { return .some(nil) }
                guard hasRoom, state.queuedBytes > low else { return nil }
                return state.takeChunk()
            }
            guard let chunk = chunk.flatMap({ $0 }) else { break }
            if spool.append(chunk) {
                state.wake()
            } else {
                hasRoom = false
                state.update { $0.putBack(chunk) }
            }
        }
        answer(state.withLock { $0.settledFlushes() })
    }
}
