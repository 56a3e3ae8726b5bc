import CurlHTTP
import Domain
import Forges
import TestKit
import Testing

@testable import Engine

/// Posting, against a server that refuses what the public APIs would.
@Suite struct ReviewPosterTests {
    private let server = ForgeServer.start()
    private let fixture = EngineFixture()

    private static let patch = "@@ -1,3 +1,4 @@\n one\n-two\n+2\n+new\n three\n\\ No newline at end of file\n"

    private func poster(verdicts: Bool = false) throws -> ReviewPoster {
        ReviewPoster(
            forge: RemoteForge(CurlTransport(), addresses: try AddressRule(exceptions: [server.authority])),
            untrustedVerdicts: verdicts)
    }

    private func github() -> ReviewDestination {
        server.github.add("acme/app")
        server.github.addPull(7, in: "acme/app") { $0.files = [ChangedFile(path: "a.swift", patch: Self.patch)] }
        return ReviewDestination(
            access: ForgeAccess(provider: .github, apiURL: server.githubAPI, token: "ghp_good"),
            project: ForgeProject(path: "/acme/app", on: .github)!)
    }

    private func gitlab() -> ReviewDestination {
        server.gitlab.add("acme/team/app")
        server.gitlab.addMergeRequest(7, in: "acme/team/app")
        return ReviewDestination(
            access: ForgeAccess(provider: .gitlab, apiURL: server.gitlabAPI, token: "glpat-good"),
            project: ForgeProject(path: "/acme/team/app", on: .gitlab)!)
    }

    private func issue(
        _ line: Int, _ description: String = "d", file: String = "a.swift", suggestion: String? = nil
    ) -> ReviewIssue {
        ReviewIssue(severity: "major", file: file, line: line, description: description, suggestion: suggestion)
    }

    private func review(
        _ issues: [ReviewIssue] = [], verdict: String = "approve", summary: String = "fine", untrusted: Bool? = false
    ) -> ReviewResult {
        var review = ReviewResult(
            verdict: verdict, score: 8, summary: summary, issues: issues, autoFixable: false, reviewedBy: "codex:m",
            durationSeconds: 1)
        review.isUntrusted = untrusted
        return review
    }

    private var posted: [GitHubTwin.Review] { server.github.pulls[0].reviews }
    private var discussions: [GitLabTwin.Discussion] { server.gitlab.mergeRequests[0].discussions }

    // MARK: GitHub

    @Test func issuesInTheDiffStandAtTheirLines() async throws {
        let place = github()
        let issues = [
            issue(3, "wrong", suggestion: "one\ntwo"), issue(4), issue(99, "outside"), issue(0, "nowhere", file: ""),
            issue(1, "other", file: "b.swift"),
        ]
        let result = try await poster().post(review(issues), on: 7, at: place, marker: "m")
        #expect(result.comments == 2 && result.url.hasSuffix("/acme/app/pull/7#pullrequestreview-1"))
        let body = posted[0].body
        #expect(body.hasPrefix("## CodeForge review\n\n**Approve** · **8/10**\n\nfine\n\n### General issues\n\n"))
        #expect(body.contains("- **[MAJOR]** outside (`a.swift:99`)\n- **[MAJOR]** nowhere\n"))
        #expect(body.contains("other (`b.swift:1`)") && !body.contains("wrong"))
        #expect(posted[0].event == "APPROVE" && posted[0].comments.map(\.line) == [3, 4])
        #expect(posted[0].comments[0].body.hasPrefix("**[MAJOR]** wrong\n\n> one\n> two\n\n<!-- codeforge:m:line -->"))
        #expect(server.violations == [])
    }

    @Test func nomoreThanTwentyStandAtLines() async throws {
        let place = github()
        let result = try await poster().post(
            review((0..<25).map { issue(3, "n\($0)") }), on: 7, at: place, marker: "m")
        #expect(result.comments == 20 && posted[0].comments.count == 20)
        #expect(posted[0].body.contains("- **[MAJOR]** n20 (`a.swift:3`)\n"))
    }

    @Test(arguments: [("approve", "APPROVE"), ("request_changes", "REQUEST_CHANGES"), ("comment", "COMMENT")])
    func aVerdictCountsForTrustedCodeAlone(verdict: String, event: String) async throws {
        let place = github()
        _ = try await poster().post(review(verdict: verdict), on: 7, at: place, marker: "a")
        for untrusted in [true, nil] {
            let review = review(verdict: verdict, untrusted: untrusted)
            _ = try await poster().post(review, on: 7, at: place, marker: "b")
            _ = try await poster(verdicts: true).post(review, on: 7, at: place, marker: "c")
        }
        #expect(posted.map(\.event) == [event, "COMMENT", event, "COMMENT", event])
    }

    @Test func withoutTheListOfFilesEveryPlaceIsTried() async throws {
        let place = github()
        server.fail(.status(500, "{}"), on: "GET", "/files")
        let fine = try await poster().post(review([issue(3), issue(0)]), on: 7, at: place, marker: "m")
        #expect(fine.comments == 1)
        server.fail(.status(500, "{}"), on: "GET", "/files")
        let bad = try await poster().post(review([issue(3, "x"), issue(77, "y")]), on: 7, at: place, marker: "m")
        #expect(bad.comments == 0 && posted[1].comments.isEmpty && posted[1].event == "APPROVE")
        #expect(posted[1].body.contains("x (`a.swift:3`)") && posted[1].body.contains("y (`a.swift:77`)"))
    }

    /// GitHub takes no verdict on one's own pull request.
    @Test func onWhatIsOnesOwnTheVerdictIsAComment() async throws {
        let place = github()
        server.github.pulls[0].author = "octocat"
        _ = try await poster().post(review(verdict: "request_changes"), on: 7, at: place, marker: "m")
        #expect(posted.map(\.event) == ["COMMENT"])
        #expect(server.requests.count { $0.method == "POST" } == 2, "what was refused is not sent again as it was")
    }

    @Test func aRefusalIsToldWithoutTheToken() async throws {
        let place = github()
        server.fail(.status(403, #"{"message":"ghp_good is not allowed"}"#), on: "POST")
        let error = await #expect(throws: ForgeError.self) {
            try await poster().post(review([issue(3)]), on: 7, at: place, marker: "m")
        }
        #expect(error?.status == 403 && error?.message.contains("ghp_good") == false && posted.isEmpty)
    }

    // MARK: GitLab

    @Test func issuesBecomeDiscussions() async throws {
        let place = gitlab()
        let issues = (0..<22).map { issue($0 + 1, "n\($0)") } + [issue(0, "nowhere")]
        let result = try await poster().post(review(issues), on: 7, at: place, marker: "m")
        #expect(result == PostedReview(url: "", comments: 20))
        #expect(discussions.count == 21 && discussions[0].position?.line == 1 && discussions[20].position == nil)
        #expect(discussions[0].position?.version.headSHA == "h1")
        let summary = discussions[20].body
        #expect(summary.contains("n20") && summary.contains("n21") && summary.contains("nowhere"))
        #expect(!summary.contains("n19") && server.violations == [])
    }

    @Test func whatHasNoPlaceInTheDiffIsInTheSummary() async throws {
        let place = gitlab()
        server.fail(.status(400, "{}"), on: "POST", "discussions")
        let result = try await poster().post(review([issue(1, "x"), issue(2, "y")]), on: 7, at: place, marker: "m")
        #expect(result.comments == 1 && discussions.last?.body.contains("x") == true)
    }

    @Test(arguments: [true, false]) func withoutVersionsThereIsTheSummaryAlone(fails: Bool) async throws {
        let place = gitlab()
        if fails {
            server.fail(.status(500, "{}"), on: "GET", "versions")
        } else {
            server.gitlab.mergeRequests[0].versions = []
        }
        let result = try await poster().post(review([issue(1, "x")]), on: 7, at: place, marker: "m")
        #expect(result.comments == 0 && discussions.count == 1 && discussions[0].body.contains("x"))
    }

    @Test func aSummaryThatIsRefusedIsAnError() async throws {
        let place = gitlab()
        server.fail(.status(403, "{}"), on: "POST", "discussions")
        await #expect(throws: ForgeError.self) { try await poster().post(review(), on: 7, at: place, marker: "m") }
    }

    // MARK: Again after a crash

    @Test func nothingIsPostedTwice() async throws {
        let place = github()
        let first = try await poster().post(review([issue(3), issue(4)]), on: 7, at: place, marker: "m")
        let again = try await poster().post(
            review([issue(3), issue(4)]), on: 7, at: place, marker: "m", isRepeated: true)
        #expect(again == first && posted.count == 1)
        _ = try await poster().post(review(), on: 7, at: place, marker: "n", isRepeated: true)
        #expect(posted.count == 2)
    }

    @Test func whatIsMissingOnGitLabIsAdded() async throws {
        let place = gitlab()
        let review = review([issue(1, "x"), issue(2, "y")])
        _ = try await poster().post(review, on: 7, at: place, marker: "m")
        server.gitlab.mergeRequests[0].discussions.remove(at: 1)
        let again = try await poster().post(review, on: 7, at: place, marker: "m", isRepeated: true)
        #expect(again.comments == 2 && discussions.count == 3 && discussions[2].body.contains("y"))
    }

    // MARK: The words

    @Test func hostileWordsHaveNoEffect() {
        let blank = "\u{200B}"
        for (text, harmless) in [
            ("hi @all, a@b.c @ x", "hi @\(blank)all, a@\(blank)b.c @ x"),
            ("/merge\n  /approve\r/close a/b", "\(blank)/merge\n  \(blank)/approve\n\(blank)/close a/b"),
            ("![x](http://e/?s) a![b", "!\(blank)[x](http://e/?s) a!\(blank)[b"),
            ("<img src=x> </div> <!-- a < b <?", "<\(blank)img src=x> <\(blank)/div> <\(blank)!-- a < b <\(blank)?"),
            ("a\u{202E}b\u{0}c\u{1B}[1m\td", "abc[1m\td"), ("x\u{2028}/merge", "x\n\(blank)/merge"),
            ("\u{200F}/merge", "\(blank)/merge"),
        ] {
            #expect(ReviewText.harmless(text) == harmless, "\(text)")
        }
    }

    @Test func theLongestReviewFits() async throws {
        let place = github()
        let long = String(repeating: "@é/\n", count: 2000)
        let issues = (0..<30).map { _ in issue(3, long, suggestion: long) }
        let result = try await poster().post(
            review(issues, summary: String(repeating: "@a", count: 8 * 1024)), on: 7, at: place, marker: "m")
        #expect(result.comments == 20 && posted[0].body.unicodeScalars.count < 65_536)
        #expect(posted[0].body.contains("more issues left out") && posted[0].body.hasSuffix("<!-- codeforge:m:20 -->"))
        #expect(posted[0].comments.allSatisfy { $0.body.unicodeScalars.count < 65_536 })
    }

    @Test func linesAreCountedOnTheNewSide() {
        #expect(DiffLines.lines(Self.patch) == [1, 2, 3, 4])
        #expect(DiffLines.lines("@@ -5,0 +10 @@ f() @@\n+a\n@@ -9 +20,2 @@\n-x\n b\n+c") == [10, 20, 21])
        #expect(DiffLines.lines("+a\n@@ junk\n+b\n@@ -1 +99999999999999999999 @@\n+c") == [])
        #expect(DiffLines.lines("@@ -1 +\(Int.max) @@\n+a\n+b") == [Int.max])
    }

    // MARK: Without a client asking

    private var log: [String] {
        fixture.events.entries(of: "t").map { entry in
            switch entry.body {
            case .event(let json), .done(let json): String(decoding: json, as: UTF8.self)
            }
        }
    }

    private func outbox(_ place: ReviewDestination?) throws -> ReviewOutbox {
        ReviewOutbox(
            store: fixture.store, events: fixture.events, poster: try poster(), callbacks: nil, clock: fixture.clock,
            destination: { _ throws(CodeForgeError) in
                guard let place else { throw CodeForgeError(.invalidArgument, "no token") }
                return place
            })
    }

    private func whileRunning(_ outbox: ReviewOutbox, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await outbox.run() }
            try await body()
            group.cancelAll()
        }
    }

    private func run(_ change: @Sendable (inout CodeTask) -> Void = { _ in }) async throws -> RunID {
        try await fixture.task { task in
            task.type = .prReview
            task.status = .running
            task.attempt = 1
            task.config = TaskConfig()
            task.config?.outputMode = "post_comments"
            task.config?.prNumber = 7
            change(&task)
        }.run
    }

    private func end(_ run: RunID, _ finalizer: RunFinalizer, untrusted: Bool? = false) async throws {
        var outcome = JobOutcome(result: "r", changes: ChangesSummary())
        outcome.review = review([issue(3)], untrusted: untrusted)
        try await finalizer.apply(JobReport(run: run, body: .finished(outcome), time: fixture.clock.now()))
    }

    private func settled() async throws {
        _ = try await eventually("settled") { try await fixture.store.task("t")?.posting == nil ? true : nil }
    }

    @Test func aRunsReviewIsPostedBeforeItsDone() async throws {
        let outbox = try outbox(github())
        let finalizer = fixture.finalizer { outbox.wake() }
        let run = try await run()
        try await whileRunning(outbox) {
            for _ in 1...2 { try await end(run, finalizer) }
            try await settled()
            try await end(run, finalizer)
        }
        #expect(posted.count == 1 && log.count == 4)
        for (entry, word) in zip(log, ["task_completed", "review_parsed", "review_posted", #""status":"completed""#]) {
            #expect(entry.contains(word), "\(entry)")
        }
        #expect(log[2].contains(#""comments_posted":1"#) && log[3].contains("files_modified"))
        #expect(try await fixture.store.task("t")?.status == .completed)
    }

    @Test func aPostingThatFailsLeavesTheTaskCompleted() async throws {
        let outbox = try outbox(nil)
        let run = try await run()
        try await whileRunning(outbox) {
            try await end(run, fixture.finalizer { outbox.wake() })
            try await settled()
        }
        #expect(log[2].contains(#""event":"review_post_failed","data":{"error":"no token"}"#))
        #expect(log.count == 4)
        #expect(try await fixture.store.task("t")?.status == .completed)
    }

    @Test func onlyWhatWasAskedForIsPosted() async throws {
        let changes: [@Sendable (inout CodeTask) -> Void] = [
            { $0.config?.outputMode = "api_only" }, { $0.config?.prNumber = 0 }, { $0.config = nil },
        ]
        for (number, change) in changes.enumerated() {
            let run = try await fixture.task("t\(number)") { task in
                task.type = .review
                task.status = .running
                task.attempt = 1
                task.config = TaskConfig()
                change(&task)
            }.run
            try await end(run, fixture.finalizer)
            #expect(try await fixture.store.task(run.taskID)?.posting == nil)
            #expect(fixture.events.entries(of: run.taskID).count == 3)
        }
    }

    /// Nobody reads it before it is public, so an operator may want to.
    @Test(arguments: [true, false, nil])
    func untrustedReviewsStayWhereTheSettingSaysSo(isUntrusted: Bool?) async throws {
        let run = try await run()
        try await end(run, fixture.finalizer(postsUntrusted: false) {}, untrusted: isUntrusted)
        #expect((try await fixture.store.task("t")?.posting != nil) == (isUntrusted == false))
        #expect(log.contains { $0.contains("review_not_posted") } == (isUntrusted != false))
        #expect(log.contains { $0.contains(#""status":"completed""#) } == (isUntrusted != false))
    }

    /// The server died after GitHub had taken it, or before; or dies each time.
    @Test(arguments: [(1, true), (1, false), (3, false)])
    func aPostingThatWasCutShortGoesOn(attempts: Int, isThere: Bool) async throws {
        let place = github()
        let run = try await run()
        try await end(run, fixture.finalizer)
        let marker = try #require(try await fixture.store.task("t")?.posting?.marker)
        if isThere { _ = try await poster().post(review([issue(3)]), on: 7, at: place, marker: marker) }
        try await fixture.store.update("t") { task throws(CodeForgeError) in
            task.posting?.attempts = attempts
            return nil
        }
        try await whileRunning(try outbox(place)) { try await settled() }
        #expect(posted.count == (attempts < 3 ? 1 : 0))
        #expect(log[2].contains(attempts < 3 ? "review_posted" : "review_post_failed") && log.count == 4)
    }

    /// Before the run's own events are in the log nothing of it may follow.
    @Test func whatIsNotReadyWaits() async throws {
        let place = github()
        let run = try await run { task in
            task.status = .completed
            task.posting = ReviewPosting(run: task.run, marker: "m")
        }
        let outbox = try outbox(place)
        try await whileRunning(outbox) {
            outbox.wake()
            try await Task.sleep(for: .milliseconds(50))
            #expect(posted.isEmpty)
        }
        #expect(try await fixture.store.task("t")?.posting?.run == run)
    }
}
