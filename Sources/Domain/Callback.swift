/// A message to a task's `callback_url` that waits for its delivery.
public struct Callback: Sendable, Hashable {
    /// Random; the same in every attempt, so that a receiver knows a repetition.
    public var id: String
    public var taskID: String
    /// As the client gave it; its path and query may hold secrets of the receiver.
    public var url: String
    /// `task.completed` or `task.failed`.
    public var event: String
    public var traceID: String?
    /// JSON, sent byte for byte in every attempt.
    public var body: [UInt8]
    /// Attempts that ended without a delivery.
    public var attempts: Int
    /// When the next attempt may begin.
    public var dueAt: Timestamp

    public init(
        id: String, taskID: String, url: String, event: String, traceID: String? = nil, body: [UInt8],
        attempts: Int = 0, dueAt: Timestamp
    ) {
        self.id = id
        self.taskID = taskID
        self.url = url
        self.event = event
        self.traceID = traceID
        self.body = body
        self.attempts = attempts
        self.dueAt = dueAt
    }
}
