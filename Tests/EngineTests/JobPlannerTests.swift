import Domain
import TestKit
import Testing

@testable import Engine

@Suite struct JobPlannerTests {
    private let fixture = EngineFixture()

    @Test func aFirstRunClonesTheSourceBranchElseTheTarget() async throws {
        var task = try await fixture.task { $0.config = TaskConfig() }
        #expect(try await fixture.planner().plan(task).source == .clone(.init()))
        task.config?.targetBranch = "main"
        #expect(try await fixture.planner().plan(task).source == .clone(.init(branch: "main")))
        task.config?.sourceBranch = "dev"
        #expect(try await fixture.planner().plan(task).source == .clone(.init(branch: "dev")))
    }

    @Test(arguments: [
        ("https://github.com/o/r", "pull/7/head"), ("https://git.corp/g/s/p", "merge-requests/7/head"),
        ("https://unknown.example/o/r", "pull/7/head"),
    ])
    func aPullRequestIsFetchedByItsForgesRef(_ url: String, _ ref: String) async throws {
        let task = try await fixture.task { task in
            task.type = .prReview
            task.repoURL = url
            task.config = TaskConfig()
            task.config?.prNumber = 7
        }
        let spec = try await fixture.planner().plan(task)
        #expect(spec.source == .clone(.init(branch: "main", pullRequest: 7, pullRequestRef: ref)))
        #expect(spec.profile == .untrusted)
    }

    @Test func timeoutsAreDefaultedAndClamped() async throws {
        for (asked, expected) in [(nil, 300), (0, 300), (-1, 300), (5, 5), (9999, 1800)] as [(Int?, Int)] {
            let task = try await fixture.task("t\(asked ?? 1)\(expected)") { task in
                task.config = TaskConfig()
                task.config?.timeoutSeconds = asked
            }
            #expect(try await fixture.planner().plan(task).limits.timeoutSeconds == expected)
        }
    }

    @Test func aFollowUpResumesTheConversationOfTheSameCLIOnly() async throws {
        var task = try await fixture.task { task in
            task.iteration = 2
            task.currentPrompt = "more"
            task.sessionID = "s"
            task.sessionUsage = Usage(inputTokens: 7)
            task.sessionCLI = "claude-code"
        }
        let resumed = try await fixture.planner().plan(task)
        #expect(resumed.agent.sessionID == "s" && resumed.agent.prompt == "more" && resumed.source == .existing)
        #expect(resumed.agent.sessionUsage == Usage(inputTokens: 7))
        task.sessionCLI = "codex"
        let replayed = try await fixture.planner().plan(task)
        #expect(replayed.agent.sessionID == nil && replayed.agent.prompt == "0:more")
        #expect(replayed.agent.sessionUsage == nil)
        #expect(resumed.pullBranch == nil)
    }

    @Test func anotherTasksWorkspaceIsUsedWhileItExists() async throws {
        _ = try await fixture.task("owner")
        let task = try await fixture.task("guest") { task in
            task.config = TaskConfig()
            task.config?.workspaceTaskID = "owner"
        }
        let found = try await fixture.planner(workspaces: ["/data/workspaces/do-owner": .directory]).plan(task)
        #expect(found.source == .existing && found.paths.workspace == "/data/workspaces/do-owner")
        #expect(found.paths.gitDirectory == "/data/git/owner" && found.paths.home == "/data/homes/guest")
        let gone = try await fixture.planner().plan(task)
        #expect(gone.source == .clone(.init()) && gone.paths.volume == "/data/workspaces/do-guest.ext4")
    }

    @Test func aNewWorkspaceHasTheConfiguredFormAndAnOldOneKeepsItsOwn() async throws {
        var task = try await fixture.task()
        let new = try await fixture.planner().plan(task)
        #expect(
            new.paths.volume == "/data/workspaces/do-t.ext4" && new.paths.workspace == "/data/runs/t/disk/workspace")
        #expect(new.paths.gitDirectory == "/data/runs/t/disk/git" && new.paths.home == "/data/runs/t/disk/homes/t")
        #expect(new.profile.required.contains(.diskLimit) && new.gitProfile.required.contains(.diskLimit))

        let chosen = try await fixture.planner { $0.disk = .directory }.plan(task)
        #expect(chosen.paths.volume == nil && chosen.paths.workspace == "/data/workspaces/do-t")
        #expect(!chosen.profile.required.contains(.diskLimit) && !chosen.gitProfile.required.contains(.diskLimit))

        task.iteration = 2
        let old = try await fixture.planner(workspaces: ["/data/workspaces/do-t": .directory]).plan(task)
        #expect(old.paths.volume == nil && old.profile.required.contains(.diskLimit), "a layer it lacks")
        let volume = try await fixture.planner(workspaces: ["/data/workspaces/do-t": .volume]) { $0.disk = .directory }
            .plan(task)
        #expect(volume.paths.volume != nil)
    }

    @Test func aModelKeyGoesOnlyToTheCLIItIsFor() async throws {
        for (cli, anthropic, openAI) in [
            ("claude-code", "own", nil), ("codex", nil, "own"), ("shell", nil, nil),
        ] as [(String, String?, String?)] {
            let task = try await fixture.task(cli) { task in
                task.config = TaskConfig()
                task.config?.cli = cli
            }
            try await fixture.secrets.put(TaskSecrets(aiAPIKey: "own"), for: cli)
            let gateway = try await fixture.planner().plan(task).gateway
            #expect(gateway.anthropicKey == anthropic && gateway.openAIKey == openAI)
        }
    }

    @Test func theServicesGitTokenIsForItsForgeOnly() async throws {
        var task = try await fixture.task()
        #expect(try await fixture.planner().plan(task).gateway.gitToken == "service-github")
        task.repoURL = "https://evil.example/github.com/r.git"
        #expect(try await fixture.planner().plan(task).gateway.gitToken == nil)
        task.repoURL = "https://user:pass@evil.example/r.git"
        let gateway = try await fixture.planner().plan(task).gateway
        #expect(gateway.gitUsername == "user" && gateway.gitToken == "pass")
    }

    /// What a review of a pull request left in its workspace is no more trusted for being used by another task.
    @Test func aPullRequestsWorkspaceStaysUntrusted() async throws {
        _ = try await fixture.task("owner") { $0.type = .prReview }
        let task = try await fixture.task("guest") { task in
            task.config = TaskConfig()
            task.config?.workspaceTaskID = "owner"
        }
        #expect(
            try await fixture.planner(workspaces: ["/data/workspaces/do-owner": .volume]).plan(task).profile
                == .untrusted)
        #expect(try await fixture.planner().plan(task).profile == .code)
    }

    @Test func theSpecCarriesTheEffectiveProfiles() async throws {
        var large = SandboxProfile.code
        large.name = "large"
        var git = SandboxProfile.git
        git.limits.processes = 33
        var rules = ProfileCatalog.Rules()
        rules.keys = ["bot": "large"]
        let catalog = ProfileCatalog([large, git], rules: rules)
        let task = try await fixture.task { $0.providerKey = "bot" }
        let spec = try await fixture.planner { $0.profiles = catalog }.plan(task)
        #expect(spec.profile == large && spec.gitProfile == git)
    }

    @Test(arguments: [WorkspaceForm.volume, .directory])
    func clientsAreToldOfOnePlaceForEitherForm(_ form: WorkspaceForm) async throws {
        let task = try await fixture.task()
        let paths = try await fixture.planner { $0.disk = form }.plan(task).paths
        #expect(paths.shownWorkspace == "/data/workspaces/do-t")
        #expect((paths.workspace == paths.shownWorkspace) == (form == .directory))
    }

    @Test func aFollowUpStartsFromTheBranchOfItsPullRequest() async throws {
        let task = try await fixture.task { task in
            task.status = .running
            task.iteration = 2
            task.branch = "codeforge/do"
        }
        let planner = fixture.planner(workspaces: ["/data/workspaces/do-t": .volume])
        #expect(try await planner.plan(task).pullBranch == "codeforge/do")
        var review = task
        review.status = .reviewing
        #expect(try await planner.plan(review).pullBranch == nil, "a review is of what is there")
        var first = task
        first.iteration = 1
        #expect(try await planner.plan(first).pullBranch == nil)
    }

    /// §5.2: a default that is no CLI, told by the run.
    @Test(arguments: [
        (TaskStatus.running, "CLI execution failed: resolving CLI runner: unknown CLI: vim"),
        (.reviewing, "review CLI execution failed: resolving CLI runner: unknown CLI: vim"),
    ])
    func anUnknownDefaultIsNamed(_ status: TaskStatus, _ message: String) async throws {
        let task = try await fixture.task { $0.status = status }
        let planner = fixture.planner(workspaces: ["/data/workspaces/do-t": .volume]) { $0.defaultCLI = "vim" }
        let error = await #expect(throws: CodeForgeError.self) { try await planner.plan(task) }
        #expect(error?.message == message)
    }

    @Test func aProfileShortensTheWatchdogsAndNeverLengthensThem() async throws {
        var profile = SandboxProfile.code
        for (setting, own, expected) in [(900, 0, 900), (900, 600, 600), (300, 600, 300), (0, 600, 600), (0, 0, 0)] {
            profile.watchdogs.firstLine = own
            profile.watchdogs.silence = own
            let planner = fixture.planner { [profile] configuration in
                configuration.watchdogs = .init(firstLine: Double(setting), silence: Double(setting), afterResult: 7)
                configuration.profiles = ProfileCatalog([.git, profile, .readonly, .untrusted])
            }
            let task = try await fixture.task("t\(setting)-\(own)")
            let limits = try await planner.plan(task).limits
            #expect(
                limits.watchdogs
                    == .init(firstLine: Double(expected), silence: Double(expected), afterResult: 7),
                "\(setting) \(own)")
        }
    }
}
