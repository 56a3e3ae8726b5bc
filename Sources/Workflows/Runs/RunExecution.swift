import Domain

/// The steps of one run, one after the other, from the first that is not over.
struct RunExecution: Sendable {
    enum End: Sendable, Equatable {
        case completed
        case failed(step: String, String)
        /// Stopped from outside: the record says how far it is.
        case interrupted
    }

    let run: WorkflowRun
    let parts: RunParts
    let rules: RunRules
    let journal: RunJournal

    func perform() async -> End {
        do throws(StepFailure) {
            return try await steps()
        } catch {
            switch error {
            case .interrupted: return .interrupted
            case .failed(let message): return .failed(step: "", message)  // the record itself refused
            }
        }
    }

    private func steps() async throws(StepFailure) -> End {
        let known = Dictionary(try await journal.steps().map { ($0.index, $0) }, uniquingKeysWith: { $1 })
        var done: [RunStep] = []
        for (index, step) in run.workflow.steps.enumerated() {
            let record = try await perform(step, at: index, known[index], after: done)
            if record.status == .failed { return .failed(step: record.name, record.error ?? "") }
            done.append(record)
        }
        return .completed
    }

    /// - Parameter known: Its record, when an earlier server began it.
    /// - Returns: The record of a step that is over, its events told.
    private func perform(
        _ step: WorkflowStep, at index: Int, _ known: RunStep?, after done: [RunStep]
    ) async throws(StepFailure) -> RunStep {
        var record: RunStep
        if let known {
            record = known
        } else {
            record = RunStep(
                runID: run.id, index: index, name: step.name, type: step.type, startedAt: parts.clock.now())
            try await journal.put(record)
        }
        if record.finishedAt == nil {
            var work = StepRun(
                step: step, record: record, isResumed: known != nil, run: run, done: done, parts: parts, rules: rules,
                journal: journal)
            do throws(StepFailure) {
                record.result = try await work.perform()
                record.status = .completed
            } catch {
                guard case .failed(let message) = error, !Task.isCancelled else { throw .interrupted }
                record.status = .failed
                record.error = message
            }
            record.taskID = work.record.taskID
            record.finishedAt = parts.clock.now()
            try await journal.put(record)
        }
        try await journal.started(record)
        try await journal.ended(record, record.status == .completed ? .completed : .failed(record.error ?? ""))
        return record
    }
}

/// One step at work.
struct StepRun: Sendable {
    let step: WorkflowStep
    var record: RunStep
    /// An earlier server may have come to any point of it.
    let isResumed: Bool
    let run: WorkflowRun
    /// Steps before it.
    let done: [RunStep]
    let parts: RunParts
    let rules: RunRules
    let journal: RunJournal

    /// - Returns: The outputs.
    mutating func perform() async throws(StepFailure) -> [String: String] {
        switch step.kind {
        case .fetch:
            try await journal.started(record)
            return try await fetch()
        case .task: return try await runTask()
        case .action: return try await act()
        case nil: throw .failed("unknown step type '\(step.type)'")
        }
    }

    /// Puts the task it is about on record, before anything happens to that.
    mutating func assign(_ taskID: String) async throws(StepFailure) {
        if record.taskID != taskID {
            record.taskID = taskID
            try await journal.put(record)
        }
        try await journal.started(record)
    }

    /// The task of an earlier step.
    func task(of name: String, _ member: String) throws(StepFailure) -> String {
        guard let id = done.last(where: { $0.name == name })?.taskID else {
            throw .failed("\(member): no step '\(name)' with a task ran before")
        }
        return id
    }

    // MARK: Templates

    func render(_ text: String, _ member: String) throws(StepFailure) -> String {
        do throws(TemplateError) {
            return try Template(text).render(TemplateContext(of: run, steps: done))
        } catch {
            throw .failed("\(member): \(error)")
        }
    }

    /// A member that may as well be missing: what is wrong with it makes it empty.
    func renderIfAny(_ text: String?) -> String? {
        guard let text else { return nil }
        return (try? render(text, ""))?.filled
    }

    /// What a config says.
    static func read<Config>(
        _ body: () throws(CodeForgeError) -> Config
    ) throws(StepFailure) -> Config {
        do throws(CodeForgeError) { return try body() } catch { throw .failed(error.message) }
    }
}
