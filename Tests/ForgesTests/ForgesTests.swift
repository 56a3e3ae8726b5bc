import CurlHTTP
import Domain
import TestKit
import Testing

@testable import Forges

/// The clients against the test server, which refuses what the public APIs would.
struct ForgeRig {
    let server = ForgeServer.start()
    static let transport = CurlTransport()

    func forge() throws -> RemoteForge {
        RemoteForge(ForgeRig.transport, addresses: try AddressRule(exceptions: [server.authority]))
    }

    func github(token: String? = "ghp_good") -> ForgeAccess {
        ForgeAccess(provider: .github, apiURL: server.githubAPI, token: token)
    }

    func gitlab(token: String? = "glpat-good") -> ForgeAccess {
        ForgeAccess(provider: .gitlab, apiURL: server.gitlabAPI, token: token)
    }

    static let project = ForgeProject(path: "/acme/app.git", on: .github)!
    static let nested = ForgeProject(path: "/acme/team/app%20one", on: .gitlab)!
}

/// What the call threw.
func error<Value>(_ body: () async throws(ForgeError) -> Value) async -> ForgeError? {
    do throws(ForgeError) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

@Suite struct GitHubTests {
    private let rig = ForgeRig()

    @Test func aTokenTellsWhoseItIs() async throws {
        let account = try await rig.forge().account(rig.github())
        #expect(
            account == ForgeAccount(username: "octocat", email: "octocat@github.com", scopes: "repo, read:org"))
        #expect(rig.server.violations == [])
    }

    @Test func repositoriesComeByPage() async throws {
        for number in 1...5 { rig.server.github.add("acme/r\(number)") { $0.isPrivate = number == 4 } }
        let page = try await rig.forge().repositories(rig.github(), page: 2, perPage: 3)
        #expect(page.map(\.fullName) == ["acme/r4", "acme/r5"] && page.map(\.isPrivate) == [true, false])
        #expect(page[0].cloneURL == "https://github.com/acme/r4.git" && page[0].description == "")
        #expect(rig.server.requests[0].query["sort"] == "updated" && rig.server.violations == [])
    }

    @Test func aPullRequestIsOpenedLabelledAndFound() async throws {
        rig.server.github.add("acme/app") { $0.branches = ["main", "codeforge/fix"] }
        let forge = try rig.forge()
        #expect(try await forge.openPullRequest(from: "codeforge/fix", in: ForgeRig.project, rig.github()) == nil)
        let draft = PullRequestDraft(title: "Fix \"it\"", body: "Ž\n", head: "codeforge/fix", base: "main")
        let link = try await forge.createPullRequest(draft, in: ForgeRig.project, rig.github())
        #expect(link == PullRequestLink(number: 1, url: "https://github.com/acme/app/pull/1"))
        let pull = rig.server.github.pulls[0]
        #expect(pull.title == "Fix \"it\"" && pull.body == "Ž\n" && pull.base == "main" && pull.labels == ["codeforge"])
        #expect(try await forge.openPullRequest(from: "codeforge/fix", in: ForgeRig.project, rig.github()) == link)
        let again = await error { () async throws(ForgeError) in
            try await forge.createPullRequest(draft, in: ForgeRig.project, rig.github())
        }
        #expect(again?.status == 422 && again?.message.contains("already exists") == true)
        #expect(rig.server.violations == [])
    }

    @Test func aLabelThatCantBeSetIsNoError() async throws {
        rig.server.github.add("acme/app")
        rig.server.fail(.forbidden, on: "POST", "/labels")
        let draft = PullRequestDraft(title: "t", body: "", head: "h", base: "main")
        #expect(try await rig.forge().createPullRequest(draft, in: ForgeRig.project, rig.github()).number == 1)
        #expect(rig.server.github.pulls[0].labels == [])
    }

    /// A pull request of a fork may have a branch of the same name; it is not ours.
    @Test func aForksBranchIsNotFoundAsOurs() async throws {
        rig.server.github.add("acme/app")
        rig.server.github.addPull(3, in: "acme/app", head: "codeforge/fix") { $0.headRepository = "acme/other" }
        #expect(
            try await rig.forge().openPullRequest(from: "codeforge/fix", in: ForgeRig.project, rig.github()) == nil)
    }

    @Test(arguments: [("acme/app", false), ("mona/app", true), (nil, true)] as [(String?, Bool)])
    func aPullRequestTellsWhetherItIsAFork(_ head: String?, _ isFork: Bool) async throws {
        rig.server.github.add("acme/app")
        rig.server.github.addPull(42, in: "acme/app") { pull in
            pull.headRepository = head
            pull.isDraft = true
        }
        let pull = try await rig.forge().pullRequest(42, in: ForgeRig.project, rig.github())
        #expect(pull.isFork == isFork && pull.isDraft && pull.isOpen && pull.author.name == "mona")
        #expect(pull.headSHA == String(repeating: "a", count: 40) && pull.headBranch == "feature")
        #expect(pull.baseBranch == "main" && pull.link.number == 42)
    }

    @Test(arguments: [
        ("admin", ForgePermission.admin), ("write", .write), ("read", .read), ("none", .none), ("new", .none),
    ])
    func aPermissionIsRead(_ word: String, _ permission: ForgePermission) async throws {
        rig.server.github.add("acme/app") { $0.permissions = ["mona": word] }
        let forge = try rig.forge()
        #expect(
            try await forge.permission(of: ForgeUser(name: "mona"), in: ForgeRig.project, rig.github()) == permission)
        #expect(try await forge.permission(of: ForgeUser(name: "eve"), in: ForgeRig.project, rig.github()) == .none)
        #expect(try await forge.permission(of: ForgeUser(name: ""), in: ForgeRig.project, rig.github()) == .none)
    }

    @Test func allFilesOfAPullRequestAreRead() async throws {
        rig.server.github.add("acme/app")
        rig.server.github.addPull(1, in: "acme/app") { pull in
            pull.files = (1...250).map { ChangedFile(path: "f\($0)", patch: $0 == 7 ? nil : "@@ -1 +1 @@\n+x") }
        }
        let files = try await rig.forge().changedFiles(of: 1, in: ForgeRig.project, rig.github())
        #expect(files.count == 250 && files[6].patch == nil && files[249].path == "f250")
        #expect(rig.server.requests.count == 3 && rig.server.violations == [])
    }

    @Test func aReviewIsPosted() async throws {
        rig.server.github.add("acme/app")
        rig.server.github.addPull(1, in: "acme/app") {
            $0.files = [ChangedFile(path: "a.swift", patch: "@@ -1,2 +1,3 @@\n one\n-two\n+zwei\n+drei")]
        }
        func review(_ line: Int) -> ReviewDraft {
            ReviewDraft(
                body: "Good", event: .requestChanges, comments: [.init(path: "a.swift", line: line, body: "Why?")])
        }
        let forge = try rig.forge()
        let url = try await forge.submitReview(review(3), of: 1, in: ForgeRig.project, rig.github())
        #expect(url == "https://github.com/acme/app/pull/1#pullrequestreview-1")
        #expect(rig.server.github.pulls[0].reviews.first?.comments.first?.line == 3)
        #expect(rig.server.github.pulls[0].reviews.first?.event == "REQUEST_CHANGES")
        let outside = await error { () async throws(ForgeError) in
            try await forge.submitReview(review(4), of: 1, in: ForgeRig.project, rig.github())
        }
        #expect(outside?.status == 422 && rig.server.violations == [])
    }
}

@Suite struct GitLabTests {
    private let rig = ForgeRig()

    @Test func aTokenTellsWhoseItIs() async throws {
        let account = try await rig.forge().account(rig.gitlab())
        #expect(account == ForgeAccount(username: "tanuki", email: "tanuki@gitlab.com"))
    }

    @Test func projectsAreListed() async throws {
        rig.server.gitlab.add("acme/team/app one") { $0.visibility = "internal" }
        rig.server.gitlab.add("acme/open") { project in
            project.visibility = "public"
            project.description = "d"
        }
        let found = try await rig.forge().repositories(rig.gitlab(), page: 1, perPage: 30)
        #expect(found.map(\.isPrivate) == [true, false] && found.map(\.description) == ["", "d"])
        #expect(found[0].fullName == "acme/team/app one" && found[0].name == "app one")
        #expect(found[0].updatedAt == "2026-02-20T10:00:00.000Z" && rig.server.violations == [])
    }

    @Test func aMergeRequestOfANestedProjectIsOpenedAndFound() async throws {
        rig.server.gitlab.add("acme/team/app one")
        let forge = try rig.forge()
        let draft = PullRequestDraft(title: "t", body: "d", head: "codeforge/fix", base: "main")
        let link = try await forge.createPullRequest(draft, in: ForgeRig.nested, rig.gitlab())
        #expect(link.url == "https://gitlab.com/acme/team/app one/-/merge_requests/1" && link.number == 1)
        let request = rig.server.gitlab.mergeRequests[0]
        #expect(request.labels == ["codeforge"] && request.description == "d" && request.target == "main")
        #expect(try await forge.openPullRequest(from: "codeforge/fix", in: ForgeRig.nested, rig.gitlab()) == link)
        #expect(try await forge.openPullRequest(from: "other", in: ForgeRig.nested, rig.gitlab()) == nil)
        let found = try await forge.pullRequest(1, in: ForgeRig.nested, rig.gitlab())
        #expect(!found.isFork && found.isOpen && found.author == ForgeUser(name: "tanuki", id: 7))
        #expect(rig.server.violations == [])
    }

    @Test func aMergeRequestOfAForkIsOne() async throws {
        rig.server.gitlab.add("acme/team/app one")
        rig.server.gitlab.addMergeRequest(5, in: "acme/team/app one") { $0.sourceProjectID = 99 }
        rig.server.gitlab.addMergeRequest(6, in: "acme/team/app one") { $0.sourceProjectID = nil }
        for number in [5, 6] {
            #expect(try await rig.forge().pullRequest(number, in: ForgeRig.nested, rig.gitlab()).isFork)
        }
    }

    @Test(arguments: [(50, ForgePermission.admin), (40, .admin), (30, .write), (20, .read), (10, .read), (0, .none)])
    func aMembersLevelIsRead(_ level: Int, _ permission: ForgePermission) async throws {
        rig.server.gitlab.add("acme/team/app one") { $0.members = [8: level] }
        rig.server.gitlab.users = [.init(id: 8, username: "mona"), .init(id: 9, username: "eve")]
        let forge = try rig.forge()
        for user in [ForgeUser(name: "mona"), ForgeUser(name: "", id: 8)] {
            #expect(try await forge.permission(of: user, in: ForgeRig.nested, rig.gitlab()) == permission)
        }
        for name in ["eve", "nobody", ""] {
            #expect(
                try await forge.permission(of: ForgeUser(name: name), in: ForgeRig.nested, rig.gitlab()) == .none)
        }
        #expect(rig.server.violations == [])
    }

    @Test func discussionsAreStarted() async throws {
        rig.server.gitlab.add("acme/team/app one")
        rig.server.gitlab.addMergeRequest(2, in: "acme/team/app one")
        let forge = try rig.forge()
        let version = try #require(try await forge.versions(of: 2, in: ForgeRig.nested, rig.gitlab()).first)
        let position = DiscussionPosition(version: version, path: "a.swift", line: 3)
        try await forge.startDiscussion("line", at: position, of: 2, in: ForgeRig.nested, rig.gitlab())
        try await forge.startDiscussion("all", at: nil, of: 2, in: ForgeRig.nested, rig.gitlab())
        let discussions = rig.server.gitlab.mergeRequests[0].discussions
        #expect(discussions.map(\.body) == ["line", "all"] && discussions.map(\.position) == [position, nil])
        var wrong = position
        wrong.version.headSHA = "other"
        let refused = await error { () async throws(ForgeError) in
            try await forge.startDiscussion("x", at: wrong, of: 2, in: ForgeRig.nested, rig.gitlab())
        }
        #expect(refused?.status == 400 && rig.server.violations == [])
    }
}

@Suite struct ForgeFailureTests {
    private let rig = ForgeRig()

    private func failing(_ failure: ForgeFailure, _ access: ForgeAccess? = nil) async throws -> ForgeError {
        rig.server.fail(failure)
        let forge = try rig.forge()
        return try #require(
            await error { () async throws(ForgeError) in try await forge.account(access ?? rig.github()) })
    }

    @Test(arguments: [401, 403, 404, 422, 500, 502])
    func aStatusIsToldWithTheForgesWords(_ status: Int) async throws {
        let error = try await failing(.status(status, "nope \u{1B}[31m" + String(repeating: "x", count: 600)))
        #expect(error.status == status && error.failure.code == .upstream)
        #expect(error.message.hasPrefix("GitHub API returned \(status): nope ?[31m"))
        #expect(error.message.utf8.count < 560)
    }

    @Test(arguments: [403, 429])
    func aUsedUpRateLimitTellsUntilWhen(_ status: Int) async throws {
        for access in [rig.github(), rig.gitlab()] where access.provider == .github || status == 429 {
            let error = try await failing(.rateLimited(status: status, reset: 1_772_000_000), access)
            #expect(error.reason == .limited(until: Timestamp(nanoseconds: 1_772_000_000_000_000_000)))
            #expect(error.message.hasSuffix("rate limit is used up until 2026-02-25T06:13:20Z"))
        }
    }

    @Test func aTokenIsInNoMessage() async throws {
        let error = try await failing(.status(400, "you sent ghp_good"))
        #expect(error.message == "GitHub API returned 400: you sent ***")
        #expect(!"\(rig.github()) \(IssueAccess(apiURL: "u", token: "ghp_good"))".contains("ghp_good"))
    }

    /// The token would go along.
    @Test func aRedirectIsNotFollowed() async throws {
        let other = ForgeServer.start()
        let error = try await failing(.redirect(other.githubAPI + "/user"))
        #expect(error.status == 301 && error.message.contains("redirects are not followed"))
        #expect(other.requests.isEmpty)
    }

    @Test func anAnswerThatIsNoneIsSaidToBe() async throws {
        #expect(try await failing(.garbage).reason == .unreadable)
        #expect(try await failing(.truncated).reason == .unreachable)
        #expect(try await failing(.large(3 << 20)).reason == .unreadable)
    }

    @Test func privateAddressesMustBeNamed() async throws {
        let forge = RemoteForge(ForgeRig.transport, addresses: .publicOnly)
        let error = await error { () async throws(ForgeError) in try await forge.account(rig.github()) }
        #expect(error?.message.contains("gateway.allow_private_hosts") == true && error?.reason == .unreachable)
        #expect(rig.server.requests.isEmpty)
    }

    @Test func nobodyListensIsUnreachable() async throws {
        rig.server.stop()
        let forge = try rig.forge()
        let error = await error { () async throws(ForgeError) in try await forge.account(rig.github()) }
        #expect(error?.reason == .unreachable && error?.message.hasPrefix("GitHub API request failed: ") == true)
    }

    @Test func aCallerThatLeavesEndsTheRequest() async throws {
        rig.server.fail(.slow(.seconds(8)))
        let forge = try rig.forge()
        let access = rig.github()
        let call = Task { await error { () async throws(ForgeError) in try await forge.account(access) } }
        _ = try await eventually("the request") { rig.server.requests.isEmpty ? nil : true }
        call.cancel()
        #expect(await call.value?.reason == .cancelled)
    }
}

@Suite struct IssueSourceTests {
    private let rig = ForgeRig()

    private func fetch(_ query: IssueQuery) async -> Result<String, ForgeError> {
        do throws(ForgeError) {
            let rule: AddressRule
            do { rule = try AddressRule(exceptions: [rig.server.authority]) } catch {
                throw ForgeError(.unreachable, "\(error)")
            }
            let source = RemoteIssueSource(ForgeRig.transport, addresses: rule)
            let access = IssueAccess(apiURL: rig.server.sentryAPI, token: "sntrys_good")
            return .success(String(decoding: try await source.fetch(query, access), as: UTF8.self))
        } catch {
            return .failure(error)
        }
    }

    @Test func whatSentrySaysComesAsItIs() async throws {
        rig.server.sentry.organizations = [["slug": "acme"]]
        rig.server.sentry.projects = ["acme": [["slug": "web"]]]
        rig.server.sentry.issues = ["acme/web": [["id": "1"]]]
        rig.server.sentry.issue = ["1": ["id": "1"]]
        rig.server.sentry.latestEvent = ["1": ["eventID": "e"]]
        let search = IssueQuery.issues(
            organization: "acme", project: "web", search: "is:unresolved a&limit=9 ž+%", limit: "50", sort: "freq")
        let answers = [
            (IssueQuery.organizations, #"[{"slug":"acme"}]"#), (.projects(organization: "acme"), #"[{"slug":"web"}]"#),
            (search, #"[{"id":"1"}]"#), (.issue("1"), #"{"id":"1"}"#), (.latestEvent(issue: "1"), #"{"eventID":"e"}"#),
        ]
        for (query, answer) in answers { #expect(try await fetch(query).get() == answer) }
        let sent = rig.server.requests[2].query
        #expect(sent == ["query": "is:unresolved a&limit=9 ž+%", "limit": "50", "sort": "freq"])
        #expect(rig.server.violations == [])
    }

    @Test func failuresAreWordedForThisAPI() async throws {
        rig.server.fail(.status(404, String(repeating: "y", count: 300)))
        let missing = await fetch(.issue("1"))
        #expect(
            missing
                == .failure(
                    ForgeError(
                        .status(404), "sentry API returned 404: " + String(repeating: "y", count: 200) + "…")))
        rig.server.fail(.garbage)
        rig.server.fail(.large(2 << 20))
        for _ in 1...2 {
            guard case .failure(let error) = await fetch(.organizations) else { throw error404 }
            #expect(error.reason == .unreadable)
        }
        rig.server.stop()
        guard case .failure(let away) = await fetch(.issue("1")) else { throw error404 }
        #expect(away.message.hasPrefix("sentry API request failed: "))
    }

    private let error404 = ForgeError(.unreadable, "an answer where none was to come")
}
