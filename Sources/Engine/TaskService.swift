package import Domain

/// The sole owner of what clients may do to tasks.
package final class TaskService: Sendable {
    private let store: any TaskStore
    private let queue: any TaskQueue
    private let secrets: any TaskSecretStore
    private let events: any EventLog
    private let link: any SupervisorLink
    private let clock: any WallClock
    private let rules: TaskRules
    private let trust: TrustService?
    private let tracing: RunTracing?
    private let unrun: UnrunTasks

    /// - Parameters:
    ///   - historyTTL: Seconds the event history of a task that was ended before it ran stays.
    ///   - secretsTTL: Likewise its secrets.
    package init(
        store: any TaskStore, queue: any TaskQueue, secrets: any TaskSecretStore, events: any EventLog,
        link: any SupervisorLink, clock: any WallClock, rules: TaskRules, trust: TrustService? = nil,
        tracing: RunTracing? = nil, historyTTL: Int = 604_800, secretsTTL: Int = 604_800
    ) {
        self.store = store
        self.queue = queue
        self.secrets = secrets
        self.events = events
        self.link = link
        self.clock = clock
        self.rules = rules
        self.trust = trust
        self.tracing = tracing
        unrun = UnrunTasks(
            events: events, secrets: secrets, clock: clock, historyTTL: historyTTL, secretsTTL: secretsTTL)
    }

    /// Accepts a task: validated, on record and queued when this returns.
    ///
    /// Once the record exists a failure to queue it is not an error: the reconciler queues what is pending.
    /// - Parameter receipt: Makes the answer that goes on record together with the task.
    /// - Throws: `.invalidArgument` with `fields`.
    package func create(
        _ draft: TaskDraft, receipt: (@Sendable (CodeTask) -> Receipt)? = nil
    ) async throws(CodeForgeError) -> CodeTask {
        try await create(draft, rules.validate(draft), as: rules.makeID(), receipt: receipt)
    }

    /// An id for a task that is to be created.
    package func makeID() -> String { rules.makeID() }

    /// Accepts a task of another part of the service, which chose its id and checked it as far as it wants to. May be
    /// repeated: a task that is there already stays as it is.
    ///
    /// - Throws: `.invalidArgument` for a type there is not.
    package func create(_ draft: TaskDraft, as id: String) async throws(CodeForgeError) -> CodeTask {
        if let task = try await store.task(id) { return task }
        let name = draft.taskType ?? ""
        guard let type = name.isEmpty ? .code : TaskType(rawValue: name) else {
            throw CodeForgeError(.invalidArgument, "unknown task type: \(name)")
        }
        return try await create(draft, type, as: id, receipt: nil)
    }

    private func create(
        _ draft: TaskDraft, _ type: TaskType, as id: String, receipt: (@Sendable (CodeTask) -> Receipt)?
    ) async throws(CodeForgeError) -> CodeTask {
        let now = clock.now()
        var secrets = draft.secrets
        if let config = draft.config, config.holdsSecrets {
            (secrets.mcpServers, secrets.tools) = (config.mcpServers, config.tools)
        }
        var task = CodeTask(
            id: id, type: type, repoURL: draft.repoURL, prompt: draft.prompt, config: draft.config?.masked,
            workspaceSlug: Slug.make(prompt: draft.prompt, taskID: id), createdAt: now)
        task.providerKey = draft.providerKey?.filled
        task.callbackURL = draft.callbackURL?.filled
        task.workflowRunID = draft.workflowRunID?.filled
        task.headSHA = draft.headSHA
        if type == .prReview, trust != nil { task.hold = TaskHold(.trustCheck, isUnattended: draft.isUnattended) }
        task.trace = draft.trace ?? tracing?.parentOfNewTask()
        task.traceID = task.trace?.traceIDText
        if !secrets.isEmpty { try await self.secrets.put(secrets, for: id) }
        try await store.insert(task, receipt: receipt?(task))
        if task.hold != nil {
            trust?.look(at: id)
        } else {
            try? await queue.enqueue(id)  // the reconciler queues pending tasks that are missing from the queue
        }
        return task
    }

    /// - Throws: `.notFound` (`task <id> not found`).
    package func task(_ id: String) async throws(CodeForgeError) -> CodeTask {
        guard let task = try await store.task(id) else { throw TaskService.unknown(id) }
        return task
    }

    /// Newest first; see `TaskStore.list`.
    package func list(
        status: String?, limit: Int, offset: Int
    ) async throws(CodeForgeError) -> (tasks: [CodeTask], total: Int) {
        try await store.list(status: status, limit: limit, offset: offset)
    }

    package func iterations(of id: String) async throws(CodeForgeError) -> [Iteration] {
        try await store.iterations(of: id)
    }

    /// Queues a follow-up in the same workspace.
    ///
    /// - Throws: `.invalidArgument` for a missing or over-long prompt, `.notFound`, `.conflict` for a wrong status.
    package func instruct(_ id: String, prompt: String?) async throws(CodeForgeError) -> CodeTask {
        guard let prompt, !prompt.isEmpty, prompt.unicodeScalars.count <= TaskRules.maximumPromptScalars else {
            throw CodeForgeError(.invalidArgument, "prompt is required and must be under 100KB")
        }
        let task = try await store.update(id) { task throws(CodeForgeError) in
            switch task.status {
            case .completed, .awaitingInstruction, .prCreated: break
            case .running, .cloning, .creatingPR:
                throw CodeForgeError(.conflict, "task is currently \(task.status.rawValue), cannot instruct")
            case .failed:
                throw CodeForgeError(.conflict, "task has failed, create a new task instead")
            case .pending, .reviewing:
                throw CodeForgeError(
                    .conflict, "task in status \(task.status.rawValue) cannot accept instructions")
            }
            task.status = .awaitingInstruction
            task.currentPrompt = prompt
            task.iteration += 1
            task.attempt = 0
            task.endedAttempt = 0
            task.error = nil
            return nil
        }
        try? await secrets.expire(id, seconds: nil)  // both only postpone an expiry far in the future
        try? await events.expire(id, seconds: nil)
        try? await queue.enqueue(id)  // the reconciler queues it otherwise
        return task
    }

    /// Asks the supervisor of a running task to stop it. A task that waits for an approval is ended at once.
    ///
    /// - Throws: `.notFound`, or `.conflict` when nothing is running.
    package func cancel(_ id: String) async throws(CodeForgeError) -> CodeTask {
        let task = try await task(id)
        if let trust, task.status == .pending, task.hold?.reason == .approval { return try await trust.decline(id) }
        guard task.status.isActive else {
            throw CodeForgeError(.conflict, "task is not running (status: \(task.status.rawValue))")
        }
        guard task.isUnderWay else { throw CodeForgeError(.conflict, "task is not currently running") }
        try await link.requestCancel(task.run)
        return task
    }

    /// Ends a task nobody wants any more: one that waits never runs, one that runs is asked to stop. May be repeated;
    /// does nothing about a task that is finished, or was never made.
    package func abandon(_ id: String) async throws(CodeForgeError) {
        guard try await store.task(id) != nil else { return }
        let now = clock.now()
        let task = try await store.update(id) { task throws(CodeForgeError) in
            task.status == .pending ? UnrunTasks.fail(&task, "canceled by user", at: now) : nil
        }
        if task.status == .failed, task.attempt == 0 {
            try await unrun.tell(task)
        } else if task.isUnderWay {
            try await link.requestCancel(task.run)
        }
    }

    /// Lets a task run that waits for it. Its code stays untrusted.
    ///
    /// - Parameter headSHA: The commit that was looked at; `nil` or empty: the one the task is about.
    /// - Throws: `.notFound`, or `.conflict` when it does not wait, or is about another commit.
    package func approve(_ id: String, headSHA: String?) async throws(CodeForgeError) -> CodeTask {
        let task = try await store.update(id) { task throws(CodeForgeError) in
            guard task.status == .pending, task.hold?.reason == .approval else {
                throw CodeForgeError(
                    .conflict, "task does not wait for an approval (status: \(task.status.rawValue))")
            }
            if let headSHA, !headSHA.isEmpty, headSHA.lowercased() != task.headSHA {
                throw CodeForgeError(
                    .conflict, "head_sha is another: the task is about commit \(task.headSHA ?? "unknown")")
            }
            task.hold = nil
            return nil
        }
        try? await queue.enqueue(id)  // the reconciler queues it otherwise
        return task
    }

    /// The task's events after `id`, then live ones; see `EventLog.reader`.
    package func reader(
        of id: String, after: String?, onNews: @escaping @Sendable () -> Void
    ) -> any EventReader {
        events.reader(of: id, after: after, onNews: onNews)
    }

    static func unknown(_ id: String) -> CodeForgeError { CodeForgeError(.notFound, "task \(id) not found") }
}
