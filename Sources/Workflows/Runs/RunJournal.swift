import Domain

/// The record and the events of one run. Everything may be written twice, after a crash; the events then appear once.
struct RunJournal: Sendable {
    let runID: String
    let runs: any WorkflowRunStore
    let events: any EventLog
    let clock: any WallClock
    /// Seconds the events stay after the end.
    let historyTTL: Int

    // MARK: Record

    /// Puts the state of a step on record.
    func put(_ step: RunStep) async throws(StepFailure) {
        try await retrying { () throws(CodeForgeError) in
            try await runs.update(runID) { run throws(CodeForgeError) in
                guard run.status == .running else { throw CodeForgeError(.cancelled, "the run is over") }
                return step
            }
        }
    }

    /// Takes a run up.
    ///
    /// - Returns: `nil` when there is nothing to do about it.
    func begin() async throws(StepFailure) -> WorkflowRun? {
        let now = clock.now()
        let run = try await retrying { () throws(CodeForgeError) in
            try await runs.update(runID) { run throws(CodeForgeError) in
                guard run.status == .pending else { return nil }
                run.status = .running
                run.startedAt = now
                return nil
            }
        }
        guard run.status == .running else { return nil }
        try await tell(
            "workflow_started", ["workflow": .string(run.workflowName), "run_id": .string(runID)], key: "started")
        return run
    }

    /// Ends a run, with the step it was in.
    ///
    /// - Parameter stepError: What an unfinished step gets.
    func end(_ status: WorkflowRun.Status, error: String?, stepError: String) async throws(StepFailure) {
        let now = clock.now()
        let open = try await steps().last { $0.finishedAt == nil }
        try await retrying { () throws(CodeForgeError) in
            try await runs.update(runID) { run throws(CodeForgeError) in
                guard !run.status.isFinished else { return nil }
                run.status = status
                run.error = error
                run.finishedAt = now
                guard var step = open else { return nil }
                step.status = .failed
                step.error = stepError
                step.finishedAt = now
                return step
            }
        }
        if let open { try await ended(open, status == .canceled ? .canceled : .failed(stepError)) }
        try await retrying { () throws(CodeForgeError) in
            try await RunJournal.close(runID, status, error: error, events, historyTTL)
        }
    }

    func steps() async throws(StepFailure) -> [RunStep] {
        try await retrying { () throws(CodeForgeError) in try await runs.steps(of: runID) }
    }

    // MARK: Events

    enum StepEnd {
        case completed
        case failed(String)
        case canceled
    }

    func started(_ step: RunStep) async throws(StepFailure) {
        var data: [String: JSONValue] = ["step": .string(step.name), "type": .string(step.type)]
        if let id = step.taskID { data["task_id"] = .string(id) }
        try await tell("step_started", .object(data), key: "step:\(step.index):started")
    }

    func ended(_ step: RunStep, _ end: StepEnd) async throws(StepFailure) {
        let key = "step:\(step.index):ended"
        switch end {
        case .completed: try await tell("step_completed", ["step": .string(step.name)], key: key)
        case .failed(let error):
            try await tell("step_failed", ["step": .string(step.name), "error": .string(error)], key: key)
        case .canceled: try await tell("step_canceled", ["step": .string(step.name)], key: key)
        }
    }

    private func tell(_ name: String, _ data: JSONValue, key: String) async throws(StepFailure) {
        let event = TaskEvent(.system, name, data: data, time: clock.now())
        try await retrying { () throws(CodeForgeError) in
            try await events.appendOnce([.event(json: event.json)], to: runID, key: key)
        }
    }

    /// The end of a run's stream.
    static func close(
        _ id: String, _ status: WorkflowRun.Status, error: String?, _ events: any EventLog, _ historyTTL: Int
    ) async throws(CodeForgeError) {
        var json = JSONWriter()
        json.beginObject()
        json.name("run_id")
        json.string(id)
        json.name("status")
        json.string(status.rawValue)
        if let error {
            json.name("error")
            json.string(error)
        }
        json.endObject()
        try await events.appendOnce([.done(json: json.bytes)], to: id, key: "done")
        try await events.expire(id, seconds: historyTTL)
    }
}
