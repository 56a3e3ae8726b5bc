package import Domain
import Logging

/// A supervisor's way into its task's event log, for as many lines as a CLI can print.
///
/// `append` copies into a buffer; a thread of its own sends batches. While Redis is away the batches go to a spool file
/// and are sent, in order, once it is back. Each batch is one script that counts the writer's entries, so a batch whose
/// answer was lost is sent again without appending anything twice.
package final class EventWriter: EventSink {
    /// Bounds and names of a writer.
    package struct Settings: Sendable {
        package var taskID: String
        /// Names this run among all writers of the task, such as `2-1-task`; never used again by another run.
        package var writerID: String
        /// Entries the log keeps, at least.
        package var historyEntries: Int
        /// File for what can't be sent now; replaced.
        package var spoolPath: String
        /// Largest size of the spool.
        package var spoolBytes: Int
        /// Bytes in memory after which `waitForRoom` waits.
        package var memoryBytes: Int

        package init(
            taskID: String,
            writerID: String,
            historyEntries: Int,
            spoolPath: String,
            spoolBytes: Int = 256 << 20,
            memoryBytes: Int = 4 << 20
        ) {
            self.taskID = taskID
            self.writerID = writerID
            self.historyEntries = historyEntries
            self.spoolPath = spoolPath
            self.spoolBytes = spoolBytes
            self.memoryBytes = memoryBytes
        }
    }

    private let settings: Settings
    private let state: Monitor<EventWriterState>

    /// Starts the thread; does not wait for Redis.
    ///
    /// - Throws: `.unavailable` when the spool can't be created.
    package init(_ client: RedisClient, _ settings: Settings) throws(CodeForgeError) {
        self.settings = settings
        let state = Monitor(EventWriterState())
        self.state = state
        let spool = try EventSpool(path: settings.spoolPath, limitBytes: settings.spoolBytes)
        startThread("redis-events") {
            var sender = EventSender(client, settings, spool, state)
            sender.run()
        }
    }

    deinit { state.update { $0.isAbandoned = true } }

    /// Appends in order. May be called from several threads; never blocks for long. After `close` it does nothing.
    package func append(_ body: LoggedEvent.Body) {
        switch body {
        case .event(let json): json.withUnsafeBytes { append($0, kind: EventField.event) }
        case .done(let json): json.withUnsafeBytes { append($0, kind: EventField.done) }
        }
    }

    /// Appends one event, already encoded by `TaskEvent.json`.
    package func append(event json: UnsafeRawBufferPointer) { append(json, kind: EventField.event) }

    private func append(_ json: UnsafeRawBufferPointer, kind: UInt8) {
        let senderWaits = state.withLock { state in
            guard !state.isClosed else { return false }
            state.append(json, kind: kind)
            return state.senderWaits
        }
        if senderWaits { state.wake() }
    }

    /// Blocks while more than `memoryBytes` wait to be sent or spooled, so never call it on the cooperative pool.
    package func waitForRoom() {
        _ = state.wait { state in state.isClosed || state.queuedBytes < settings.memoryBytes ? true : nil }
    }

    /// Waits until everything appended before is in the log, however long that takes.
    ///
    /// - Throws: `.unavailable` when the writer ended before.
    package func flush() async throws(CodeForgeError) {
        guard await flush(within: nil) else {
            throw CodeForgeError(.unavailable, "the event log was not reached before the writer ended")
        }
    }

    /// Waits until everything appended before is in the log.
    ///
    /// - Parameter limit: Longest wait; `nil` for no limit.
    /// - Returns: Whether it is.
    package func flush(within limit: Duration?) async -> Bool {
        await withCheckedContinuation { continuation in
            let known = state.update { state -> Bool? in
                if state.sent == state.appended || state.hasEnded { return state.sent == state.appended }
                state.flushes.append(
                    .init(target: state.appended, deadline: limit.map { .after($0) }, continuation: continuation))
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Takes no more entries, waits as `flush` does, ends the thread and removes the spool.
    @discardableResult
    package func close(within limit: Duration? = nil) async -> Bool {
        state.update { $0.isClosed = true }
        let isComplete = await flush(within: limit)
        state.update { $0.isAbandoned = true }
        return isComplete
    }
}
