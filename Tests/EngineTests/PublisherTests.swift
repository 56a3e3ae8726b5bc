import CurlHTTP
import Domain
import Forges
import Synchronization
import TestKit
import Testing

@testable import Engine

/// Supervisors say what a test wants; the forge is played.
@Suite struct PublisherTests {
    private let fixture = EngineFixture()
    private let forge = ForgeServer.start()
    private let publications = InMemoryPublicationStore()

    init() { forge.github.add("o/r") }

    /// - Parameter outcome: By default pushes what is wanted.
    private func publisher(
        _ outcome: @escaping @Sendable (JobSpec) -> JobOutcome? = PublisherTests.pushed,
        change: (inout Publisher.Configuration) -> Void = { _ in }, target: Publisher.Targets? = nil,
        publications: (any PublicationStore)? = nil
    ) async throws -> (publisher: Publisher, spawner: ReportingSpawner) {
        let spawner = ReportingSpawner(outcome)
        var configuration = Publisher.Configuration(
            branchPrefix: "cf/", authorName: "Bot", authorEmail: "b@o", timeoutSeconds: 60, historyTTL: 60)
        configuration.reportGrace = .zero
        configuration.retries = [.zero]
        change(&configuration)
        let access = ForgeAccess(provider: .github, apiURL: forge.githubAPI, token: "ghp_good")
        let project = ForgeProject(path: "/o/r", on: .github)
        let publisher = Publisher(
            configuration: configuration, store: fixture.store, publications: publications ?? self.publications,
            events: fixture.events, planner: fixture.planner(), spawner: spawner,
            forge: RemoteForge(CurlTransport(), addresses: try AddressRule(exceptions: [forge.authority])),
            clock: fixture.clock,
            target: target ?? { _ in project.map { Publisher.Target(project: $0, access: access) } })
        spawner.connect { report in
            try? await publisher.apply(report)  // the store never fails
        }
        return (publisher, spawner)
    }

    private static let pushed: @Sendable (JobSpec) -> JobOutcome? = { spec in
        var outcome = JobOutcome()
        outcome.pushed = spec.publication.map { PushedBranch(name: $0.branch, commit: "c") }
        return outcome
    }

    private func completed(_ change: (inout CodeTask) -> Void = { _ in }) async throws {
        _ = try await fixture.task { task in
            task.status = .completed
            task.changes = ChangesSummary(filesModified: 1)
            change(&task)
        }
    }

    private var status: TaskStatus? {
        get async throws { try await fixture.store.task("t")?.status }
    }

    private var endings: Int {
        fixture.events.entries(of: "t").count { if case .done = $0.body { true } else { false } }
    }

    @Test func defaultsFillWhatIsMissing() async throws {
        try await completed { task in
            task.prompt = "Fix\nthe " + String(repeating: "é", count: 40)
            task.config = TaskConfig()
            task.config?.targetBranch = "develop"
        }
        let (publisher, spawner) = try await publisher()
        let task = try await publisher.createPullRequest("t", .init(title: "", description: nil))
        let pull = try #require(forge.github.pulls.first)
        #expect(pull.title == "CodeForge: Fix the " + String(repeating: "é", count: 26) + "...")
        #expect(pull.base == "develop" && pull.head.hasPrefix("cf/fix-the-ee") && !pull.body.isEmpty)
        #expect(task.status == .prCreated && task.prNumber == pull.number && task.branch == pull.head)
        let spec = try #require(spawner.specs.first)
        #expect(spec.purpose == .publish && spec.publication?.authorName == "Bot")
        #expect(spec.publication?.message.hasPrefix("feat(codeforge): CodeForge: Fix the é") == true)
        #expect(spec.gateway.gitToken == "service-github" && spec.gateway.anthropicKey == nil)
        #expect(endings == 1 && forge.violations == [])
        #expect(try await publications.latest(of: "t")?.state == .created)
    }

    @Test func changesAreMeasuredWhenTheRecordHasNone() async throws {
        try await completed { $0.changes = ChangesSummary() }
        let files = Mutex(0)
        let (publisher, spawner) = try await publisher { spec in
            if spec.publication != nil { return PublisherTests.pushed(spec) }
            return JobOutcome(changes: ChangesSummary(filesCreated: files.withLock { $0 }))
        }
        await #expect(throws: CodeForgeError(.invalidArgument, "no changes to create PR for")) {
            try await publisher.createPullRequest("t", .init())
        }
        #expect(try await status == .completed)
        files.withLock { $0 = 1 }
        #expect(try await publisher.createPullRequest("t", .init()).status == .prCreated)
        #expect(Set(spawner.specs.map(\.attempt)).count == 3, "each supervisor has an attempt of its own")
    }

    /// The record of the forge's credentials is away for a moment, after the task became `creating_pr`.
    @Test func whatWasAwayIsAskedAgainWithoutARestart() async throws {
        try await completed()
        let project = try #require(ForgeProject(path: "/o/r", on: .github))
        let access = ForgeAccess(provider: .github, apiURL: forge.githubAPI, token: "ghp_good")
        let asked = Mutex(0)
        let targets: Publisher.Targets = { _ throws(CodeForgeError) in
            let isAway = asked.withLock { count in
                count += 1
                return count == 2 || count == 3
            }
            guard !isAway else { throw CodeForgeError(.unavailable, "redis is away") }
            return Publisher.Target(project: project, access: access)
        }
        let (publisher, _) = try await publisher(
            change: { $0.resumeInterval = .milliseconds(20) }, target: targets)
        await #expect(throws: CodeForgeError(.unavailable, "redis is away")) {
            try await publisher.createPullRequest("t", .init())
        }
        #expect(try await status == .creatingPR)
        let service = Task { try await publisher.run() }
        defer { service.cancel() }
        try await eventually("the end") { endings == 1 ? () : nil }
        #expect(try await status == .prCreated)
        #expect(forge.github.pulls.count == 1)
    }

    @Test func aCallerThatGoesAwayIsToldAndTheWorkGoesOn() async throws {
        try await completed()
        forge.fail(.slow(.seconds(2)), on: "POST", "pulls")
        let (publisher, _) = try await publisher()
        let caller = Task { try await publisher.createPullRequest("t", .init()) }
        try await eventually("the forge to be asked") { forge.requests.isEmpty ? nil : () }
        let start = ContinuousClock.now
        caller.cancel()
        let error = await #expect(throws: CodeForgeError.self) { try await caller.value }
        #expect(error?.code == .unavailable && ContinuousClock.now - start < .seconds(1))
        #expect(try await status == .creatingPR)
        try await eventually("the end") { endings == 1 ? () : nil }
        #expect(try await status == .prCreated)
        #expect(forge.requests.count { $0.method == "POST" && $0.path.hasSuffix("/pulls") } == 1)
    }

    @Test func twoAtOnceMakeOne() async throws {
        try await completed()
        let (publisher, spawner) = try await publisher()
        let results = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<5 {
                group.addTask { (try? await publisher.createPullRequest("t", .init())) != nil }  // counted
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(results == 1 && spawner.specs.count == 1 && forge.github.pulls.count == 1)
    }

    @Test func aLostSupervisorIsReplacedOnce() async throws {
        try await completed()
        let lost = Mutex(1)
        let (publisher, spawner) = try await publisher { spec in
            lost.withLock { left in
                left -= 1
                return left >= 0 ? nil : PublisherTests.pushed(spec)
            }
        }
        #expect(try await publisher.createPullRequest("t", .init()).status == .prCreated)
        #expect(spawner.specs.map(\.attempt) == [1, 2] && spawner.specs[0].publication == spawner.specs[1].publication)
    }

    @Test func supervisorsThatAreLostTwiceFailTheTask() async throws {
        try await completed()
        let (publisher, _) = try await publisher { _ in nil }
        await #expect(throws: CodeForgeError(.failed, "creating branch and pushing: supervisor lost twice")) {
            try await publisher.createPullRequest("t", .init())
        }
        #expect(try await status == .failed)
        #expect(try await fixture.store.task("t")?.error?.hasPrefix("PR creation failed: creating branch") == true)
        #expect(endings == 1)
    }

    @Test(arguments: [ForgeFailure.truncated, .status(502, ""), .garbage])
    func aForgeInTroubleIsAskedAgain(_ failure: ForgeFailure) async throws {
        try await completed()
        forge.fail(failure, on: "POST", "pulls")
        let (publisher, _) = try await publisher()
        #expect(try await publisher.createPullRequest("t", .init()).status == .prCreated)
        #expect(forge.github.pulls.count == 1)
        #expect(forge.requests.map(\.method).prefix(3) == ["POST", "GET", "POST"], "it looked before it asked again")
    }

    @Test func aPullRequestThatIsThereAlreadyIsTaken() async throws {
        try await completed()
        let (publisher, _) = try await publisher()
        let first = try await publisher.createPullRequest("t", .init())
        // As after a crash between the forge's answer and the record.
        try await fixture.store.update("t") { task throws(CodeForgeError) in
            task.status = .creatingPR
            task.prNumber = nil
            return nil
        }
        var publication = try #require(try await publications.latest(of: "t"))
        publication.state = .pushed
        try await publications.update(publication)
        try await publisher.resume()
        try await eventually("the end") { try await status == .prCreated ? () : nil }
        #expect(try await fixture.store.task("t")?.prNumber == first.prNumber)
        #expect(forge.github.pulls.count == 1)
        #expect(endings == 1, "and told once")
    }

    @Test func whatWasBeingPushedIsPushedAgainByAnotherAttempt() async throws {
        try await completed { $0.status = .creatingPR }
        let old = try await publications.insert(PublicationStoreContract.publication("t"))
        let (publisher, spawner) = try await publisher()
        try await publisher.resume()
        try await eventually("the end") { try await status == .prCreated ? () : nil }
        let spec = try #require(spawner.specs.first)
        #expect(spec.attempt == old.attempt + 1 && spec.publication?.number == old.number)
        // The report of the old one comes late.
        var late = JobOutcome()
        late.pushed = PushedBranch(name: "other", commit: "c")
        try await publisher.apply(JobReport(run: old.run, body: .finished(late), time: fixture.clock.now()))
        #expect(try await publications.latest(of: "t")?.branch == old.branch)
    }

    @Test func aReportThatOutlivedItsServerCounts() async throws {
        try await completed { $0.status = .creatingPR }
        let old = try await publications.insert(PublicationStoreContract.publication("t"))
        let (publisher, spawner) = try await publisher()
        var outcome = JobOutcome()
        outcome.pushed = PushedBranch(name: "codeforge/x-3", commit: "c")
        try await publisher.apply(JobReport(run: old.run, body: .finished(outcome), time: fixture.clock.now()))
        try await publisher.resume()
        try await eventually("the end") { try await status == .prCreated ? () : nil }
        #expect(spawner.specs.isEmpty && forge.github.pulls.first?.head == "codeforge/x-3")
    }

    /// Its record changes between two looks at it.
    @Test func aReportThatComesWhileItsPublicationIsTakenUpCounts() async throws {
        try await completed { $0.status = .creatingPR }
        _ = try await publications.insert(PublicationStoreContract.publication("t"))
        let (publisher, spawner) = try await publisher(publications: PushedMeanwhile(store: publications))
        try await publisher.resume()
        try await eventually("the end") { try await status?.isFinished == true ? () : nil }
        #expect(try await status == .prCreated)
        #expect(spawner.specs.isEmpty && forge.github.pulls.first?.head == "codeforge/x-3")
    }

    @Test func whatNeverBeganOrIsOverIsClosed() async throws {
        try await completed()
        _ = try await publications.insert(PublicationStoreContract.publication("t"))
        _ = try await fixture.task("stranded") { $0.status = .creatingPR }
        _ = try await fixture.task("over") { $0.status = .failed }
        _ = try await publications.insert(PublicationStoreContract.publication("over"))
        _ = try await publications.insert(PublicationStoreContract.publication("gone"))
        let (publisher, spawner) = try await publisher()
        try await publisher.resume()
        #expect(try await publications.open().isEmpty && spawner.specs.isEmpty)
        #expect(try await status == .completed)
        #expect(try await fixture.store.task("stranded")?.status == .failed)
        #expect(fixture.events.entries(of: "over").count == 2, "told again, in case it was not")
    }

    @Test func anotherRepositorysWorkspaceIsNotPublished() async throws {
        _ = try await fixture.task("owner") { $0.repoURL = "https://github.com/o/other.git" }
        try await completed { task in
            task.config = TaskConfig()
            task.config?.workspaceTaskID = "owner"
        }
        let planner = fixture.planner(workspaces: ["/data/workspaces/do-owner": .directory])
        let task = try #require(try await fixture.store.task("t"))
        await #expect(throws: CodeForgeError.self) {
            try await planner.publish(task, attempt: 1, nil, timeoutSeconds: 1, startedAt: fixture.clock.now())
        }
    }

    @Test func aReusedWorkspaceIsPublished() async throws {
        _ = try await fixture.task("owner")
        try await completed { task in
            task.config = TaskConfig()
            task.config?.workspaceTaskID = "owner"
        }
        let planner = fixture.planner(workspaces: ["/data/workspaces/do-owner": .volume])
        let task = try #require(try await fixture.store.task("t"))
        let spec = try await planner.publish(
            task, attempt: 1, nil, timeoutSeconds: 1, startedAt: fixture.clock.now())
        #expect(spec.paths.volume == "/data/workspaces/do-owner.ext4" && spec.source == .existing)
    }
}

/// What it calls open is pushed by then.
private struct PushedMeanwhile: PublicationStore {
    let store: InMemoryPublicationStore

    func open() async throws(CodeForgeError) -> [Publication] {
        let open = try await store.open()
        for var publication in open {
            publication.state = .pushed
            publication.branch = "codeforge/x-3"
            try await store.update(publication)
        }
        return open
    }

    func insert(_ publication: Publication) async throws(CodeForgeError) -> Publication {
        try await store.insert(publication)
    }
    func retry(_ publication: Publication) async throws(CodeForgeError) -> Publication {
        try await store.retry(publication)
    }
    func update(_ publication: Publication) async throws(CodeForgeError) { try await store.update(publication) }
    func latest(of taskID: String) async throws(CodeForgeError) -> Publication? { try await store.latest(of: taskID) }
}
