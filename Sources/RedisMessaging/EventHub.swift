import Domain
import Synchronization

/// The newest part of one task's log, shared by all its followers in this process.
///
/// It holds every entry after `base` up to `last`. Nothing is read ahead: only when a follower at the end of it waits for
/// more is the next part read, once for all of them. A follower older than `base` reads from the log by itself.
final class EventHub: Sendable {
    /// What a follower is to do.
    enum Answer {
        case batch(EventBatch, last: StreamID)
        /// Read from the log until the end, then come back.
        case behind
        /// Wait: it will be told.
        case nothing
    }

    fileprivate struct Chunk {
        let after: StreamID
        let last: StreamID
        let entries: [LoggedEvent]
        let bytes: Int
    }

    fileprivate struct State {
        /// `nil` until the first follower comes.
        var base: StreamID?
        var last: StreamID = .zero
        var window: [Chunk] = []
        var windowBytes = 0
        /// The log may have grown since `last` was read.
        var isStale = true
        var isReading = false
        /// Of followers that wait, by ticket.
        var waiters: [Int: @Sendable () -> Void] = [:]
        var lastTicket = 0
        var pager: EventPager
    }

    fileprivate static let windowBytes = 1 << 20
    fileprivate static let windowChunks = 1024
    private static let retryPause: Duration = .milliseconds(250)

    private let state: Mutex<State>

    init(_ reader: RedisClient, _ taskID: String) {
        state = Mutex(State(pager: EventPager(reader, taskID)))
    }

    /// The name of one more follower.
    func makeTicket() -> Int {
        state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
    }

    /// A follower is gone.
    func forget(_ ticket: Int) {
        // Let go outside the lock: it may be the last owner of something that calls back.
        _ = state.withLock { $0.waiters.removeValue(forKey: ticket) }
    }

    /// The log may have grown.
    func wake() {
        let reads = state.withLock { state in
            state.isStale = true
            return state.beginReading()
        }
        if reads { read() }
    }

    /// What comes after `position`, which the follower got from the end of the log or from here.
    ///
    /// - Parameter onNews: Called once, when there was nothing and may be something.
    func next(after position: StreamID, _ ticket: Int, _ onNews: @escaping @Sendable () -> Void) -> Answer {
        let (answer, reads) = state.withLock { state -> (Answer, Bool) in
            if let answer = state.answer(after: position) { return (answer, false) }
            state.waiters[ticket] = onNews
            return (.nothing, state.beginReading())
        }
        if reads { read() }
        return answer
    }

    /// Reads for all that wait, until there is nothing new; `isReading` is set already.
    private func read() {
        Task {  // ends by itself; the followers that asked may be gone before
            while await self.readPage() {}
        }
    }

    /// - Returns: Whether there is more to read.
    private func readPage() async -> Bool {
        var (pager, last) = state.withLock { state in
            state.isStale = false
            return (state.pager, state.last)
        }
        let page: EventPage?
        do throws(CodeForgeError) {
            page = try await pager.read(after: last)
        } catch {
            page = nil
            try? await Task.sleep(for: EventHub.retryPause)  // never cancelled
        }
        let (waiters, isMore) = state.withLock { state -> ([@Sendable () -> Void], Bool) in
            state.isReading = false
            state.pager = pager
            if page?.isEnd != true { state.isStale = true }
            guard let page, page.last > last else { return ([], state.beginReading()) }
            state.append(Chunk(after: last, last: page.last, entries: page.entries, bytes: page.bytes))
            defer { state.waiters = [:] }
            return (Array(state.waiters.values), false)
        }
        for waiter in waiters { waiter() }
        return isMore
    }
}

extension EventHub.State {
    /// - Returns: Whether somebody waits for what was not read, and nobody reads it yet.
    fileprivate mutating func beginReading() -> Bool {
        guard isStale, !isReading, !waiters.isEmpty else { return false }
        isReading = true
        return true
    }

    fileprivate mutating func append(_ chunk: EventHub.Chunk) {
        window.append(chunk)
        windowBytes += chunk.bytes
        last = chunk.last
        while window.count > 1, windowBytes > EventHub.windowBytes || window.count > EventHub.windowChunks {
            let oldest = window.removeFirst()
            windowBytes -= oldest.bytes
            base = oldest.last
        }
    }

    /// - Returns: `nil` when the follower has to wait.
    fileprivate mutating func answer(after position: StreamID) -> EventHub.Answer? {
        // A follower beyond the end of an unused window moves the window instead of having all between read again.
        if base == nil || (position > last && waiters.isEmpty && !isReading) {
            base = position
            last = position
            window = []
            windowBytes = 0
        }
        guard let base, position >= base else { return .behind }
        guard position < last, let index = window.firstIndex(where: { $0.last > position }) else { return nil }
        let chunk = window[index]
        let caughtUp = index == window.count - 1 && !isStale
        if chunk.after >= position {
            return .batch(EventBatch(entries: chunk.entries, caughtUp: caughtUp), last: chunk.last)
        }
        let rest = chunk.entries.filter { (StreamID($0.id.utf8) ?? .zero) > position }
        return .batch(EventBatch(entries: rest, caughtUp: caughtUp), last: chunk.last)
    }
}
