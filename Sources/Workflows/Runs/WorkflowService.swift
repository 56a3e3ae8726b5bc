package import Domain
package import Engine

/// What clients may do to workflows and their runs.
package struct WorkflowService: Sendable {
    private let workflows: any WorkflowStore
    private let runs: any WorkflowRunStore
    private let events: any EventLog
    private let runner: WorkflowRunner
    private let clock: any WallClock
    private let makeID: @Sendable () -> String
    private let tracing: RunTracing?
    /// Seconds the events of a run stay after its end.
    private let historyTTL: Int

    /// Runs one answer lists.
    package static let mostRuns = 100

    package init(
        _ parts: RunParts, _ rules: RunRules, runner: WorkflowRunner, makeID: @escaping @Sendable () -> String,
        tracing: RunTracing? = nil
    ) {
        workflows = parts.workflows
        runs = parts.runs
        events = parts.events
        clock = parts.clock
        historyTTL = rules.historyTTL
        self.runner = runner
        self.makeID = makeID
        self.tracing = tracing
    }

    // MARK: Workflows

    /// Brings the built-in workflows to what this version has. For the start of the service.
    package func seed() async throws(CodeForgeError) { try await workflows.replaceBuiltIn(BuiltInWorkflows.all) }

    /// - Throws: `.invalidArgument` with `fields`; `.conflict` when the name is taken.
    package func create(_ workflow: Workflow) async throws(CodeForgeError) {
        var workflow = workflow
        workflow.isBuiltIn = false
        workflow.createdAt = clock.now()
        if workflow.name.isEmpty { throw CodeForgeError(.invalidArgument, "name is required") }
        try NameRule.check(workflow.name)
        try WorkflowValidator.check(workflow)
        let taken = CodeForgeError(.conflict, "workflow '\(workflow.name)' already exists")
        guard !BuiltInWorkflows.all.contains(where: { $0.name == workflow.name }) else { throw taken }
        do throws(CodeForgeError) {
            try await workflows.insert(workflow)
        } catch {
            throw error.code == .conflict ? taken : error
        }
    }

    /// Built-in ones first, then in the order of their creation.
    package func list() async throws(CodeForgeError) -> [Workflow] { try await workflows.workflows() }

    /// - Throws: `.notFound` (`workflow '<name>' not found`).
    package func workflow(_ name: String) async throws(CodeForgeError) -> Workflow {
        guard let workflow = try await workflows.workflow(name) else { throw WorkflowService.unknown(name) }
        return workflow
    }

    /// Its runs go on, and stay on record.
    ///
    /// - Throws: `.notFound`; `.conflict` for a built-in one.
    package func delete(_ name: String) async throws(CodeForgeError) {
        let isBuiltIn: Bool
        do throws(CodeForgeError) {
            isBuiltIn = try await workflow(name).isBuiltIn
        } catch {
            // One that can't be read can be deleted all the same, unless it comes with the service.
            guard error.code == .unavailable else { throw error }
            isBuiltIn = BuiltInWorkflows.all.contains { $0.name == name }
        }
        if isBuiltIn { throw CodeForgeError(.conflict, "cannot delete built-in workflow '\(name)'") }
        guard try await workflows.remove(name) else { throw WorkflowService.unknown(name) }
    }

    // MARK: Runs

    /// Starts a run: on record when this returns.
    ///
    /// - Parameter receipt: Makes the answer that goes on record together with the run.
    /// - Throws: `.notFound`; `.invalidArgument` when a required parameter is missing.
    package func run(
        _ name: String, params: [String: String], receipt: ((WorkflowRun) -> Receipt)? = nil
    ) async throws(CodeForgeError) -> WorkflowRun {
        let workflow = try await workflow(name)
        var params = params
        for parameter in workflow.parameters where params[parameter.name] == nil {
            if parameter.required {
                throw CodeForgeError(.invalidArgument, "missing required parameter: \(parameter.name)")
            }
            params[parameter.name] = parameter.default
        }
        var run = WorkflowRun(id: makeID(), workflow: workflow, params: params, createdAt: clock.now())
        run.trace = tracing?.parentOfNewTask()
        run.traceID = run.trace?.traceIDText
        try await runs.insert(run, receipt: receipt?(run))
        runner.look()
        return run
    }

    /// - Throws: `.notFound` (`workflow run '<id>' not found`).
    package func run(_ id: String) async throws(CodeForgeError) -> WorkflowRun {
        guard let run = try await runs.run(id) else { throw WorkflowService.unknownRun(id) }
        return run
    }

    package func steps(of id: String) async throws(CodeForgeError) -> [RunStep] { try await runs.steps(of: id) }

    /// Newest first, at most `mostRuns`.
    ///
    /// - Parameter workflow: `nil`: of any; an unknown one has none.
    package func runs(of workflow: String?) async throws(CodeForgeError) -> [WorkflowRun] {
        try await runs.runs(of: workflow, limit: WorkflowService.mostRuns)
    }

    /// The run's events after `id`, then live ones; see `EventLog.reader`.
    package func reader(
        of runID: String, after id: String?, onNews: @escaping @Sendable () -> Void
    ) -> any EventReader {
        events.reader(of: runID, after: id, onNews: onNews)
    }

    /// Ends a run that waits, and asks for the end of one under way, its task's included.
    ///
    /// - Throws: `.notFound`; `.conflict` when it is over.
    @discardableResult
    package func cancel(_ id: String) async throws(CodeForgeError) -> WorkflowRun {
        let now = clock.now()
        let run = try await runs.update(id) { run throws(CodeForgeError) in
            switch run.status {
            case .pending:
                run.status = .canceled
                run.error = "canceled by user"
                run.finishedAt = now
            case .running: run.isCancelRequested = true
            case .completed, .failed, .canceled:
                throw CodeForgeError(.conflict, "run is not active (status: \(run.status.rawValue))")
            }
            return nil
        }
        if run.status == .canceled {
            WorkflowMetrics.ended(.canceled)
            // Streams end by the record when the log is away.
            try? await RunJournal.close(id, .canceled, error: run.error, events, historyTTL)
        } else {
            runner.wake(id)
        }
        return run
    }

    /// Cancels what is not over of a workflow's runs.
    ///
    /// - Parameter workflow: May be unknown; then there is nothing to do.
    /// - Returns: How many.
    package func cancelAll(of workflow: String) async throws(CodeForgeError) -> Int {
        var count = 0
        // Youngest first, so that none of them starts in between.
        for run in try await runs.openRuns(of: workflow).reversed() {
            do throws(CodeForgeError) {
                try await cancel(run.id)
                count += 1
            } catch {
                if error.code != .conflict { throw error }  // it ended meanwhile
            }
        }
        return count
    }

    private static func unknown(_ name: String) -> CodeForgeError {
        CodeForgeError(.notFound, "workflow '\(name)' not found")
    }

    private static func unknownRun(_ id: String) -> CodeForgeError {
        CodeForgeError(.notFound, "workflow run '\(id)' not found")
    }
}
