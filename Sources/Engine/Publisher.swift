package import Domain
import Logging

/// Makes pull requests of what tasks changed: commit and push by a supervisor, then the forge.
///
/// Each step is on record before the next one begins, and every step may be repeated: whatever is cut off, by a crash of
/// the server or of a supervisor, is taken up where it was, and neither a second branch nor a second pull request is
/// made.
package actor Publisher {
    package struct Configuration: Sendable {
        package var branchPrefix: String
        /// Of commits.
        package var authorName: String
        package var authorEmail: String
        /// Seconds commit and push may take.
        package var timeoutSeconds: Int
        /// Seconds the event history stays after the end.
        package var historyTTL: Int
        /// How long the report of an ended supervisor may take to arrive.
        package var reportGrace: Duration = .seconds(3)
        /// Waits before the forge is asked again, when it was not reached or is in trouble itself.
        package var retries: [Duration] = [.seconds(1), .seconds(4)]
        /// Time between two looks for publications that nobody works on.
        package var resumeInterval: Duration = .seconds(15)

        package init(
            branchPrefix: String, authorName: String, authorEmail: String, timeoutSeconds: Int, historyTTL: Int
        ) {
            self.branchPrefix = branchPrefix
            self.authorName = authorName
            self.authorEmail = authorEmail
            self.timeoutSeconds = timeoutSeconds
            self.historyTTL = historyTTL
        }
    }

    /// What a client asks for; what is missing has a default, each for itself.
    package struct Draft: Sendable {
        package var title: String?
        package var description: String?
        package var targetBranch: String?

        package init(title: String? = nil, description: String? = nil, targetBranch: String? = nil) {
            self.title = title
            self.description = description
            self.targetBranch = targetBranch
        }
    }

    /// Where a task's repository is.
    package struct Target: Sendable {
        package var project: ForgeProject
        /// `nil`: nobody has a token for it.
        package var access: ForgeAccess?

        package init(project: ForgeProject, access: ForgeAccess?) {
            self.project = project
            self.access = access
        }
    }

    /// `nil` for a host that has no pull requests; throws `.invalidArgument` when owner and name can't be told.
    package typealias Targets = @Sendable (_ task: CodeTask) async throws(CodeForgeError) -> Target?

    let configuration: Configuration
    let store: any TaskStore
    let publications: any PublicationStore
    let events: any EventLog
    let planner: JobPlanner
    let spawner: any SupervisorSpawner
    let forge: any Forge
    let target: Targets
    let clock: any WallClock
    /// Tasks at work on, so that none is twice.
    var busy: Set<String> = []
    /// Of runs that are being started: a report may be faster than the start.
    private var arrived: [RunID: JobOutcome?] = [:]
    private var waiting: [RunID: CheckedContinuation<JobOutcome?, Never>] = [:]

    package init(
        configuration: Configuration, store: any TaskStore, publications: any PublicationStore, events: any EventLog,
        planner: JobPlanner, spawner: any SupervisorSpawner, forge: any Forge, clock: any WallClock,
        target: @escaping Targets
    ) {
        self.configuration = configuration
        self.store = store
        self.publications = publications
        self.events = events
        self.planner = planner
        self.spawner = spawner
        self.forge = forge
        self.clock = clock
        self.target = target
    }

    /// Whether supervisors are still at work.
    package var hasRuns: Bool { !waiting.isEmpty }

    // MARK: For clients

    /// Makes a pull request. The work goes on when the caller stops waiting.
    ///
    /// - Returns: The task, which is `pr_created`.
    /// - Throws: `.notFound`; `.conflict` in a wrong status; `.invalidArgument` without changes, or for a host that has
    ///   no pull requests; `.unavailable` to a caller that is cancelled; `.failed` with the reason for anything else.
    package func createPullRequest(_ id: String, _ draft: Draft) async throws(CodeForgeError) -> CodeTask {
        let (results, waiting) = AsyncStream<Result<CodeTask, CodeForgeError>>.makeStream()
        // A caller that goes away cancels itself, not this task.
        Task {
            waiting.yield(await self.result { () throws(CodeForgeError) in try await self.create(id, draft) })
            waiting.finish()
        }
        for await result in results { return try result.get() }
        throw CodeForgeError(
            .unavailable, "nobody waits any more: the pull request is being made, and task \(id) says what came of it")
    }

    private func result(
        _ body: () async throws(CodeForgeError) -> CodeTask
    ) async -> Result<CodeTask, CodeForgeError> {
        do throws(CodeForgeError) { return .success(try await body()) } catch { return .failure(error) }
    }

    private func create(_ id: String, _ draft: Draft) async throws(CodeForgeError) -> CodeTask {
        let task = try await completed(id, try await store.task(id))
        guard busy.insert(id).inserted else { throw Publisher.wrongStatus(.creatingPR) }
        defer { busy.remove(id) }
        guard try await hasChanges(task) else { throw CodeForgeError(.invalidArgument, "no changes to create PR for") }
        try await checkTarget(task)
        let publication = try await publications.insert(publication(of: task, draft))
        let begun: CodeTask
        do throws(CodeForgeError) {
            begun = try await store.update(id) { task throws(CodeForgeError) in
                guard task.status == .completed else { throw Publisher.wrongStatus(task.status) }
                task.status = .creatingPR
                return nil
            }
        } catch {
            try await close(publication, .failed)
            throw error
        }
        return try await publish(begun, publication, isResumed: false)
    }

    /// An URL that names no repository is a failure of the task, told by `publish`; what else is wrong is no reason to
    /// give a good task up.
    private func checkTarget(_ task: CodeTask) async throws(CodeForgeError) {
        let target: Target?
        do throws(CodeForgeError) {
            target = try await self.target(task)
        } catch {
            if error.code == .invalidArgument { return }
            throw CodeForgeError(.failed, "resolving access token for PR: \(error.message)")
        }
        guard let target else {
            let host = RepositoryURL(task.repoURL)?.host ?? ""
            throw CodeForgeError(
                .invalidArgument, "PR creation not supported for host: \(host.isEmpty ? "(local)" : host)")
        }
        guard target.access?.token != nil else {
            throw CodeForgeError(
                .failed,
                "resolving access token for PR: none in the task, under its provider_key or in the environment")
        }
    }

    private func completed(_ id: String, _ task: CodeTask?) async throws(CodeForgeError) -> CodeTask {
        guard let task else { throw TaskService.unknown(id) }
        guard task.status == .completed else { throw Publisher.wrongStatus(task.status) }
        return task
    }

    private static func wrongStatus(_ status: TaskStatus) -> CodeForgeError {
        CodeForgeError(.conflict, "task must be in completed status, currently: \(status.rawValue)")
    }

    private func publication(of task: CodeTask, _ draft: Draft) -> Publication {
        let prompt = Truncation.cut(task.prompt, utf8: 60).split(whereSeparator: \.isNewline).joined(separator: " ")
        return Publication(
            taskID: task.id, iteration: task.iteration, title: draft.title?.filled ?? "CodeForge: \(prompt)",
            description: draft.description?.filled ?? "These changes were made automatically by CodeForge.",
            base: draft.targetBranch?.filled ?? task.config?.targetBranch?.filled ?? "main",
            branch: configuration.branchPrefix + Slug.make(prompt: task.prompt, taskID: task.id),
            createdAt: clock.now())
    }

    /// The last run said so; or another task's run in the same workspace has made some since.
    private func hasChanges(_ task: CodeTask) async throws(CodeForgeError) -> Bool {
        if let changes = task.changes, !changes.isEmpty { return true }
        // An attempt number of its own, on the record of a publication that never comes to be.
        let measuring = try await publications.insert(publication(of: task, Draft()))
        defer { Task { try? await close(measuring, .failed) } }  // closed by the next start otherwise
        do throws(CodeForgeError) {
            let outcome = try await run(
                planner.publish(
                    task, attempt: measuring.attempt, nil, timeoutSeconds: configuration.timeoutSeconds,
                    startedAt: clock.now()))
            guard outcome?.failure == nil, let changes = outcome?.changes else { return false }
            return !changes.isEmpty
        } catch {
            // Without a workspace there is nothing that could have changed.
            Logger.current.info("changes not measured", metadata: ["task.id": "\(task.id)", "error": "\(error)"])
            return false
        }
    }

    // MARK: Supervisors

    /// Runs a supervisor to its end.
    ///
    /// - Returns: What it reported; `nil` when it ended without.
    private func run(_ spec: JobSpec) async throws(CodeForgeError) -> JobOutcome? {
        arrived[spec.run] = .some(nil)
        defer { arrived[spec.run] = nil }
        let handle = try await spawner.spawn(spec)
        Logger.current.info(
            "publishing supervisor started", metadata: ["task.id": "\(spec.taskID)", "pid": "\(handle.pid)"])
        if let outcome = arrived[spec.run] ?? nil { return outcome }
        return await withCheckedContinuation { continuation in
            waiting[spec.run] = continuation
            Task {  // ends with the child
                let how = await handle.waitForExit()
                try? await Task.sleep(for: configuration.reportGrace)  // nobody cancels it
                lost(spec.run, how)
            }
        }
    }

    private func lost(_ run: RunID, _ how: String) {
        guard let continuation = waiting.removeValue(forKey: run) else { return }
        Logger.current.warning(
            "publishing supervisor lost", metadata: ["task.id": "\(run.taskID)", "how": "\(how)"])
        EngineMetrics.lost()
        continuation.resume(returning: nil)
    }

    /// Puts what a publishing supervisor reported on record. May come twice, and after its publication was taken up by
    /// another attempt.
    package func apply(_ report: JobReport) async throws(CodeForgeError) {
        guard case .finished(let outcome) = report.body else { return }
        if let pushed = outcome.pushed, var publication = try await publications.latest(of: report.run.taskID),
            publication.run == report.run, publication.state == .pushing
        {
            publication.branch = pushed.name
            publication.state = .pushed
            try await publications.update(publication)
        }
        if let continuation = waiting.removeValue(forKey: report.run) {
            continuation.resume(returning: outcome)
        } else if arrived.keys.contains(report.run) {
            arrived[report.run] = .some(outcome)
        }
    }

    // MARK: The work

    /// - Parameter isResumed: An earlier server may have come to any point of it.
    func publish(
        _ task: CodeTask, _ publication: Publication, isResumed: Bool
    ) async throws(CodeForgeError) -> CodeTask {
        do throws(CodeForgeError) {
            let target = try await found(task)
            var publication = publication
            do throws(CodeForgeError) {
                publication = try await push(task, publication, isResumed: isResumed)
            } catch {
                throw CodeForgeError(.failed, "creating branch and pushing: \(error.message)")
            }
            let link: PullRequestLink
            do throws(CodeForgeError) {
                guard let access = target.access else { throw CodeForgeError(.failed, "there is no token any more") }
                link = try await pullRequest(publication, in: target.project, access, mayExist: isResumed)
            } catch {
                throw CodeForgeError(.failed, "creating PR: \(error.message)")
            }
            return try await finish(publication, link)
        } catch {
            // What is not on record yet is taken up by the next look, here or after a start.
            if error.code == .failed { try await fail(publication, error.message) }
            throw error
        }
    }

    private func found(_ task: CodeTask) async throws(CodeForgeError) -> Target {
        do throws(CodeForgeError) {
            if let target = try await target(task) { return target }
        } catch {
            if error.code == .unavailable { throw error }
            throw CodeForgeError(.failed, error.message)
        }
        throw CodeForgeError(.failed, "the host of the repository is of no known provider any more")
    }

    private func push(
        _ task: CodeTask, _ publication: Publication, isResumed: Bool
    ) async throws(CodeForgeError) -> Publication {
        var publication = publication
        guard publication.state == .pushing else { return publication }
        if isResumed { publication = try await publications.retry(publication) }
        for isLast in [false, true] {
            let spec = try await planner.publish(
                task, attempt: publication.attempt,
                PublishSpec(
                    number: publication.number, branch: publication.branch, message: message(publication),
                    authorName: configuration.authorName, authorEmail: configuration.authorEmail),
                timeoutSeconds: configuration.timeoutSeconds, startedAt: clock.now())
            if let outcome = try await run(spec) {
                guard outcome.failure == nil, let pushed = outcome.pushed else {
                    throw CodeForgeError(.failed, outcome.error)
                }
                publication.branch = pushed.name
                publication.state = .pushed
                return publication
            }
            if !isLast { publication = try await publications.retry(publication) }
        }
        throw CodeForgeError(.failed, "supervisor lost twice")
    }

    private func message(_ publication: Publication) -> String {
        let title = publication.title.split(whereSeparator: \.isNewline).joined(separator: " ")
        let subject = Truncation.cut(title, utf8: 500).filter { $0 != "\0" }
        return """
            feat(codeforge): \(subject)

            Task ID: \(publication.taskID)
            Co-authored-by: \(configuration.authorName) <\(configuration.authorEmail)>

            """
    }

    private func pullRequest(
        _ publication: Publication, in project: ForgeProject, _ access: ForgeAccess, mayExist: Bool
    ) async throws(CodeForgeError) -> PullRequestLink {
        let draft = PullRequestDraft(
            title: publication.title, body: publication.description, head: publication.branch, base: publication.base)
        var mayExist = mayExist
        var retries = configuration.retries[...]
        while true {
            do throws(ForgeError) {
                if mayExist, let link = try await forge.openPullRequest(from: draft.head, in: project, access) {
                    return link
                }
                return try await forge.createPullRequest(draft, in: project, access)
            } catch {
                // It may have been made although no answer came.
                mayExist = true
                guard error.isPassing, let wait = retries.popFirst() else {
                    throw CodeForgeError(.failed, error.message)
                }
                try? await Task.sleep(for: wait)  // nobody cancels it
            }
        }
    }

    // MARK: Endings

    private func finish(
        _ publication: Publication, _ link: PullRequestLink
    ) async throws(CodeForgeError) -> CodeTask {
        let now = clock.now()
        let task = try await store.update(publication.taskID) { task throws(CodeForgeError) in
            guard task.status == .creatingPR else { return nil }
            task.status = .prCreated
            task.branch = publication.branch
            task.prURL = link.url
            task.prNumber = link.number
            task.error = nil
            task.finishedAt = now
            return nil
        }
        Logger.current.info(
            "pull request created", metadata: ["task.id": "\(task.id)", "number": "\(link.number)"])
        await tell(task, publication)
        try? await close(publication, .created)  // the next start does it
        return task
    }

    func fail(_ publication: Publication, _ reason: String) async throws(CodeForgeError) {
        let now = clock.now()
        let task = try await store.update(publication.taskID) { task throws(CodeForgeError) in
            guard task.status == .creatingPR else { return nil }
            task.status = .failed
            task.error = "PR creation failed: \(reason)"
            task.finishedAt = now
            return nil
        }
        await tell(task, publication)
        try? await close(publication, .failed)  // the next start does it
    }

    func close(_ publication: Publication, _ state: Publication.State) async throws(CodeForgeError) {
        var publication = publication
        publication.state = state
        try await publications.update(publication)
    }

    /// The last events, as the record has it. Streams end by the record when the log is away.
    func tell(_ task: CodeTask, _ publication: Publication) async {
        let event: TaskEvent
        if task.status == .prCreated {
            event = TaskEvent(
                .git, "pr_created",
                data: [
                    "pr_url": .string(task.prURL ?? ""), "pr_number": .int(Int64(task.prNumber ?? 0)),
                    "branch": .string(task.branch ?? ""),
                ], time: clock.now())
        } else {
            event = .failed(task.error ?? "", time: clock.now())
        }
        do throws(CodeForgeError) {
            try await events.appendOnce(
                [.event(json: event.json), .done(task.run, status: task.status, changes: task.changes)], to: task.id,
                key: "publication:\(publication.number)")
            try await events.expire(task.id, seconds: configuration.historyTTL)
        } catch {
            Logger.current.warning(
                "end of a publication not told", metadata: ["task.id": "\(task.id)", "error": "\(error)"])
        }
    }
}

extension ForgeError {
    /// Whether it may well be over soon, and the request may or may not have been carried out.
    fileprivate var isPassing: Bool {
        switch reason {
        case .unreachable, .unreadable: true
        case .status(let status): status >= 500
        case .limited, .cancelled: false
        }
    }
}

extension CredentialResolver {
    /// Where the pull requests of a task go, see `Publisher.Targets`.
    package func target(of task: CodeTask) async throws(CodeForgeError) -> Publisher.Target? {
        guard let place = try await place(of: task) else { return nil }
        return Publisher.Target(project: place.project, access: try await access(for: task, at: place))
    }
}
