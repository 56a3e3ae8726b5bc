import Domain
import Synchronization

/// One reader of one log: first from the log itself to its end, then from the hub; back to the log when it lags.
final class EventFollower: EventReader {
    private struct State {
        var position: StreamID
        var pager: EventPager
        var isLive = false
        var hasCaughtUp = false
    }

    private let hubs: EventHubs
    private let taskID: String
    private let hub: EventHub
    private let ticket: Int
    private let onNews: @Sendable () -> Void
    private let state: Mutex<State>

    private static let retryPause: Duration = .milliseconds(500)

    init(_ hubs: EventHubs, _ taskID: String, after position: StreamID, onNews: @escaping @Sendable () -> Void) {
        self.hubs = hubs
        self.taskID = taskID
        self.onNews = onNews
        hub = hubs.join(taskID)
        ticket = hub.makeTicket()
        state = Mutex(State(position: position, pager: EventPager(hubs.reader, taskID)))
    }

    deinit {
        hub.forget(ticket)
        hubs.leave(taskID)
    }

    func next() async throws(CodeForgeError) -> EventBatch? {
        while true {
            let (isLive, position) = state.withLock { ($0.isLive, $0.position) }
            guard isLive else {
                switch try await replay() {
                case .batch(let batch): return batch
                case .nothing: continue
                case .away: return nil
                }
            }
            switch hub.next(after: position, ticket, onNews) {
            case .batch(let batch, let last):
                state.withLock { $0.position = last }
                return batch
            case .behind: state.withLock { $0.isLive = false }
            case .nothing: return nil
            }
        }
    }

    private enum Page {
        case batch(EventBatch)
        case nothing
        /// Redis is; `onNews` is called when it is worth another try.
        case away
    }

    private func replay() async throws(CodeForgeError) -> Page {
        var (pager, position) = state.withLock { ($0.pager, $0.position) }
        let page: EventPage
        do throws(CodeForgeError) {
            page = try await pager.read(after: position)
        } catch  where error.code == .unavailable {
            Task { [onNews] in  // ends by itself
                try? await Task.sleep(for: EventFollower.retryPause)  // never cancelled
                onNews()
            }
            return .away
        }
        return state.withLock { state in
            state.pager = pager
            state.position = page.last
            state.isLive = page.isEnd
            if page.entries.isEmpty && (!page.isEnd || state.hasCaughtUp) { return .nothing }
            if page.isEnd { state.hasCaughtUp = true }
            return .batch(EventBatch(entries: page.entries, caughtUp: page.isEnd))
        }
    }
}
