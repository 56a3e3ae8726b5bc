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
