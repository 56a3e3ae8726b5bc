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

    /// Entries after `id` (`nil`: from the start), then live ones as they come, each exactly once and in order.
    ///
    /// The batches are bounded, and the next one is read only when the last was taken: a slow reader holds nothing up.
    /// An unknown or trimmed `id` continues with the oldest entry after it.
    /// Ends when the consumer stops iterating; throws `.unavailable` when the log is away for good.
    func follow(_ taskID: String, after id: String?) -> AsyncThrowingStream<EventBatch, any Error>

    /// Lets the history expire some time after the task ended.
    ///
    /// - Parameter ttl: Seconds from now; `nil` keeps it.
    func expire(_ taskID: String, seconds: Int?) async throws(CodeForgeError)
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
