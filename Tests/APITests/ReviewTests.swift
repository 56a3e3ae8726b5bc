import Domain
import Engine
import HTTPTypes
import HummingbirdTesting
import TestKit
import Testing

@testable import API

@Suite struct ReviewTests {
    @Test(arguments: [nil, "", "{}", #"{"cli":null,"model":"m"}"#, #"{"cli":"codex","unknown":1}"#] as [String?])
    func aReviewIsAccepted(body: String?) async throws {
        var rig = APIRig()
        rig.kept = ["t"]
        try await rig.insert("t", .completed)
        try await rig.application.test(.live) { [rig] client async throws in
            let answer = try await client.ask(.post, "/api/v1/tasks/t/review", body)
            #expect(answer.status == 202 && answer.body == #"{"id":"t","status":"reviewing"}"# + "\n")
            let task = try #require(try await rig.store.task("t"))
            #expect(task.reviewModel == (body?.contains("model") == true ? "m" : nil))
            #expect(try await client.ask(.post, "/api/v1/tasks/t/instruct", #"{"prompt":"x"}"#).status == 409)
            let again = try await client.ask(.post, "/api/v1/tasks/t/review")
            #expect(again.status == 409)
            #expect(again.text("message") == "task is currently reviewing, cannot start review")
        }
    }

    @Test func whatCanNotBeReviewedIsRefused() async throws {
        let rig = APIRig()
        try await rig.insert("gone", .completed)
        try await rig.insert("failed", .failed)
        try await rig.application.test(.router) { client async throws in
            let cases = [
                ("nope", #"{"cli":"nope"}"#, 400, "cli: unknown CLI: nope"),
                ("gone", #"{"cli":"shell"}"#, 400, "cli: shell runs scripts and can't review"),
                ("gone", "{", 400, "invalid JSON body"), ("gone", #"{"model":1}"#, 400, "invalid JSON body"),
                ("nope", "", 404, "task nope not found"),
                ("failed", "", 409, "task has failed, create a new task instead"),
                ("gone", "", 409, "workspace not found for review of task gone: it was deleted"),
            ]
            for (id, body, status, message) in cases {
                let answer = try await client.ask(.post, "/api/v1/tasks/\(id)/review", body)
                #expect(answer.status == status && answer.text("message") == message, "\(answer)")
            }
            let fields = try await client.ask(.post, "/api/v1/tasks/nope/review", #"{"cli":"x"}"#).json["fields"]
            #expect(fields as? [String: String] == ["cli": "unknown CLI: x"])
        }
    }

    @Test func aReviewWithoutIssuesShowsNone() async throws {
        let rig = APIRig()
        try await rig.insert("t", .completed) { task in
            task.review = ReviewResult(
                verdict: "approve", score: 8, summary: "s",
                issues: [], autoFixable: false, reviewedBy: "codex:", durationSeconds: 0.5)
            task.review?.isUntrusted = false
        }
        try await rig.application.test(.router) { client async throws in
            let body = try await client.ask(.get, "/api/v1/tasks/t").body
            let review =
                #""review_result":{"verdict":"approve","score":8,"summary":"s","issues":[],"auto_fixable":false,"#
                + #""reviewed_by":"codex:","duration_seconds":0.5}"#
            #expect(body.contains(review), "\(body)")
        }
    }
}

/// `POST /tasks/{id}/post-review`, against the test server's GitHub.
@Suite struct PostReviewTests {
    private func rig() -> APIRig {
        let forge = ForgeServer.start()
        forge.github.add("acme/app")
        for number in [7, 8, 9] {
            forge.github.addPull(number, in: "acme/app") {
                $0.files = [ChangedFile(path: "a.swift", patch: "@@ -0,0 +1 @@\n+new")]
            }
        }
        return APIRig(forge: forge)
    }

    private func insert(_ rig: APIRig, _ id: String, _ change: (inout CodeTask) -> Void = { _ in }) async throws {
        try await rig.insert(id, .failed) { task in
            task.repoURL = "https://github.com/acme/app.git"
            task.config = TaskConfig()
            task.config?.prNumber = 7
            task.prNumber = 8
            task.review = ReviewResult(
                verdict: "approve", score: 8, summary: "s",
                issues: [ReviewIssue(severity: "minor", file: "a.swift", line: 1, description: "d", suggestion: nil)],
                autoFixable: false, reviewedBy: "codex:", durationSeconds: 0.5)
            change(&task)
        }
        try await rig.secrets.put(TaskSecrets(accessToken: "ghp_good"), for: id)
    }

    @Test(
        arguments: [
            ("a", nil, 7), ("a", "{}", 7), ("a", #"{"pr_number":9}"#, 9), ("a", #"{"pr_number":0}"#, 7), ("b", nil, 8),
        ] as [(String, String?, Int)])
    func aReviewIsPosted(id: String, body: String?, number: Int) async throws {
        let rig = rig()
        try await insert(rig, "a")
        try await insert(rig, "b") { $0.config = nil }
        try await rig.application.test(.live) { client async throws in
            let answer = try await client.ask(.post, "/api/v1/tasks/\(id)/post-review", body)
            #expect(answer.status == 200, "\(answer)")
            #expect(
                answer.text("review_url") == "https://github.com/acme/app/pull/\(number)#pullrequestreview-1")
            #expect(answer.json["comments_posted"] as? Int == 1 && answer.json["pr_number"] as? Int == number)
        }
        let reviews = try #require(rig.forge?.github.pulls.first { $0.number == number }).reviews
        #expect(reviews.map(\.event) == ["COMMENT"], "an old record is of code nobody vouched for")
        #expect(rig.forge?.violations == [])
        #expect(try await rig.store.task(id)?.status == .failed)
    }

    /// In the order of the checks: each task fails the next one as well.
    @Test func whatCanNotBePostedIsRefused() async throws {
        let rig = rig()
        try await insert(rig, "none") { task in
            task.review = nil
            (task.config, task.prNumber) = (nil, nil)
        }
        try await insert(rig, "numberless") { task in
            (task.config, task.prNumber, task.repoURL) = (nil, nil, "https://github.com/x")
        }
        try await insert(rig, "tokenless") { $0.repoURL = "https://github.com/x" }
        try await insert(rig, "keyless") { task in
            (task.providerKey, task.repoURL) = ("gone", "file:///srv/x.git")
        }
        try await insert(rig, "nowhere") { $0.repoURL = "https://github.com/x" }
        try await insert(rig, "local") { $0.repoURL = "file:///srv/x.git" }
        try await insert(rig, "refused") { $0.config?.prNumber = 99 }
        for id in ["tokenless", "keyless"] { try await rig.secrets.put(TaskSecrets(), for: id) }
        try await rig.application.test(.live) { client async throws in
            for (id, status, message) in [
                ("unknown", 404, "task unknown not found"), ("none", 400, "task has no review result: review it first"),
                ("numberless", 400, "pr_number is required: the task has none"),
                ("tokenless", 400, "no access token available: the task has neither a token nor a key"),
                ("keyless", 400, "failed to resolve provider key: key 'gone' not found"),
                ("nowhere", 400, "failed to parse repo URL: cannot extract owner/repo from https://github.com/x"),
                ("local", 500, "failed to post review comments: no known forge: a local repository"),
                ("refused", 500, #"failed to post review comments: GitHub API returned 404: {"message":"Not Found"}"#),
            ] {
                let answer = try await client.ask(.post, "/api/v1/tasks/\(id)/post-review")
                #expect(answer.status == status && answer.text("message") == message, "\(answer)")
            }
            let bad = try await client.ask(.post, "/api/v1/tasks/none/post-review", #"{"pr_number":"7"}"#)
            #expect(bad.status == 400 && bad.text("message") == "invalid JSON body")
        }
    }
}
