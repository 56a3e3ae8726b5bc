import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// Reviews by a real server, in real sandboxes.
@Suite(.serialized) struct ReviewTests {
    private static let review =
        #"{"verdict":"request_changes","score":4,"summary":"Hm.","issues":[{"severity":"major","file":"src/a.py","#
        + #""line":3,"description":"wrong"}],"auto_fixable":true}"#

    private func start(_ server: ServerFixture, _ id: String, _ body: JSONValue? = nil) async throws {
        let answer = try await server.request("POST", "/api/v1/tasks/\(id)/review", body)
        #expect(answer.status == 202 && answer.json["status"] == "reviewing", "\(answer)")
    }

    /// A program that plays Claude Code.
    private func stub(_ server: String, _ script: String) throws -> [String: String] {
        let path = "/tmp/cf-stub-\(server)"
        try "#!/bin/bash\n\(script)\n".write(toFile: path, atomically: false, encoding: .utf8)
        chmod(path, 0o755)
        return ["CODEFORGE_CLI__CLAUDE_CODE__PATH": path]
    }

    /// The real Claude Code and the real Codex review what another run did, and then the follow-up goes on.
    @Test(arguments: AgentTests.agents)
    func aRealCLIReviewsWhatATaskDid(cli: String) async throws {
        let model = try await ModelFixture(
            """
            scenarios:
              - match: "git diff HEAD~1"
                turns:
                  - run: |-
                      git diff HEAD; git status --short; touch /workspace/mine && echo WRITABLE
                  - say: |-
                      Here it is, after {result}:
                      ```json
                      \(Self.review)
                      ```
            """)
        try await ServerFixture.with(model.settings) { server in
            let id = try await server.create(
                "echo changed >> README.md; echo new > new", repo: try server.makeRepository())
            let before = try await server.finished(id)
            try await start(server, id, ["cli": .string(cli), "model": "m1"])
            let task = try await server.finished(id)
            #expect(task["status"] == "completed" && task["iteration"] == 1, "\(task)")
            let review = try #require(task["review_result"])
            #expect(review["verdict"] == "request_changes" && review["score"] == 4 && review["auto_fixable"] == true)
            #expect(review["reviewed_by"]?.stringValue == "\(cli):m1")
            #expect(review["issues"]?.arrayValue?.first?["line"] == 3)
            let result = task["result"]?.stringValue ?? ""
            #expect(result.contains("+changed") && result.contains("?? new"), "\(result)")
            #expect(!result.contains("WRITABLE"), "\(result)")
            #expect(task["changes_summary"] == before["changes_summary"])
            #expect(task["usage"]?["input_tokens"]?.intValue ?? 0 > 0)
            let names = try await server.frames(id).map(\.name)
            let tail = names.drop { $0 != "review_started" }
            #expect(tail.contains("output") && Array(tail.suffix(2)) == ["review_completed", "done"], "\(names)")
            #expect(names.count { $0 == "cli_started" } == 1)
            #expect(try await server.task(id, iterations: true)["iterations"]?.arrayValue?.count == 1)

            let more = try await server.request("POST", "/api/v1/tasks/\(id)/instruct", ["prompt": "cat README.md"])
            #expect(more.status == 200)
            #expect(try await server.finished(id)["result"] == "hello\nchanged")
        }
    }

    @Test func aReviewTasksAnswerIsItsReview() async throws {
        try await ServerFixture.with { server in
            let repo = try server.makeRepository()
            let id = try await server.create(
                "echo '\(Self.review)'", repo: repo, extra: ["task_type": "review"])
            let task = try await server.finished(id)
            #expect(task["review_result"]?["verdict"] == "request_changes", "\(task)")
            #expect(task["review_result"]?["reviewed_by"] == "shell:" && task["result"]?.stringValue == Self.review)
            #expect(try await server.frames(id).suffix(3).map(\.name) == ["task_completed", "review_parsed", "done"])
            let none = try await server.create("echo nothing", repo: repo, extra: ["task_type": "review"])
            let fallback = try await server.finished(none)["review_result"]
            #expect(fallback?["score"] == 0 && fallback?["summary"] == "nothing" && fallback?["issues"] == [])
            let metrics = try await server.request("GET", "/metrics").json.stringValue ?? ""
            #expect(metrics.contains("codeforge_review_parse_failures_total 1"), "\(metrics)")
        }
    }

    /// Canceled, timed out, failed, and with its server killed in between.
    @Test func aReviewThatFailsFailsTheTask() async throws {
        let name = UUID().uuidString
        let settings = try stub(name, "echo '{\"type\":\"system\"}'; [ -e stop ] && exit 3; sleep 1000")
        defer { try? FileManager.default.removeItem(atPath: "/tmp/cf-stub-\(name)") }
        try await ServerFixture.with(settings) { server in
            let repo = try server.makeRepository()
            let cancelled = try await server.create("true", repo: repo)
            let late = try await server.create("true", repo: repo, config: ["timeout_seconds": 4])
            let broken = try await server.create("touch stop", repo: repo)
            for id in [cancelled, late, broken] {
                #expect(try await server.finished(id)["status"] == "completed")
                try await start(server, id)
            }
            try await server.stream(cancelled) { $0.name != "review_started" }
            let cancel = try await server.request("POST", "/api/v1/tasks/\(cancelled)/cancel")
            #expect(cancel.status == 200, "\(cancel)")
            for (id, error, event) in [
                (cancelled, "review canceled by user", "review_canceled"),
                (late, "review timed out after 4s", "review_timeout"),
                (broken, "review CLI execution failed: claude CLI exited with code 3", "task_failed"),
            ] {
                let task = try await server.finished(id)
                #expect(task["status"] == "failed" && task["error"]?.stringValue == error, "\(task)")
                let names = try await server.frames(id).map(\.name)
                #expect(names.contains(event) && names.suffix(2) == ["task_failed", "done"], "\(names)")
                #expect(try await server.task(id, iterations: true)["iterations"]?.arrayValue?.count == 1)
            }
        }
    }

    @Test func aReviewOutlivesItsServer() async throws {
        let name = UUID().uuidString
        let line = #"{"type":"result","subtype":"success","result":"{\"verdict\":\"approve\",\"score\":9}"}"#
        let settings = try stub(name, "echo '{\"type\":\"system\"}'; sleep 3; echo '\(line)'")
        defer { try? FileManager.default.removeItem(atPath: "/tmp/cf-stub-\(name)") }
        try await ServerFixture.with(settings) { server in
            let id = try await server.create("true", repo: try server.makeRepository())
            _ = try await server.finished(id)
            try await start(server, id)
            try await server.stream(id) { $0.name != "review_started" }
            try await server.restart(signal: SIGKILL)
            let task = try await server.finished(id)
            #expect(task["status"] == "completed" && task["review_result"]?["score"] == 9, "\(task)")
            #expect(try await server.frames(id).count { $0.name == "review_completed" } == 1)
        }
    }

    /// By itself, once, though the server is killed while GitLab has it; and again when a client asks.
    @Test func aReviewIsPostedOnce() async throws {
        let git = try await GitFixture()
        let forge = ForgeServer.start()
        forge.gitlab.accounts[git.password] = forge.gitlab.accounts["glpat-good"]
        forge.gitlab.add("acme/wordstat")
        forge.gitlab.addMergeRequest(7, in: "acme/wordstat")
        let host = String(git.url.dropFirst("http://".count))
        let settings = [
            "CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS": "\(host),\(forge.authority)",
            "CODEFORGE_GIT__PROVIDER_DOMAINS": #"{"127.0.0.1":"gitlab"}"#,
            "CODEFORGE_FORGES__GITLAB_API_URL": forge.gitlabAPI,
        ]
        func count() -> Int { forge.gitlab.mergeRequests[0].discussions.count }
        try await ServerFixture.with(settings) { server in
            forge.fail(.slow(.seconds(2)), on: "POST", "discussions")
            let id = try await server.create(
                "echo '\(Self.review)'", repo: git.repository,
                config: ["output_mode": "post_comments", "pr_number": 7],
                extra: ["task_type": "review", "access_token": .string(git.password)])
            _ = try await eventually("posting began") {
                forge.requests.contains { $0.path.contains("discussions") } ? true : nil
            }
            try await server.restart(signal: SIGKILL)
            let names = try await server.frames(id).map(\.name)
            #expect(try await server.finished(id)["status"] == "completed")
            _ = try await eventually("posted") { count() == 2 ? true : nil }
            _ = try await eventually("told") {
                try await server.frames(id).map(\.name).suffix(2) == ["review_posted", "done"] ? true : nil
            }
            #expect(count() == 2, "\(names)")
            let discussions = forge.gitlab.mergeRequests[0].discussions
            #expect(discussions.contains { $0.position?.line == 3 && $0.position?.path == "src/a.py" })
            let again = try await server.request("POST", "/api/v1/tasks/\(id)/post-review")
            #expect(
                again.status == 200 && again.json == ["review_url": "", "comments_posted": 1, "pr_number": 7],
                "\(again)")
            #expect(count() == 4 && forge.violations == [])
        }
        try await git.stop()
    }
}
