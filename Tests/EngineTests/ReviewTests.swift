import Domain
import TestKit
import Testing

@testable import Engine

@Suite struct ReviewTests {
    private let fixture = EngineFixture()

    private static let result = ReviewResult(
        verdict: "approve", score: 8, summary: "s", issues: [], autoFixable: false, reviewedBy: "codex:",
        durationSeconds: 2.5)

    private var task: CodeTask {
        get async throws { try #require(try await fixture.store.task("t")) }
    }

    /// Names of the events and `done`s.
    private var log: [String] {
        fixture.events.entries(of: "t").map { entry in
            switch entry.body {
            case .event(let json):
                String(decoding: json, as: UTF8.self).split(separator: "\"event\":\"")[1].prefix { $0 != "\"" }
                    .description
            case .done(let json): "done " + String(decoding: json, as: UTF8.self)
            }
        }
    }

    private func finish(_ run: RunID, _ outcome: JobOutcome) async throws {
        try await fixture.finalizer.apply(JobReport(run: run, body: .finished(outcome), time: fixture.clock.now()))
    }

    private func conflict(_ message: String, _ body: () async throws -> Void) async {
        await #expect(throws: CodeForgeError(.conflict, message)) { try await body() }
    }

    // MARK: Asking for one

    @Test(arguments: [TaskStatus.completed, .awaitingInstruction])
    func aReviewIsQueued(status: TaskStatus) async throws {
        _ = try await fixture.task { task in
            task.status = status
            task.attempt = 3
            task.error = "old"
            task.reviewModel = "old"
        }
        let task = try await fixture.reviews().start("t", cli: "codex", model: "")
        #expect(task.status == .reviewing && task.reviewCLI == "codex" && task.reviewModel == nil)
        #expect(task.error == nil && !task.isUnderWay && task.followUpWaits == (status == .awaitingInstruction))
        #expect(try await fixture.queue.contents() == ["t"])
        #expect(fixture.secrets.expiry(of: "t") == .some(.none) && fixture.events.expiry(of: "t") == .some(.none))
    }

    @Test func theCLIIsLookedAtBeforeTheTask() async throws {
        for (cli, reason) in [("nope", "unknown CLI: nope"), ("shell", "shell runs scripts and can't review")] {
            await #expect(
                throws: CodeForgeError(.invalidArgument, "cli: \(reason)", fields: [("cli", reason)])
            ) { try await fixture.reviews().start("gone", cli: cli, model: nil) }
        }
        await #expect(throws: CodeForgeError(.notFound, "task gone not found")) {
            try await fixture.reviews().start("gone", cli: "", model: nil)
        }
    }

    @Test(arguments: [
        (TaskStatus.running, "task is currently running, cannot start review"),
        (.cloning, "task is currently cloning, cannot start review"),
        (.creatingPR, "task is currently creating_pr, cannot start review"),
        (.reviewing, "task is currently reviewing, cannot start review"),
        (.pending, "task in status pending cannot be reviewed"),
        (.prCreated, "task in status pr_created cannot be reviewed"),
        (.failed, "task has failed, create a new task instead"),
    ])
    func aWrongStatusIsRefused(status: TaskStatus, message: String) async throws {
        _ = try await fixture.task { $0.status = status }
        await conflict(message) { _ = try await fixture.reviews(workspaces: []).start("t", cli: nil, model: nil) }
        #expect(try await task.status == status)
    }

    @Test func aWorkspaceThatIsGoneIsToldAtOnce() async throws {
        _ = try await fixture.task { $0.status = .completed }
        await conflict("workspace not found for review of task t: it was deleted") {
            _ = try await fixture.reviews(workspaces: []).start("t", cli: nil, model: nil)
        }
        #expect(try await task.status == .completed)
    }

    @Test func aTaskThatChangesMeanwhileIsLeftAlone() async throws {
        _ = try await fixture.task { $0.status = .completed }
        let service = fixture.service
        let reviews = ReviewService(
            store: fixture.store, queue: fixture.queue, secrets: fixture.secrets, events: fixture.events,
            reviewers: [],
            hasWorkspace: { task throws(CodeForgeError) in
                _ = try await service.instruct("t", prompt: "more")
                return true
            }, poster: fixture.poster,
            destination: { _ throws(CodeForgeError) in throw CodeForgeError(.invalidArgument, "nowhere") })
        await conflict("task state changed concurrently, retry the request") {
            _ = try await reviews.start("t", cli: nil, model: nil)
        }
        #expect(try await task.status == .awaitingInstruction)
    }

    @Test func onlyAReviewThatRunsCanBeCanceled() async throws {
        _ = try await fixture.task { $0.status = .completed }
        _ = try await fixture.reviews().start("t", cli: nil, model: nil)
        await conflict("task is not currently running") { _ = try await fixture.service.cancel("t") }
        try await fixture.store.update("t") { task throws(CodeForgeError) in
            task.attempt += 1
            return nil
        }
        _ = try await fixture.service.cancel("t")
        #expect(fixture.link.cancelRequests == [RunID(taskID: "t", iteration: 1, attempt: 1, purpose: .review)])
    }

    // MARK: Planning one

    private func plan(
        workspaces: [String: WorkspaceForm] = ["/data/workspaces/do-t": .volume],
        profiles: ProfileCatalog = .builtIn, _ change: (inout CodeTask) -> Void = { _ in }
    ) async throws -> JobSpec {
        let planner = fixture.planner(workspaces: workspaces) { $0.profiles = profiles }
        return try await planner.plan(
            try await fixture.task { task in
                task.status = .reviewing
                task.attempt = 2
                task.config = TaskConfig()
                change(&task)
            })
    }

    @Test func aReviewReadsTheWorkspaceInAConversationOfItsOwn() async throws {
        let spec = try await plan { task in
            task.config?.maxTurns = 3
            task.config?.maxBudgetUSD = 1
            task.config?.timeoutSeconds = 7
            task.sessionID = "s"
            task.sessionCLI = "claude-code"
            task.iteration = 2
        }
        #expect(spec.run == RunID(taskID: "t", iteration: 2, attempt: 2, purpose: .review))
        #expect(spec.firstAttempt == 1)
        #expect(spec.source == .existing && spec.profile == .readonly && spec.answersReview && !spec.isUntrusted)
        #expect(spec.agent.maxTurns == nil && spec.agent.maxBudgetUSD == nil && spec.agent.sessionID == nil)
        #expect(spec.limits.timeoutSeconds == 7 && spec.paths.volume == "/data/workspaces/do-t.ext4")
    }

    @Test(arguments: [
        ("", "", "", "", "claude-code", "sonnet"), ("codex", "", "", "", "codex", nil),
        ("", "", "codex", "m1", "codex", "m1"), ("codex", "m2", "claude-code", "m1", "codex", "m2"),
        ("", "", "shell", "", "claude-code", "sonnet"),
    ])
    func theCLIAndTheModelAreTheRequestsElseTheTasks(
        _ cli: String, _ model: String, _ taskCLI: String, _ taskModel: String, _ expected: String,
        _ expectedModel: String?
    ) async throws {
        let spec = try await plan { task in
            task.reviewCLI = cli
            task.reviewModel = model
            task.config?.cli = taskCLI
            task.config?.aiModel = taskModel
        }
        #expect(spec.agent.name == expected && spec.agent.model == expectedModel)
    }

    @Test func whatIsUntrustedStaysUntrusted() async throws {
        let pull = try await plan { $0.type = .prReview }
        #expect(pull.profile == .untrusted && pull.isUntrusted)
        var rules = ProfileCatalog.Rules()
        rules.taskTypes = [.code: "untrusted"]
        let other = EngineFixture()
        let planner = other.planner(workspaces: ["/data/workspaces/do-t": .volume]) {
            $0.profiles = ProfileCatalog([], rules: rules)
        }
        let code = try await planner.plan(try await other.task { $0.status = .reviewing })
        #expect(code.profile == .untrusted && code.isUntrusted)
    }

    @Test func theWorkspaceMayBeAnotherTasks() async throws {
        _ = try await fixture.task("owner")
        let borrowed = try await plan(workspaces: ["/data/workspaces/do-owner": .directory]) {
            $0.config?.workspaceTaskID = "owner"
        }
        #expect(borrowed.paths.workspace == "/data/workspaces/do-owner")
        let gone = fixture.planner()
        await #expect(
            throws: CodeForgeError(.notFound, "workspace not found for review of task t: it was deleted")
        ) { try await gone.plan(try await task) }
    }

    // MARK: Its end

    private func reviewing(_ change: @Sendable (inout CodeTask) -> Void = { _ in }) async throws -> RunID {
        let task = try await fixture.task { task in
            task.status = .reviewing
            (task.attempt, task.endedAttempt) = (2, 1)
            task.result = "the task's"
            task.changes = ChangesSummary(filesModified: 2)
            task.sessionID = "kept"
            change(&task)
        }
        return task.run
    }

    @Test func aReviewIsOnRecordAndTold() async throws {
        let run = try await reviewing()
        var outcome = JobOutcome(result: "the review's", usage: Usage(inputTokens: 5), sessionID: "new", seconds: 2.5)
        outcome.review = Self.result
        for _ in 1...2 { try await finish(run, outcome) }
        let task = try await task
        #expect(task.status == .completed && task.review == Self.result && task.iteration == 1)
        #expect(task.result == "the review's" && task.usage?.inputTokens == 5)
        #expect(task.changes == ChangesSummary(filesModified: 2) && task.sessionID == "kept")
        #expect(try await fixture.store.iterations(of: "t").isEmpty)
        #expect(log == ["review_completed", #"done {"changes_summary":null,"status":"completed","task_id":"t"}"#])
        #expect(fixture.events.expiry(of: "t") == .some(.some(60)))
    }

    @Test func aReviewLeavesTheTimeItsTaskBegan() async throws {
        let began = fixture.clock.now()
        _ = try await fixture.task { task in
            task.status = .completed
            task.startedAt = began
            (task.attempt, task.endedAttempt) = (1, 1)
        }
        fixture.clock.advance(by: .seconds(60))
        let scheduler = fixture.scheduler(forms: ["/data/workspaces/do-t": .directory])
        try await fixture.whileRunning(scheduler) {
            _ = try await fixture.reviews().start("t", cli: nil, model: nil)
            let spec = try await eventually("the supervisor") { fixture.spawner.specs.first }
            #expect(spec.startedAt == fixture.clock.now(), "its own time limit begins now")
            #expect(try await task.startedAt == began)
            var outcome = JobOutcome(failure: .cli, error: "e")
            outcome.startedAt = spec.startedAt
            try await finish(spec.run, outcome)
            #expect(try await fixture.store.iterations(of: "t").first?.startedAt == spec.startedAt)
        }
    }

    @Test func aFailedReviewFailsTheTask() async throws {
        let run = try await reviewing { $0.followUpWaits = true }
        try await finish(run, JobOutcome(failure: .timeout, error: "review timed out after 5s"))
        let task = try await task
        #expect(task.status == .failed && task.error == "review timed out after 5s" && task.result == "the task's")
        #expect(try await fixture.store.iterations(of: "t").map(\.status) == [.failed])
        #expect(log.first == "task_failed" && log.count == 2)
    }

    @Test func aQueuedFollowUpRunsAfterTheReview() async throws {
        let run = try await reviewing { $0.followUpWaits = true }
        var outcome = JobOutcome()
        outcome.review = Self.result
        for _ in 1...2 { try await finish(run, outcome) }
        let task = try await task
        #expect(task.status == .awaitingInstruction && !task.followUpWaits && task.review == Self.result)
        #expect(try await fixture.queue.contents() == ["t"])
        #expect(log.last?.contains("completed") == true && log.count == 2)
        #expect(fixture.events.expiry(of: "t") == nil, "its history goes on")
    }

    /// The run before it has the same number as long as the review waits.
    @Test func aReportOfTheRunBeforeEndsNoReview() async throws {
        _ = try await fixture.task { task in
            task.status = .running
            task.attempt = 1
        }
        let run = RunID(taskID: "t", iteration: 1, attempt: 1, purpose: .task)
        try await finish(run, JobOutcome(result: "r"))
        _ = try await fixture.reviews().start("t", cli: nil, model: nil)
        try await finish(run, JobOutcome(result: "r"))
        #expect(try await task.status == .reviewing)
        #expect(log.count == 2)
    }

    @Test(arguments: [TaskType.review, .prReview])
    func aReviewTasksAnswerIsItsReview(type: TaskType) async throws {
        let run = try await fixture.task { task in
            task.type = type
            task.status = .running
            task.attempt = 1
        }.run
        var outcome = JobOutcome(result: "raw", changes: ChangesSummary())
        outcome.review = Self.result
        try await finish(run, outcome)
        #expect(try await task.review == Self.result)
        #expect(try await task.result == "raw")
        #expect(log.count == 3 && log.starts(with: ["task_completed", "review_parsed"]))
    }

    // MARK: Scheduling

    private func whileRunning(_ body: () async throws -> Void) async throws {
        try await fixture.whileRunning(fixture.scheduler(forms: ["/data/workspaces/do-t": .volume]), body)
    }

    private func end(_ index: Int, review: Bool = true) {
        var outcome = JobOutcome()
        if review { outcome.review = Self.result }
        fixture.reports.send(
            JobReport(run: fixture.spawner.specs[index].run, body: .finished(outcome), time: fixture.clock.now()))
        fixture.spawner.end(index, how: "exit status 0")
    }

    @Test func reviewsAndTheFollowUpBehindThemRunOneAfterTheOther() async throws {
        _ = try await fixture.task { $0.status = .completed }
        let reviews = fixture.reviews()
        try await whileRunning {
            for number in 1...2 {
                _ = try await reviews.start("t", cli: nil, model: nil)
                try await fixture.queue.enqueue("t")  // a duplicate starts nothing
                try await until("review \(number)") { fixture.spawner.specs.count == number }
                try await until("drained") { try await fixture.queue.depth() == 0 }
                #expect(fixture.spawner.specs.count == number)
                end(number - 1)
                try await until("reviewed") { try await task.status == .completed }
            }
            try await fixture.store.update("t") { task throws(CodeForgeError) in
                task.status = .reviewing
                task.iteration = 2
                (task.attempt, task.endedAttempt, task.followUpWaits) = (0, 0, true)
                return nil
            }
            try await fixture.queue.enqueue("t")
            try await until("third review") { fixture.spawner.specs.count == 3 }
            end(2)
            try await until("follow-up") { fixture.spawner.specs.count == 4 }
            end(3, review: false)
            try await until("completed") { try await task.status == .completed }
        }
        #expect(fixture.spawner.specs.map(\.purpose) == [.review, .review, .review, .task])
        #expect(Set(fixture.spawner.specs.map(\.run)).count == 4)
        #expect(fixture.spawner.specs.map(\.attempt) == [1, 2, 1, 2])
    }

    @Test func aLostReviewIsTriedOnceMore() async throws {
        _ = try await fixture.task { task in
            task.status = .completed
            (task.attempt, task.endedAttempt) = (2, 2)
        }
        _ = try await fixture.reviews().start("t", cli: nil, model: nil)
        try await whileRunning {
            for number in 1...2 {
                try await until("attempt \(number)") { fixture.spawner.specs.count == number }
                fixture.spawner.end(number - 1, how: "signal 9")
            }
            try await until("failed") { try await task.status == .failed }
        }
        #expect(fixture.spawner.specs.map(\.attempt) == [3, 4])
        #expect(try await task.error == "supervisor lost (signal 9) in attempt 2 of 2")
    }

    @Test func aRestartAdoptsTheReviewThatRunsAndQueuesTheOneThatWaits() async throws {
        let run = try await reviewing()
        fixture.link.holdLease(run)
        _ = try await fixture.task("waiting") { task in
            task.status = .reviewing
            task.workspaceSlug = "do-t"
        }
        try await whileRunning {
            try await until("started") { fixture.spawner.specs.map(\.taskID) == ["waiting"] }
        }
        #expect(try await task.status == .reviewing)
    }
}
