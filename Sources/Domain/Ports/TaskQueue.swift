/// A task id handed to one worker.
public struct Claim: Sendable, Hashable {
    /// The queue's own id of the entry.
    public var entry: String
    public var taskID: String

    public init(entry: String, taskID: String) {
        self.entry = entry
        self.taskID = taskID
    }
}

/// Tasks waiting for a worker, first in, first out.
public protocol TaskQueue: Sendable {
    /// Durable when it returns.
    func enqueue(_ taskID: String) async throws(CodeForgeError)

    /// Takes the oldest waiting entry. An entry stays claimed until `acknowledge`.
    ///
    /// - Parameter wait: Longest block, 0…30 s; zero polls once.
    /// - Returns: `nil` when the queue stayed empty.
    /// - Throws: `.unavailable` without Redis; `.cancelled` when the caller is.
    func claim(wait: Duration) async throws(CodeForgeError) -> Claim?

    /// Entries that an earlier server claimed and never acknowledged; they are this server's now.
    func reclaim() async throws(CodeForgeError) -> [Claim]

    func acknowledge(_ claim: Claim) async throws(CodeForgeError)

    /// Entries waiting or claimed.
    func depth() async throws(CodeForgeError) -> Int

    /// Ids of every entry waiting or claimed: what a reconciler must not enqueue again.
    func contents() async throws(CodeForgeError) -> Set<String>
}
