import Domain

/// One reader of one log: first from the log itself to its end, then from the hub; back to the log when it lags.
actor EventFollower {
    private let hubs: EventHubs
    private let taskID: String
    private let hub: EventHub
    private var position: StreamID
    private var pager: EventPager
    private var isLive = false
    private var hasCaughtUp = false

    private static let retryPause: Duration = .milliseconds(500)

    init(_ hubs: EventHubs, _ taskID: String, after position: StreamID) {
        self.hubs = hubs
        self.taskID = taskID
        self.position = position
        hub = hubs.join(taskID)
        pager = EventPager(hubs.reader, taskID)
    }

    deinit { hubs.leave(taskID) }

    /// The next batch; `nil` once the task that asks is cancelled.
    func next() async throws(CodeForgeError) -> EventBatch? {
        while !Task.isCancelled {
            guard let batch = isLive ? await live() : try await replay() else { continue }
            return batch
        }
        return nil
    }

    private func live() async -> EventBatch? {
        switch await hub.next(after: position) {
        case .batch(let batch, let last):
            position = last
            return batch
        case .behind:
            isLive = false
            return nil
        case .cancelled: return nil
        }
    }

    private func replay() async throws(CodeForgeError) -> EventBatch? {
        var pager = pager
        let page: EventPage
        do throws(CodeForgeError) {
            page = try await pager.read(after: position)
        } catch  where error.code == .unavailable {
            // A cancelled sleep ends the loop in `next`.
            try? await Task.sleep(for: EventFollower.retryPause)
            return nil
        }
        self.pager = pager
        position = page.last
        isLive = page.isEnd
        if page.entries.isEmpty && (!page.isEnd || hasCaughtUp) { return nil }
        if page.isEnd { hasCaughtUp = true }
        return EventBatch(entries: page.entries, caughtUp: page.isEnd)
    }
}
