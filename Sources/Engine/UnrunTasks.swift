import Domain

/// Ends tasks that never ran.
struct UnrunTasks: Sendable {
    let events: any EventLog
    let secrets: any TaskSecretStore
    let clock: any WallClock
    /// Seconds the event history stays.
    let historyTTL: Int
    /// Likewise its secrets.
    let secretsTTL: Int

    /// What such an end does to a task.
    ///
    /// - Returns: The record of the run there was none of.
    static func fail(_ task: inout CodeTask, _ error: String, at now: Timestamp) -> Iteration {
        task.status = .failed
        task.hold = nil
        task.error = error
        task.finishedAt = now
        return Iteration(
            number: task.iteration, prompt: task.activePrompt, status: .failed, error: error, usage: Usage(),
            startedAt: task.createdAt, endedAt: now)
    }

    /// The end of its stream. May be told twice.
    func tell(_ task: CodeTask) async throws(CodeForgeError) {
        let event = TaskEvent.failed(task.error ?? "", time: task.finishedAt ?? clock.now())
        try await events.appendOnce(
            [.event(json: event.json), .done(task.run, status: .failed, changes: nil)], to: task.id, key: "end:held")
        try await events.expire(task.id, seconds: historyTTL)
        try await secrets.expire(task.id, seconds: secretsTTL)
    }
}
