package import Domain
import Synchronization

/// Event logs in arrays. Ids are `<n>-0`, from 1.
package final class InMemoryEventLog: EventLog {
    private struct State {
        var logs: [String: [LoggedEvent]] = [:]
        var once: Set<String> = []
        var expiries: [String: Int?] = [:]
        var lastID = 0
        /// Of readers that wait.
        var waiters: [ObjectIdentifier: (taskID: String, onNews: @Sendable () -> Void)] = [:]
        /// When set, nothing can be appended.
        var failure: CodeForgeError?
    }

    private let state = Mutex(State())
    private static let batchEntries = 256

    package init() {}

    /// Makes every append fail from now on; `nil` ends that.
    package func fail(with error: CodeForgeError?) { state.withLock { $0.failure = error } }

    /// All entries of a log, for assertions.
    package func entries(of taskID: String) -> [LoggedEvent] { state.withLock { $0.logs[taskID] ?? [] } }

    /// What `expire` was last told about a log; `nil` if never.
    package func expiry(of taskID: String) -> Int?? { state.withLock { $0.expiries[taskID] } }

    package func append(_ entries: [LoggedEvent.Body], to taskID: String) async throws(CodeForgeError) {
        if let failure = state.withLock(\.failure) { throw failure }
        appendNow(entries, to: taskID, key: nil)
    }

    @discardableResult
    package func appendOnce(
        _ entries: [LoggedEvent.Body],
        to taskID: String,
        key: String
    ) async throws(CodeForgeError) -> Bool {
        if let failure = state.withLock(\.failure) { throw failure }
        return appendNow(entries, to: taskID, key: key)
    }

    package func reader(
        of taskID: String, after id: String?, onNews: @escaping @Sendable () -> Void
    ) -> any EventReader {
        Reader(log: self, taskID: taskID, last: InMemoryEventLog.number(id), onNews: onNews)
    }

    package func expire(_ taskID: String, seconds: Int?) async throws(CodeForgeError) {
        state.withLock { $0.expiries[taskID] = .some(seconds) }
    }

    private final class Reader: EventReader {
        private let log: InMemoryEventLog
        private let taskID: String
        private let onNews: @Sendable () -> Void
        private let position: Mutex<(last: Int, caughtUp: Bool)>

        init(log: InMemoryEventLog, taskID: String, last: Int, onNews: @escaping @Sendable () -> Void) {
            self.log = log
            self.taskID = taskID
            self.onNews = onNews
            position = Mutex((last, false))
        }

        deinit { _ = log.state.withLock { $0.waiters.removeValue(forKey: ObjectIdentifier(self)) } }

        func next() async throws(CodeForgeError) -> EventBatch? {
            log.state.withLock { state in
                position.withLock { position in
                    let rest = (state.logs[taskID] ?? []).drop { InMemoryEventLog.number($0.id) <= position.last }
                    let entries = Array(rest.prefix(InMemoryEventLog.batchEntries))
                    let reachesEnd = entries.count == rest.count
                    guard !entries.isEmpty || !position.caughtUp else {
                        state.waiters[ObjectIdentifier(self)] = (taskID, onNews)
                        return nil
                    }
                    if let last = entries.last { position.last = InMemoryEventLog.number(last.id) }
                    if reachesEnd { position.caughtUp = true }
                    return EventBatch(entries: entries, caughtUp: reachesEnd)
                }
            }
        }
    }

    @discardableResult
    private func appendNow(_ entries: [LoggedEvent.Body], to taskID: String, key: String?) -> Bool {
        let waiters: [@Sendable () -> Void]? = state.withLock { state in
            guard !entries.isEmpty else { return nil }
            if let key, !state.once.insert(taskID + "\u{0}" + key).inserted { return nil }
            for entry in entries {
                state.lastID += 1
                state.logs[taskID, default: []].append(LoggedEvent(id: "\(state.lastID)-0", body: entry))
            }
            let told = state.waiters.filter { $0.value.taskID == taskID }
            for reader in told.keys { state.waiters[reader] = nil }
            return told.values.map(\.onNews)
        }
        for onNews in waiters ?? [] { onNews() }
        return waiters != nil
    }

    private static func number(_ id: String?) -> Int {
        id.flatMap { $0.split(separator: "-").first }.flatMap { Int($0) } ?? 0
    }
}

extension EventLog {
    /// What a reader gets, as a sequence: history, then what comes, until the consumer stops.
    package func follow(_ taskID: String, after id: String?) -> AsyncThrowingStream<EventBatch, any Error> {
        let waker = Waker()
        let reader = reader(of: taskID, after: id) { waker.wake() }
        return AsyncThrowingStream {
            while !Task.isCancelled {
                if let batch = try await reader.next() { return batch }
                for await _ in waker.wakes { break }
            }
            return nil
        }
    }
}
