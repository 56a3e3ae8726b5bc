/// The record of workflow definitions.
public protocol WorkflowStore: Sendable {
    /// - Throws: `.conflict` when the name is taken.
    func insert(_ workflow: Workflow) async throws(CodeForgeError)

    /// Makes the built-in ones exactly these: missing ones are added, others of theirs removed, present ones brought up
    /// to date. A client's workflow that has one's name stays, and hides it.
    func replaceBuiltIn(_ workflows: [Workflow]) async throws(CodeForgeError)

    /// Built-in ones first, then in the order of their creation.
    func workflows() async throws(CodeForgeError) -> [Workflow]

    func workflow(_ name: String) async throws(CodeForgeError) -> Workflow?

    /// Its runs stay on record.
    ///
    /// - Returns: Whether it was there.
    func remove(_ name: String) async throws(CodeForgeError) -> Bool
}

/// The record of runs and their steps. One process writes it.
public protocol WorkflowRunStore: Sendable {
    /// - Parameter receipt: Goes on record together with the run, or neither does.
    /// - Throws: `.conflict` when the id, or what the receipt is about, is taken.
    func insert(_ run: WorkflowRun, receipt: Receipt?) async throws(CodeForgeError)

    func run(_ id: String) async throws(CodeForgeError) -> WorkflowRun?

    /// In the order of the workflow.
    func steps(of runID: String) async throws(CodeForgeError) -> [RunStep]

    /// Changes a run in one transaction, with `step` written beside it when `change` returns one (an earlier record of
    /// the same index is replaced).
    ///
    /// - Parameter change: Runs on the store's own thread; may throw to leave everything as it was.
    /// - Returns: The run as stored.
    /// - Throws: `.notFound` (`workflow run '<id>' not found`), or what `change` throws.
    @discardableResult
    func update(
        _ id: String, _ change: @escaping @Sendable (inout WorkflowRun) throws(CodeForgeError) -> RunStep?
    ) async throws(CodeForgeError) -> WorkflowRun

    /// Newest first.
    ///
    /// - Parameters:
    ///   - workflow: `nil`: of any; an unknown one has none.
    ///   - limit: ≥ 1.
    func runs(of workflow: String?, limit: Int) async throws(CodeForgeError) -> [WorkflowRun]

    /// Runs that are not finished, oldest first.
    ///
    /// - Parameter workflow: `nil`: of any.
    func openRuns(of workflow: String?) async throws(CodeForgeError) -> [WorkflowRun]
}

extension WorkflowRunStore {
    /// Stores a run that no receipt goes with.
    public func insert(_ run: WorkflowRun) async throws(CodeForgeError) { try await insert(run, receipt: nil) }
}
