import Domain
import Synchronization
import TestKit
import Testing

@testable import Engine

/// Says what a test wants about one pull request.
private final class ScriptedForge: Forge {
    struct State {
        var pull = PullRequest(
            link: PullRequestLink(number: 7, url: ""), isOpen: true, isDraft: false, author: ForgeUser(name: "mona"),
            headBranch: "x", headSHA: ScriptedForge.sha, baseBranch: "main", isFork: false)
        var permission: Result<ForgePermission, ForgeError> = .success(.write)
        var asked: [String] = []
    }
    static let sha = String(repeating: "a", count: 40)
    let state = Mutex(State())

    func pullRequest(
        _ number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> PullRequest {
        state.withLock {
            $0.asked.append("\(access.apiURL) \(project) \(number) \(access.token ?? "nobody")")
            return $0.pull
        }
    }

    func permission(
        of user: ForgeUser, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> ForgePermission {
        try state.withLock { state throws(ForgeError) in
            state.asked.append("permission of \(user.name)")
            return try state.permission.get()
        }
    }

    private var never: ForgeError { ForgeError(.unreachable, "not asked for") }
    func account(_ access: ForgeAccess) async throws(ForgeError) -> ForgeAccount { throw never }
    func repositories(
        _ access: ForgeAccess, page: Int, perPage: Int
    ) async throws(ForgeError) -> [ForgeRepository] { throw never }
    func createPullRequest(
        _ draft: PullRequestDraft, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> PullRequestLink { throw never }
    func openPullRequest(
        from branch: String, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> PullRequestLink? { throw never }
    func changedFiles(
        of number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> [ChangedFile] { throw never }
    func remarks(
        on number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> [ForgeRemark] { throw never }
    func submitReview(
        _ review: ReviewDraft, of number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> String { throw never }
    func versions(
        of number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> [MergeRequestVersion] { throw never }
    func startDiscussion(
        _ body: String, at position: DiscussionPosition?, of number: Int, in project: ForgeProject,
        _ access: ForgeAccess
    ) async throws(ForgeError) { throw never }
}

@Suite struct TrustServiceTests {
    private let fixture: EngineFixture
    private let forge: ScriptedForge

    init() { self.init(fixture: EngineFixture(), forge: ScriptedForge()) }

    private init(fixture: EngineFixture, forge: ScriptedForge) {
        self.fixture = fixture
        self.forge = forge
    }

    private func trust(_ policy: UntrustedPolicy = .review) -> TrustService {
        TrustService(
            store: fixture.store, queue: fixture.queue, events: fixture.events, secrets: fixture.secrets,
            credentials: fixture.credentials, forge: forge, policy: policy, clock: fixture.clock, historyTTL: 60,
            secretsTTL: 90)
    }

    /// A review that waits for its check.
    private func held(
        _ id: String = "t", sha: String? = ScriptedForge.sha, isUnattended: Bool = true,
        _ change: (inout CodeTask) -> Void = { _ in }
    ) async throws -> CodeTask {
        try await fixture.task(id) { task in
            task.type = .prReview
            task.config = TaskConfig()
            task.config?.prNumber = 7
            task.headSHA = sha
            task.hold = TaskHold(.trustCheck, isUnattended: isUnattended)
            change(&task)
        }
    }

    @Test func aTaskThatIsNotRunKeepsItsSecretsForTheirOwnTime() async throws {
        forge.state.withLock { $0.permission = .success(.read) }
        _ = try await held()
        #expect(try await checked("t", .ignore).status == .failed)
        #expect(fixture.events.expiry(of: "t") == .some(.some(60)))
        #expect(fixture.secrets.expiry(of: "t") == .some(.some(90)))
    }

    private func checked(_ id: String = "t", _ policy: UntrustedPolicy = .review) async throws -> CodeTask {
        await trust(policy).check(id)
        return try #require(try await fixture.store.task(id))
    }

    @Test func whoMayWriteIsTrusted() async throws {
        for permission in [ForgePermission.write, .admin] {
            forge.state.withLock { $0.permission = .success(permission) }
            let id = "\(permission)"
            _ = try await held(id)
            for policy in UntrustedPolicy.allCases {
                let task = try await checked(id, policy)
                #expect(task.trust == .trusted && task.hold == nil && task.status == .pending)
            }
        }
        #expect(try await fixture.queue.contents() == ["write", "admin"])
        #expect(
            forge.state.withLock(\.asked).prefix(2) == [
                "https://api.github.com o/r 7 service-github", "permission of mona",
            ], "asked with the task's own credentials")
    }

    /// What the forge may say that vouches for nobody.
    private static let doubts: [@Sendable (inout ScriptedForge.State) -> Void] = [
        { $0.pull.isFork = true }, { $0.permission = .success(.none) }, { $0.permission = .success(.read) },
        { $0.permission = .failure(ForgeError(.status(403), "no")) },
        { $0.permission = .failure(ForgeError(.unreachable, "timeout")) },
        { $0.pull.headSHA = String(repeating: "b", count: 40) },
    ]

    @Test func anythingElseIsUntrusted() async throws {
        for (index, doubt) in TrustServiceTests.doubts.enumerated() {
            let forge = ScriptedForge()
            forge.state.withLock { doubt(&$0) }
            let fixture = EngineFixture()
            let test = TrustServiceTests(fixture: fixture, forge: forge)
            _ = try await test.held()
            let task = try await test.checked()
            #expect(task.trust == .untrusted && task.hold == nil, "\(index)")
            #expect(try await fixture.queue.contents() == ["t"])
            #expect(try await fixture.planner().plan(task).profile == .untrusted)
        }
        // A fork's author is not asked about: who may write there may put anything into a fork.
        forge.state.withLock { $0.pull.isFork = true }
        _ = try await held()
        _ = try await checked()
        #expect(forge.state.withLock(\.asked).count == 1)
    }

    @Test func anUnknownForgeIsNotAsked() async throws {
        for (id, url) in [
            ("a", "https://elsewhere.example/o/r"), ("b", "file:///srv/r"), ("c", "https://git.corp/o/r"),
        ] {
            _ = try await held(id) { $0.repoURL = url }
            #expect(try await checked(id).trust == .untrusted)
        }
        #expect(forge.state.withLock(\.asked) == [], "the last has no token")
    }

    @Test func underHoldAPersonMustApproveTheCommit() async throws {
        forge.state.withLock { $0.pull.isFork = true }
        _ = try await held()
        let task = try await checked("t", .hold)
        #expect(
            task.hold == TaskHold(.approval, detail: "the head is in a fork", isUnattended: true)
                && task.trust == .untrusted && task.status == .pending)
        #expect(try await fixture.queue.contents() == [])
        let service = fixture.service
        await #expect(throws: CodeForgeError.self) {
            try await service.approve("t", headSHA: String(repeating: "b", count: 40))
        }
        let approved = try await service.approve("t", headSHA: ScriptedForge.sha.uppercased())
        #expect(approved.hold == nil && approved.trust == .untrusted)
        #expect(try await fixture.queue.contents() == ["t"])
        let spec = try await fixture.planner().plan(approved)
        #expect(spec.profile == .untrusted && spec.isUntrusted)
        guard case .clone(let clone) = spec.source else { throw CodeForgeError(.internal, "no clone") }
        #expect(clone.expectedHead == ScriptedForge.sha)
    }

    @Test func anApprovalIsBoundToACommitEvenIfTheDeliveryNamedNone() async throws {
        forge.state.withLock { $0.pull.isFork = true }
        _ = try await held(sha: nil)
        #expect(try await checked("t", .hold).headSHA == ScriptedForge.sha)
        forge.state.withLock { $0.pull.headSHA = "" }
        _ = try await held("u", sha: nil)
        let unknown = try await checked("u", .hold)
        #expect(unknown.status == .failed && unknown.error?.contains("head commit is not known") == true)
    }

    @Test func thePolicyIsForWhatWebhooksBring() async throws {
        forge.state.withLock { $0.pull.isFork = true }
        for policy in UntrustedPolicy.allCases {
            let id = policy.rawValue
            _ = try await held(id, isUnattended: false)
            let task = try await checked(id, policy)
            #expect(task.hold == nil && task.trust == .untrusted && task.status == .pending)
        }
        #expect(try await fixture.queue.contents().count == 3)
    }

    @Test func underIgnoreItIsNotRun() async throws {
        forge.state.withLock { $0.permission = .success(.read) }
        _ = try await held()
        let task = try await checked("t", .ignore)
        #expect(task.status == .failed && task.hold == nil && task.finishedAt != nil)
        #expect(
            task.error
                == "not run: the code is untrusted (the author (mona) may not write to the repository), and "
                + "code_review.untrusted_policy is ignore")
        #expect(try await fixture.queue.contents() == [])
        #expect(try await fixture.store.iterations(of: "t").map(\.status) == [.failed])
        var names: [String] = []
        for try await batch in fixture.events.follow("t", after: nil) {
            for entry in batch.entries {
                switch entry.body {
                case .event(let json): names.append(String(decoding: json, as: UTF8.self))
                case .done(let json): names.append("done " + String(decoding: json, as: UTF8.self))
                }
            }
            if batch.caughtUp { break }
        }
        #expect(names.count == 2 && names[0].contains("task_failed") && names[1].hasPrefix("done "), "\(names)")
    }

    @Test func whatWaitsForAnApprovalCanBeCancelled() async throws {
        let service = TaskService(
            store: fixture.store, queue: fixture.queue, secrets: fixture.secrets, events: fixture.events,
            link: fixture.link, clock: fixture.clock,
            rules: TaskRules(registeredCLIs: [], makeID: { "x" }, isURL: URLRule.accepts), trust: trust())
        _ = try await held()
        await #expect(throws: CodeForgeError(.conflict, "task is not running (status: pending)")) {
            try await service.cancel("t")
        }
        forge.state.withLock { $0.pull.isFork = true }
        _ = try await checked("t", .hold)
        let task = try await service.cancel("t")
        #expect(task.status == .failed && task.error == "canceled by user" && task.hold == nil)
        await #expect(throws: CodeForgeError.self) { try await service.approve("t", headSHA: nil) }
    }

    @Test func aPushVoidsWhatWaitedForAnApproval() async throws {
        let old = String(repeating: "0", count: 40)
        func waiting(_ id: String, _ change: (inout CodeTask) -> Void = { _ in }) async throws {
            _ = try await held(id, sha: old) { task in
                task.hold = TaskHold(.approval, isUnattended: true)
                change(&task)
            }
        }
        try await waiting("old")
        try await waiting("same") { $0.headSHA = ScriptedForge.sha }
        try await waiting("number") { $0.config?.prNumber = 8 }
        try await waiting("repository") { $0.repoURL = "https://github.com/o/other" }
        try await waiting("approved") { $0.hold = nil }
        forge.state.withLock { $0.pull.isFork = true }
        _ = try await held()
        _ = try await checked("t", .hold)
        for id in ["same", "number", "repository", "approved", "t"] {
            #expect(try await fixture.store.task(id)?.status == .pending, "\(id)")
        }
        let void = try #require(try await fixture.store.task("old"))
        #expect(void.status == .failed)
        #expect(void.error == "superseded: the pull request moved on to commit \(ScriptedForge.sha)")
        await #expect(throws: CodeForgeError.self) { try await fixture.service.approve("old", headSHA: nil) }
    }

    /// A delivery that comes late must not put the newer commit away.
    @Test func anOvertakenDeliveryVoidsNothing() async throws {
        _ = try await held("new") { $0.hold = TaskHold(.approval, isUnattended: true) }
        _ = try await held("late", sha: String(repeating: "0", count: 40))
        #expect(try await checked("late", .hold).trust == .untrusted)
        #expect(try await fixture.store.task("new")?.status == .pending)
    }

    @Test func aHeldTaskIsNotTaken() async throws {
        _ = try await held()
        try await fixture.queue.enqueue("t")
        // Nobody queued this one: when it runs, the reconciler has looked for both.
        _ = try await fixture.task("free")
        let scheduler = fixture.scheduler()
        let running = Task { try await scheduler.run() }
        _ = try await eventually("the other task runs") { fixture.spawner.specs.isEmpty ? nil : true }
        #expect(fixture.spawner.specs.map(\.taskID) == ["free"])
        #expect(try await fixture.queue.contents() == [])
        #expect(try await fixture.store.task("t")?.status == .pending)
        running.cancel()
        _ = await running.result
    }

    @Test func whatAStoppedServerLeftIsChecked() async throws {
        _ = try await held("left")
        let trust = trust()
        let running = Task { try await trust.run() }
        _ = try await eventually("the leftover is checked") {
            try await fixture.store.task("left")?.trust == .trusted ? true : nil
        }
        _ = try await held("new")
        trust.look(at: "new")
        _ = try await eventually("the new one is checked") {
            try await fixture.store.task("new")?.trust == .trusted ? true : nil
        }
        running.cancel()
        _ = await running.result
    }

    @Test func anAPIReviewIsHeldForItsCheckOnly() async throws {
        let trust = trust()
        let service = TaskService(
            store: fixture.store, queue: fixture.queue, secrets: fixture.secrets, events: fixture.events,
            link: fixture.link, clock: fixture.clock,
            rules: TaskRules(registeredCLIs: [], makeID: { "api" }, isURL: URLRule.accepts), trust: trust)
        var config = TaskConfig()
        config.prNumber = 7
        let task = try await service.create(
            TaskDraft(repoURL: "https://github.com/o/r", prompt: "x", taskType: "pr_review", config: config))
        #expect(task.hold == TaskHold(.trustCheck, isUnattended: false))
        #expect(try await fixture.queue.contents() == [])
        await trust.check("api")
        let trusted = try #require(try await fixture.store.task("api"))
        #expect(trusted.trust == .trusted)
        #expect(try await fixture.queue.contents() == ["api"])
        // As any review: it reads, and the repository's own configuration counts.
        let spec = try await fixture.planner().plan(trusted)
        #expect(spec.profile == .readonly && !spec.isUntrusted)
    }

    @Test func aWorkspaceIsAsTrustedAsItsPullRequest() async throws {
        for trust in [TaskTrust.trusted, .untrusted, nil] {
            let owner = "owner-\(trust?.rawValue ?? "unknown")"
            _ = try await fixture.task(owner) { task in
                task.type = .prReview
                task.trust = trust
            }
            let guest = try await fixture.task("guest-" + owner) { task in
                task.config = TaskConfig()
                task.config?.workspaceTaskID = owner
            }
            let planner = fixture.planner(workspaces: ["/data/workspaces/do-" + owner: .volume])
            #expect(try await planner.plan(guest).profile == (trust == .trusted ? .code : .untrusted))
        }
    }
}
