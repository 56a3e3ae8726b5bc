/// The history of a task's events, readable while it grows.
public protocol EventLog: Sendable {
    /// Appends in order and wakes followers. Durable when it returns.
    func append(_ entries: [LoggedEvent.Body], to taskID: String) async throws(CodeForgeError)

    /// Appends only if nothing was appended under the same `key` before: for events whose sender may be repeated
    /// after a crash.
    ///
    /// - Returns: Whether it was appended now.
    @discardableResult
    func appendOnce(_ entries: [LoggedEvent.Body], to taskID: String, key: String) async throws(CodeForgeError) -> Bool

    /// Reads entries after `id` (`nil`: from the start), then live ones as they come, each exactly once and in order.
    ///
    /// An unknown or trimmed `id` continues with the oldest entry after it.
    /// - Parameter onNews: Called once, from anywhere, after `next` had nothing and has something now, or may have. Must
    ///   not block. Not called any more soon after the reader is gone.
    func reader(
        of taskID: String, after id: String?, onNews: @escaping @Sendable () -> Void
    ) -> any EventReader

    /// Lets the history expire some time after the task ended.
    ///
    /// - Parameter ttl: Seconds from now; `nil` keeps it.
    func expire(_ taskID: String, seconds: Int?) async throws(CodeForgeError)
}

/// One reader of one log. Costs little while nothing happens: whoever waits for news needs no task for it.
public protocol EventReader: Sendable {
    /// The next batch; `nil` when there is nothing more for now. One call at a time.
    ///
    /// Batches are bounded, and the next one is read only when it is asked for: a slow reader holds nothing up. The first
    /// that reaches the log's end comes even when it is empty.
    /// - Throws: `.unavailable` when the log is away for good.
    func next() async throws(CodeForgeError) -> EventBatch?
}

/// Some entries of a log, in order.
public struct EventBatch: Sendable {
    public var entries: [LoggedEvent]
    /// The batch reaches the end of the log as it was when read: all history has been seen. May be true with no entries.
    public var caughtUp: Bool

    public init(entries: [LoggedEvent], caughtUp: Bool) {
        self.entries = entries
        self.caughtUp = caughtUp
    }
}
