import Domain
import Synchronization

/// The newest part of one task's log, shared by all its followers in this process.
///
/// It holds every entry after `base` up to `last`. Nobody reads ahead: when a follower needs what is not here yet, one
/// of those who wait reads it for all of them. A follower older than `base` reads from the log by itself.
final class EventHub: Sendable {
    /// What a follower is to do.
    enum Answer {
        case batch(EventBatch, last: StreamID)
        /// Read from the log until the end, then come back.
        case behind
        case cancelled
    }

    fileprivate enum Signal { case recheck, lead, cancelled }

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
        var waiters: [Int: CheckedContinuation<Signal, Never>] = [:]
        var cancelledEarly: Set<Int> = []
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

    /// The log may have grown.
    func wake() {
        let leader = state.withLock { state -> CheckedContinuation<Signal, Never>? in
            state.isStale = true
            return state.takeLeader()
        }
        leader?.resume(returning: .lead)
    }

    /// What comes after `position`, which the follower got from the end of the log or from here; waits for it.
    func next(after position: StreamID) async -> Answer {
        while true {
            if let answer = state.withLock({ $0.answer(after: position) }) { return answer }
            switch await wait(at: position) {
            case .recheck: continue
            case .cancelled: return .cancelled
            case .lead: await read()
            }
        }
    }

    private func wait(at position: StreamID) async -> Signal {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        // A cancel that came after the signal has left its mark.
        defer { if Task.isCancelled { state.withLock { _ = $0.cancelledEarly.remove(ticket) } } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let signal = state.withLock { state -> Signal? in
                    if state.cancelledEarly.remove(ticket) != nil { return .cancelled }
                    if position < state.last || position < (state.base ?? position) { return .recheck }
                    if state.isStale && !state.isReading {
                        state.isReading = true
                        return .lead
                    }
                    state.waiters[ticket] = continuation
                    return nil
                }
                if let signal { continuation.resume(returning: signal) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let waiter = state.waiters.removeValue(forKey: ticket)
                if waiter == nil { state.cancelledEarly.insert(ticket) }
                return waiter
            }
            waiter?.resume(returning: .cancelled)
        }
    }

    /// Reads one page for everybody; `isReading` is set already, and no other reads meanwhile.
    private func read() async {
        var (pager, last) = state.withLock { state in
            state.isStale = false
            return (state.pager, state.last)
        }
        let page: EventPage?
        do throws(CodeForgeError) {
            page = try await pager.read(after: last)
        } catch {
            page = nil
            // A cancelled leader passes the lead on at once; the others wait a little.
            try? await Task.sleep(for: EventHub.retryPause)
        }
        typealias Waiter = CheckedContinuation<Signal, Never>
        let (waiters, leader) = state.withLock { state -> ([Waiter], Waiter?) in
            state.isReading = false
            state.pager = pager
            guard let page else {
                state.isStale = true
                return ([], state.takeLeader())
            }
            if !page.isEnd { state.isStale = true }
            guard page.last > last else { return ([], state.takeLeader()) }
            state.append(Chunk(after: last, last: page.last, entries: page.entries, bytes: page.bytes))
            let waiters = Array(state.waiters.values)
            state.waiters = [:]
            return (waiters, nil)
        }
        leader?.resume(returning: .lead)
        for waiter in waiters { waiter.resume(returning: .recheck) }
    }
}

extension EventHub.State {
    /// Somebody to read for all, when there is something to read.
    fileprivate mutating func takeLeader() -> CheckedContinuation<EventHub.Signal, Never>? {
        guard isStale, !isReading, let ticket = waiters.first?.key else { return nil }
        isReading = true
        return waiters.removeValue(forKey: ticket)
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
