/// Callbacks that wait for their delivery. They come in with a change of their task (`CodeTask.callback`), in the same
/// transaction, and go when they were delivered or given up.
public protocol CallbackStore: Sendable {
    /// Those that are due at `time`, longest due first.
    ///
    /// - Parameters:
    ///   - limit: ≥ 0.
    ///   - busy: Ids to leave out, few.
    func due(at time: Timestamp, limit: Int, except busy: Set<String>) async throws(CodeForgeError) -> [Callback]

    /// When the next one becomes due, those in `busy` left out; `nil` when none waits.
    func nextDue(except busy: Set<String>) async throws(CodeForgeError) -> Timestamp?

    /// Makes a task's callbacks that were never tried due at `time`, if they are not due before.
    func release(task id: String, at time: Timestamp) async throws(CodeForgeError)

    /// Notes a failed attempt. Unknown ids are ignored.
    ///
    /// - Parameter attempts: Failed attempts so far, this one included.
    func postpone(_ id: String, attempts: Int, until time: Timestamp) async throws(CodeForgeError)

    /// Forgets one. Unknown ids are ignored.
    func remove(_ id: String) async throws(CodeForgeError)
}
