/// Ends work that takes too long.
struct TimeBudget: Sendable {
    let ticker: Ticker
    let limit: Duration

    /// Runs `work`, which is cancelled when the time is up or the caller is.
    ///
    /// - Parameter executor: The caller's.
    /// - Throws: What `work` throws; `HTTPFailure.timeout` when it ended because of the limit.
    func run<Value: Sendable>(
        on executor: any TaskExecutor, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        // A child of a task group can't be cancelled from a timer; this task is awaited on the next lines.
        let task = Task(executorPreference: executor, operation: work)
        let deadline = ContinuousClock.now + limit
        let id = ticker.add { if $0 >= deadline { task.cancel() } }
        defer { ticker.remove(id) }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch  where task.isCancelled {
            throw HTTPFailure.timeout
        }
    }
}
