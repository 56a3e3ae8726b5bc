package import Domain
import Synchronization

/// Event logs in arrays. Ids are `<n>-0`, from 1.
package final class InMemoryEventLog: EventLog {
    private struct State {
        var logs: [String: [LoggedEvent]] = [:]
        var once: Set<String> = []
        var expiries: [String: Int?] = [:]
        var lastID = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var lastTicket = 0
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

    package func follow(_ taskID: String, after id: String?) -> AsyncThrowingStream<EventBatch, any Error> {
        let position = Mutex((last: InMemoryEventLog.number(id), caughtUp: false))
        let box = Box(position)
        return AsyncThrowingStream {
            while !Task.isCancelled {
                let batch = self.state.withLock { state -> EventBatch? in
                    let log = state.logs[taskID] ?? []
                    return box.value.withLock { position in
                        let rest = log.drop { InMemoryEventLog.number($0.id) <= position.last }
                        let entries = Array(rest.prefix(InMemoryEventLog.batchEntries))
                        let reachesEnd = entries.count == rest.count
                        guard !entries.isEmpty || !position.caughtUp else { return nil }
                        if let last = entries.last { position.last = InMemoryEventLog.number(last.id) }
                        if reachesEnd { position.caughtUp = true }
                        return EventBatch(entries: entries, caughtUp: reachesEnd)
                    }
                }
                if let batch { return batch }
                await self.news(of: taskID, after: box.value.withLock { $0.last })
            }
            return nil
        }
    }

    package func expire(_ taskID: String, seconds: Int?) async throws(CodeForgeError) {
        state.withLock { $0.expiries[taskID] = .some(seconds) }
    }

    private final class Box<Value: ~Copyable & Sendable>: Sendable {
        let value: Value
        init(_ value: consuming Value) { self.value = value }
    }

    @discardableResult
    private func appendNow(_ entries: [LoggedEvent.Body], to taskID: String, key: String?) -> Bool {
        let waiters: [CheckedContinuation<Void, Never>]? = state.withLock { state in
            guard !entries.isEmpty else { return nil }
            if let key, !state.once.insert(taskID + "\u{0}" + key).inserted { return nil }
            for entry in entries {
                state.lastID += 1
                state.logs[taskID, default: []].append(LoggedEvent(id: "\(state.lastID)-0", body: entry))
            }
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters ?? [] { waiter.resume() }
        return waiters != nil
    }

    private func news(of taskID: String, after last: Int) async {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    let newest = state.logs[taskID]?.last.map { InMemoryEventLog.number($0.id) } ?? 0
                    if newest > last || Task.isCancelled { return true }
                    state.waiters[ticket] = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume()
        }
    }

    private static func number(_ id: String?) -> Int {
        id.flatMap { $0.split(separator: "-").first }.flatMap { Int($0) } ?? 0
    }
}
