/// The record of tasks and their iterations. One process writes it.
public protocol TaskStore: Sendable {
    /// Durable when it returns, both or neither.
    ///
    /// - Parameter receipt: The answer to give when the same request comes again; see `ReceiptStore`.
    /// - Throws: `.conflict` when there is such a task or receipt.
    func insert(_ task: CodeTask, receipt: Receipt?) async throws(CodeForgeError)

    /// - Returns: `nil` for an unknown id, whatever its form.
    func task(_ id: String) async throws(CodeForgeError) -> CodeTask?

    /// Changes a task in one transaction: reads it, lets `change` edit it, writes it, with `iteration` appended when
    /// `change` returns one (an earlier record of the same number is replaced).
    ///
    /// - Parameter change: Runs on the store's own thread; may throw to leave everything as it was.
    /// - Returns: The task as stored.
    /// - Throws: `.notFound` (`task <id> not found`), or what `change` throws.
    @discardableResult
    func update(
        _ id: String, _ change: @escaping @Sendable (inout CodeTask) throws(CodeForgeError) -> Iteration?
    ) async throws(CodeForgeError) -> CodeTask

    /// Newest first. For lists: prompts may be cut behind their first 200 bytes, and what is long and not listed
    /// (result, review, latest prompt) is left out.
    ///
    /// - Parameters:
    ///   - status: An unknown value matches nothing.
    ///   - limit: 1…200.
    ///   - offset: ≥ 0.
    /// - Returns: One page, and the number of all tasks that match.
    func list(status: String?, limit: Int, offset: Int) async throws(CodeForgeError) -> (tasks: [CodeTask], total: Int)

    /// Tasks in any of `statuses`, oldest first, without a limit: what a start has to look after.
    func tasks(in statuses: Set<TaskStatus>) async throws(CodeForgeError) -> [CodeTask]

    /// Ids of tasks that wait for a worker, oldest first: not held, and no run of theirs under way.
    func waiting() async throws(CodeForgeError) -> [String]

    /// Pending tasks that are held, oldest first.
    func held() async throws(CodeForgeError) -> [CodeTask]

    /// Tasks with a review on its way to a pull request, oldest first.
    func tasksToPost() async throws(CodeForgeError) -> [CodeTask]

    /// Finished iterations in the order they ended.
    func iterations(of id: String) async throws(CodeForgeError) -> [Iteration]

    /// Answers quickly whether the store works.
    func ping() async throws(CodeForgeError)
}

extension TaskStore {
    public func insert(_ task: CodeTask) async throws(CodeForgeError) { try await insert(task, receipt: nil) }
}
