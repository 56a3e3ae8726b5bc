import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import TestKit
import Testing

@testable import API

@Suite struct TaskTests {
    private let good = #"{"repo_url":"file:///srv/x.git","prompt":"p"}"#

    @Test func creatingAnswersThreeMembers() async throws {
        let rig = APIRig()
        try await rig.application.test(.live) { client async throws in
            let answer = try await client.ask(
                .post,
                "/api/v1/tasks",
                """
                {"repo_url":"https://h/o/r.git","prompt":"p","task_type":"plan","access_token":"sec0","unknown":[1],
                 "provider_key":null,"workflow_run_id":"run","config":{"ai_api_key":"key","timeout_seconds":5,
                 "mcp_servers":[{"name":"m","env":{"K":"sec1"},"headers":{"H":"sec2"},"args":["a"]}],
                 "tools":[{"name":"t","config":{"auth_token":"sec3"}}],"max_budget_usd":2.5,"cli":""}}
                """
            )
            #expect(answer.status == 201)
            #expect(answer.headers[.contentType] == "application/json")
            #expect(answer.body.hasSuffix("}\n"))
            #expect(Set(answer.json.keys) == ["id", "status", "created_at"])
            let id = try #require(answer.text("id"))
            let task = try await client.ask(.get, "/api/v1/tasks/\(id)")
            #expect(task.text("task_type") == "plan")
            #expect(task.text("workflow_run_id") == "run")
            #expect(task.json["iteration"] as? Int == 1)
            for secret in ["sec0", "key\"", "sec1", "sec2", "sec3"] { #expect(!task.body.contains(secret)) }
            let config = try #require(task.json["config"] as? [String: Any])
            #expect(Set(config.keys) == ["timeout_seconds", "mcp_servers", "tools", "max_budget_usd"])
            #expect((config["mcp_servers"] as? [[String: Any]])?.first?["env"] as? [String: String] == ["K": "***"])
            for absent in ["result", "error", "provider_key", "usage", "changes_summary", "started_at", "iterations"] {
                #expect(task.json[absent] == nil, "\(absent)")
            }
            let secrets = try await rig.secrets.secrets(of: id)
            #expect(secrets.accessToken == "sec0" && secrets.aiAPIKey == "key")
            #expect(secrets.mcpServers?.first?.env == ["K": "sec1"])
            #expect(secrets.tools?.first?.config == ["auth_token": "sec3"])
        }
    }

    @Test(arguments: [
        "", "{", "[]", "null", #"{"repo_url":1,"prompt":"p"}"#, #"{"repo_url":"file:///x","prompt":"p","config":[]}"#,
        #"{"repo_url":"file:///x","prompt":"p","config":{"timeout_seconds":"5"}}"#,
        #"{"repo_url":"file:///x","prompt":"p","access_token":7}"#,
    ])
    func whatIsNoSuchJSONIsRefused(body: String) async throws {
        try await APIRig().application.test(.live) { client async throws in
            let answer = try await client.ask(.post, "/api/v1/tasks", body)
            #expect(answer.status == 400)
            #expect(answer.body.hasPrefix(#"{"error":"Bad Request","message":"invalid JSON body","request_id":""#))
            #expect(answer.json.count == 3)
        }
    }

    @Test func failingMembersAreAllNamed() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let answer = try await client.ask(.post, "/api/v1/tasks", #"{"repo_url":"not-a-url"}"#)
            #expect(answer.status == 400)
            #expect(answer.text("error") == "Bad Request")
            #expect(answer.text("message") == "repo_url: must be a valid URL")
            #expect(
                answer.json["fields"] as? [String: String] == [
                    "repo_url": "must be a valid URL", "prompt": "field is required",
                ]
            )
        }
    }

    @Test func theLongestPromptFitsHoweverItIsEscaped() async throws {
        try await APIRig().application.test(.live) { client async throws in
            let escaped = String(repeating: #"\ud83d\ude00"#, count: 102_400)
            let body = #"{"repo_url":"file:///x","prompt":""# + escaped + #""}"#
            #expect(try await client.ask(.post, "/api/v1/tasks", body).status == 201)
            let longer = #"{"repo_url":"file:///x","prompt":"\#(String(repeating: "é", count: 102_401))"}"#
            #expect(
                try await client.ask(.post, "/api/v1/tasks", longer).text("message") == "prompt: exceeds maximum length"
            )
        }
    }

    @Test func bodiesOverTheLimitAreRefused() async throws {
        var rig = APIRig()
        rig.maxBodyBytes = 1024
        try await rig.application.test(.live) { client async throws in
            let answer = try await client.ask(.post, "/api/v1/tasks", String(repeating: " ", count: 2000))
            #expect(answer.status == 413)
            #expect(answer.text("message") == "request body is larger than 1024 bytes")
            #expect(try await client.ask(.post, "/api/v1/tasks", good).status == 201)
        }
    }

    @Test func wrongRequestsCountTowardsTheRateToo() async throws {
        var rig = APIRig()
        rig.rateLimit = 2
        try await rig.application.test(.router) { client async throws in
            #expect(try await client.ask(.post, "/api/v1/tasks", good, token: "bad").status == 401)
            #expect(try await client.ask(.post, "/api/v1/tasks", "{").status == 400)
            #expect(try await client.ask(.post, "/api/v1/tasks", good).status == 201)
            let answer = try await client.ask(.post, "/api/v1/tasks", good)
            #expect(answer.status == 429)
            let seconds = try #require(answer.headers[.retryAfter])
            #expect(seconds == "30")
            #expect(answer.text("error") == "rate_limit_exceeded")
            #expect(answer.text("message") == "rate limit exceeded, retry after 30s")
            #expect(try await client.ask(.get, "/api/v1/tasks").status == 200)
        }
    }

    @Test func aWholeTaskShowsEverything() async throws {
        let rig = APIRig()
        try await rig.insert("t1", .completed) { task in
            task.result = String(repeating: "r", count: 5000)
            task.changes = ChangesSummary()
            task.usage = Usage(inputTokens: 1, outputTokens: 2, durationSeconds: 0)
            task.review = ReviewResult(
                verdict: "approve",
                score: 8,
                summary: "s",
                issues: [ReviewIssue(severity: "minor", file: "f", line: 0, description: "d", suggestion: "")],
                autoFixable: false,
                reviewedBy: "codex:",
                durationSeconds: 22.3
            )
            task.iteration = 2
            task.currentPrompt = "more"
            task.config = TaskConfig()
            task.prNumber = 42
            task.startedAt = Timestamp("2026-02-26T18:38:10.991Z")
        }
        try await rig.store.update("t1") { _ throws(CodeForgeError) in
            Iteration(
                number: 1,
                prompt: "do it",
                status: .completed,
                result: String(repeating: "é", count: 1500),
                usage: Usage(),
                startedAt: Timestamp("2026-02-26T18:38:10Z")!
            )
        }
        try await rig.application.test(.router) { client async throws in
            let plain = try await client.ask(.get, "/api/v1/tasks/t1?include=iteration").json
            #expect((plain["result"] as? String)?.count == 5000)
            #expect((plain["changes_summary"] as? [String: Any])?["diff_stats"] as? String == "+0 -0")
            #expect(
                (plain["usage"] as? [String: Int]) == ["input_tokens": 1, "output_tokens": 2, "duration_seconds": 0]
            )
            #expect((plain["config"] as? [String: Any])?.isEmpty == true)
            #expect(plain["pr_number"] as? Int == 42)
            #expect(plain["started_at"] as? String == "2026-02-26T18:38:10.991Z")
            #expect(plain["iterations"] == nil)
            let review = try #require(plain["review_result"] as? [String: Any])
            let issue = try #require((review["issues"] as? [[String: Any]])?.first)
            #expect(Set(issue.keys) == ["severity", "file", "line", "description"])
            #expect(review["duration_seconds"] as? Double == 22.3)
            let full = try await client.ask(.get, "/api/v1/tasks/t1?include=iterations").json
            let iteration = try #require((full["iterations"] as? [[String: Any]])?.first)
            #expect(iteration["result"] as? String == String(repeating: "é", count: 1000) + "...")
            #expect(iteration["error"] == nil)
            #expect(iteration["ended_at"] == nil)
        }
    }

    @Test func listsAreLenientAboutTheirParameters() async throws {
        let rig = APIRig()
        for n in 0..<3 {
            try await rig.insert("t\(n)", n == 0 ? .failed : .completed) { task in
                task.prompt = String(repeating: "ř", count: 150)
                task.createdAt = Timestamp(nanoseconds: Int64(n) * 1_000_000_000)
                task.changes = ChangesSummary(filesCreated: n)
            }
        }
        try await rig.application.test(.router) { client async throws in
            for query in ["", "?limit=x&offset=y", "?limit=0", "?limit=-3&offset=-1", "?limit=9999", "?status="] {
                let json = try await client.ask(.get, "/api/v1/tasks" + query).json
                #expect(
                    (json["tasks"] as? [[String: Any]])?.map { $0["id"] as? String } == ["t2", "t1", "t0"],
                    "\(query)"
                )
                #expect(json["total"] as? Int == 3)
            }
            let page = try await client.ask(.get, "/api/v1/tasks?limit=1&offset=1&status=completed").json
            let item = try #require((page["tasks"] as? [[String: Any]])?.first)
            #expect(item["id"] as? String == "t1")
            #expect(page["total"] as? Int == 2)
            #expect(item["prompt"] as? String == String(repeating: "ř", count: 100) + "...")
            #expect(item["error"] as? String == "")
            #expect(item["changes_summary"] != nil)
            let failed = try await client.ask(.get, "/api/v1/tasks?status=failed").json
            #expect((failed["tasks"] as? [[String: Any]])?.first?["changes_summary"] == nil)
            let none = try await client.ask(.get, "/api/v1/tasks?status=odd")
            #expect(none.body == #"{"tasks":[],"total":0}"# + "\n")
        }
    }

    @Test func unknownTasksAreNotFound() async throws {
        try await APIRig().application.test(.router) { client async throws in
            for (method, path) in [
                (HTTPRequest.Method.get, ""), (.get, "/stream"), (.post, "/cancel"), (.post, "/instruct"),
            ] {
                let answer = try await client.ask(method, "/api/v1/tasks/a%20b" + path, #"{"prompt":"x"}"#)
                #expect(answer.status == 404)
                #expect(answer.text("message") == "task a b not found")
                #expect(answer.text("error") == "Not Found")
                #expect(answer.headers[.contentType] == "application/json")
            }
        }
    }

    @Test func followUpsAndCancelling() async throws {
        let rig = APIRig()
        try await rig.insert("done", .completed)
        try await rig.insert("busy", .running)
        try await rig.application.test(.router) { client async throws in
            let instructed = try await client.ask(.post, "/api/v1/tasks/done/instruct", #"{"prompt":"more"}"#)
            #expect(instructed.body == #"{"id":"done","status":"awaiting_instruction","iteration":2}"# + "\n")
            let empty = try await client.ask(.post, "/api/v1/tasks/done/instruct", "{}")
            #expect(empty.status == 400)
            #expect(empty.text("message") == "prompt is required and must be under 100KB")
            let busy = try await client.ask(.post, "/api/v1/tasks/busy/instruct", #"{"prompt":"more"}"#)
            #expect(busy.status == 409)
            #expect(busy.text("error") == "Conflict")
            let cancelled = try await client.ask(.post, "/api/v1/tasks/busy/cancel")
            #expect(
                cancelled.body
                    == #"{"id":"busy","status":"canceling","message":"task cancellation requested"}"# + "\n"
            )
            #expect(rig.link.cancelRequests.map(\.taskID) == ["busy"])
            let idle = try await client.ask(.post, "/api/v1/tasks/done/cancel")
            #expect(idle.status == 409)
            #expect(idle.text("message") == "task is not running (status: awaiting_instruction)")
        }
    }
}
