import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// Workflows on real servers, sandboxes and git; the forge's API and Sentry are played.
@Suite(.serialized) struct WorkflowTests {
    private let fetch: JSONValue = [
        "name": "get", "type": "fetch",
        "config": [
            "url": "{{repoHost .Params.repo_url}}/api/v4/projects/{{urlEncode (repoPath .Params.repo_url)}}/issues/7",
            "key_name": "bot", "outputs": ["title": "$.title"],
        ],
    ]

    private func task(_ script: String) -> JSONValue {
        [
            "name": "fix", "type": "task",
            "config": [
                "repo_url": "{{.Params.repo_url}}", "prompt": .string(script), "provider_key": "bot", "cli": "shell",
            ],
        ]
    }

    private let pull: JSONValue = [
        "name": "pr", "type": "action",
        "config": ["kind": "create_pr", "task_step_ref": "fix", "title": "fix: {{.Steps.get.title}}"],
    ]

    private let success = [
        "connected", "workflow_started", "step_started", "step_completed", "step_started", "step_completed",
        "step_started", "step_completed", "done",
    ]

    private func with(_ body: (WorkflowFixture) async throws -> Void) async throws {
        try await WorkflowFixture.with { fixture async throws in
            fixture.forge.gitlab.issues["acme/wordstat#7"] = ["title": "Bars are crooked", "iid": 7]
            try await body(fixture)
            #expect(fixture.forge.violations == [])
        }
    }

    @Test func anIssueBecomesAPullRequest() async throws {
        try await with { fixture async throws in
            try await fixture.create("w", [fetch, task("echo '{{.Steps.get.title}}' > fixed.txt"), pull])
            let id = try await fixture.start("w", ["repo_url": fixture.repository])
            let run = try await fixture.finished(id)
            #expect(run["status"] == "completed", "\(run)")
            let steps = run["steps"]?.arrayValue ?? []
            #expect(steps.map { $0["status"] } == ["completed", "completed", "completed"], "\(steps)")
            let request = try #require(fixture.forge.gitlab.mergeRequests.first)
            #expect(request.title == "fix: Bars are crooked")
            #expect(steps.last?["result"]?["branch"]?.stringValue == request.source)
            let show = "git --git-dir '\(fixture.git.bare)' show \(request.source):fixed.txt"
            #expect(try fixture.server.shell(show) == "Bars are crooked\n")
            #expect(try await fixture.names(id) == success)
            let task = try await fixture.server.task(steps[1]["task_id"]?.stringValue ?? "")
            #expect(task["workflow_run_id"]?.stringValue == id && task["status"] == "pr_created")
        }
    }

    @Test func aRunIsCanceledWithItsTask() async throws {
        try await with { fixture async throws in
            try await fixture.create("w", [task("echo up; sleep 600")])
            let id = try await fixture.start("w", ["repo_url": fixture.repository])
            let task = try await fixture.task(ofStep: 0, id)
            try await fixture.server.wait(task, for: "running")
            let answer = try await fixture.server.request("POST", "/api/v1/workflow-runs/\(id)/cancel")
            #expect(answer.status == 200, "\(answer)")
            let run = try await fixture.finished(id)
            #expect(run["status"] == "canceled" && run["error"] == "canceled by user", "\(run)")
            #expect(try await fixture.server.finished(task)["error"] == "canceled by user")
            #expect(try await fixture.names(id).suffix(2) == ["step_canceled", "done"])
        }
    }

    @Test func fiftyRunsAtOnceComeToTheirEnds() async throws {
        let settings = ["CODEFORGE_WORKFLOW__CONCURRENCY": "50", "CODEFORGE_WORKERS__CONCURRENCY": "8"]
        try await WorkflowFixture.with(.gitlab, settings) { fixture async throws in
            fixture.forge.gitlab.issues["acme/wordstat#7"] = ["title": "t"]
            try await fixture.create("w", [fetch, task("echo {{.RunID}}")])
            var ids: [String] = []
            for _ in 1...50 { ids.append(try await fixture.start("w", ["repo_url": fixture.repository])) }
            for id in ids {
                let run = try await fixture.finished(id, seconds: 300)
                #expect(run["status"] == "completed", "\(run)")
                #expect(run["steps"]?.arrayValue?.last?["result"]?["result"]?.stringValue?.contains(id) == true)
            }
        }
    }

    // MARK: Crashes

    @Test func aServerKilledWhileItFetchesFetchesAgain() async throws {
        try await with { fixture async throws in
            try await fixture.create("w", [fetch, task("echo x > x"), pull])
            fixture.forge.fail(.slow(.seconds(3)), on: "GET", "issues")
            let id = try await fixture.start("w", ["repo_url": fixture.repository])
            try await eventually("the fetch") {
                fixture.forge.requests.contains { $0.path.hasSuffix("issues/7") } ? () : nil
            }
            try await fixture.server.restart(signal: SIGKILL)
            #expect(try await fixture.finished(id)["status"] == "completed")
            #expect(fixture.forge.requests.count { $0.path.hasSuffix("issues/7") } == 2)
            #expect(try await fixture.names(id) == success)
        }
    }

    /// Before its task runs, while that runs, and when it ended meanwhile.
    @Test(arguments: ["pending", "running", "ended"])
    func aServerKilledWhileATaskRunsWaitsForIt(moment: String) async throws {
        try await with { fixture async throws in
            try await fixture.create("w", [fetch, task("echo x > x; sleep 2"), pull])
            let id = try await fixture.start("w", ["repo_url": fixture.repository])
            let task = try await fixture.task(ofStep: 1, id)
            if moment != "pending" { try await fixture.server.wait(task, for: "running") }
            if moment == "ended" {
                fixture.server.process.signal(SIGKILL)
                try await fixture.server.process.wait()
                try await eventually("the task's end") { fixture.server.supervisor(of: task) == nil ? () : nil }
                try await fixture.server.restart(signal: 0)
            } else {
                try await fixture.server.restart(signal: SIGKILL)
            }
            let run = try await fixture.finished(id)
            #expect(run["status"] == "completed", "\(run)")
            #expect(run["steps"]?.arrayValue?.map { $0["task_id"]?.stringValue ?? "" } == ["", task, task])
            #expect(try await fixture.server.request("GET", "/api/v1/tasks").json["total"] == 1)
            #expect(fixture.forge.gitlab.mergeRequests.count == 1)
            #expect(try await fixture.names(id) == success)
        }
    }

    @Test func aServerKilledWhileItMakesAPullRequestMakesOne() async throws {
        try await with { fixture async throws in
            try await fixture.create("w", [fetch, task("echo x > x"), pull])
            fixture.forge.fail(.slow(.seconds(3)), on: "POST", "merge_requests")
            let id = try await fixture.start("w", ["repo_url": fixture.repository])
            try await eventually("the forge to be asked", within: .seconds(60)) {
                fixture.forge.requests.contains { $0.method == "POST" } ? () : nil
            }
            try await fixture.server.restart(signal: SIGKILL)
            let run = try await fixture.finished(id)
            #expect(run["status"] == "completed", "\(run)")
            #expect(fixture.forge.gitlab.mergeRequests.count == 1)
            #expect(run["steps"]?.arrayValue?.last?["result"]?["pr_number"] == "1", "\(run)")
            #expect(try await fixture.names(id) == success)
        }
    }
}
