import Domain
import Synchronization
import TestKit
import Testing

@testable import Workflows

/// Runs from their start to their end.
@Suite struct RunTests {
    @Test func stepsRunOneAfterTheOtherAndHandTheirOutputsOn() async throws {
        let rig = try RunRig()
        try await rig.add(
            [
                rig.fetch(path: "/item/{{.Params.id}}"),
                rig.task(
                    "fix", ["prompt": "Fix {{.Steps.get.title}} of {{.RunID}}", "provider_key": "{{.Params.key}}"]),
                rig.action("pr", ["title": "fix: {{.Steps.get.title}}", "description": "#{{.Steps.get.n}}"]),
            ], [WorkflowParameter(name: "id", required: true), WorkflowParameter(name: "key", default: "bot")])
        try await rig.running { service, _ async throws in
            let run = try await service.run("w", params: ["id": "9", "more": "x"])
            #expect(run.status == .pending && run.params == ["id": "9", "key": "bot", "more": "x"])
            let end = try await rig.finished(run.id)
            #expect(end.status == .completed && end.error == nil)
            #expect(end.startedAt != nil && end.finishedAt != nil)
        }
        let task = try #require(try await rig.tasks().first)
        #expect(task.prompt == "Fix Broken of run-1" && task.providerKey == "bot" && task.workflowRunID == "run-1")
        let steps = try await rig.steps("run-1")
        #expect(steps.map(\.name) == ["get", "fix", "pr"])
        #expect(steps.allSatisfy { $0.status == .completed && $0.finishedAt != nil && $0.error == nil })
        #expect(
            steps.map(\.result) == [
                ["title": "Broken", "n": "42", "none": ""],
                ["task_id": task.id, "status": "completed", "result": "done"],
                ["pr_url": "https://h/pull/7", "pr_number": "7", "branch": "cf/\(task.id)"],
            ])
        #expect(steps.map(\.taskID) == [nil, task.id, task.id])
        let draft = try #require(rig.played.drafts.withLock { $0 }.first)
        #expect(draft.title == "fix: Broken" && draft.description == "#42")
        #expect(rig.server.requests.map(\.line) == ["GET /item/9 HTTP/1.1"])
        let log = rig.log("run-1")
        #expect(
            rig.names("run-1") == RunRig.eventsOfThreeSteps)
        #expect(log.dropLast().allSatisfy { $0["type"] == "system" })
        #expect(log[0]["data"] == ["workflow": "w", "run_id": "run-1"])
        #expect(log[1]["data"] == ["step": "get", "type": "fetch"])
        #expect(log[3]["data"] == ["step": "fix", "type": "task", "task_id": .string(task.id)])
        #expect(log[4]["data"] == ["step": "fix"])
        #expect(log.last == ["run_id": "run-1", "status": "completed"])
        #expect(rig.events.expiry(of: "run-1") == .some(86_400))
    }

    @Test func aWorkflowWithoutStepsIsCompleted() async throws {
        let rig = try RunRig()
        try await rig.add([])
        try await rig.running { service, _ async throws in
            #expect(try await rig.finished(service.run("w", params: [:]).id).status == .completed)
        }
    }

    /// The run's error, and that of its last step.
    private func failure(
        _ steps: (RunRig) -> [WorkflowStep], _ prepare: (RunRig) async throws -> Void = { _ in }
    ) async throws -> (run: String?, step: String?, names: [String], steps: Int) {
        let rig = try RunRig()
        try await rig.add(steps(rig))
        try await prepare(rig)
        try await rig.running { service, _ async throws in
            let run = try await rig.finished(service.run("w", params: [:]).id)
            #expect(run.status == .failed)
            #expect(rig.log(run.id).last == ["run_id": "run-1", "status": "failed", "error": .string(run.error ?? "")])
        }
        let run = try await rig.runs.run("run-1")
        let records = try await rig.steps("run-1")
        #expect(records.last?.status == .failed && records.last?.finishedAt != nil)
        return (run?.error, records.last?.error, rig.names("run-1"), records.count)
    }

    @Test func theFirstFailureEndsTheRun() async throws {
        let end = try await failure {
            [$0.fetch(), $0.task(), $0.fetch("more")]
        } _: { rig in
            rig.played.outcome.withLock { $0 = { _ in (.failed, "no luck") } }
        }
        let message = try #require(end.step)
        #expect(message.hasPrefix("task ") && message.hasSuffix(" failed: no luck"))
        #expect(end.run == "step 'fix' failed: " + message)
        #expect(end.steps == 2, "a step that was not reached has no record")
        #expect(
            end.names == [
                "workflow_started", "step_started", "step_completed", "step_started", "step_failed", "done",
            ])
    }

    @Test func anUnknownStepTypeFailsTheRun() async throws {
        let end = try await failure { [$0.step("s", "sleep", [:])] }
        #expect(end.run == "step 's' failed: unknown step type 'sleep'")
        #expect(end.names == ["workflow_started", "step_started", "step_failed", "done"])
    }

    @Test(arguments: [
        ("repo_url", "{{.Params.x}}"), ("prompt", "{{.Steps.none.x}}"), ("prompt", ""), ("repo_url", ""),
    ])
    func aWrongMemberOfATaskFailsItsStep(member: String, text: String) async throws {
        let end = try await failure { [$0.task("fix", [member: .string(text)])] }
        #expect(end.step?.contains(member) == true, "\(end)")
        #expect(end.names == ["workflow_started", "step_started", "step_failed", "done"])
    }

    @Test func membersThatMayBeMissingAreEmptyWhenTheyAreWrong() async throws {
        let rig = try RunRig()
        try await rig.add([
            rig.task(
                "fix", ["provider_key": "{{.Params.none}}", "task_type": "{{.Params.none}}", "cli": "{{.Params.x}}"])
        ])
        try await rig.running { service, _ async throws in
            #expect(try await rig.finished(service.run("w", params: [:]).id).status == .completed)
        }
        let task = try #require(try await rig.tasks().first)
        #expect(task.providerKey == nil && task.type == .code && task.config?.cli == nil)
    }

    @Test func declaredParametersAreEmptyWhenLeftOut() async throws {
        let rig = try RunRig()
        try await rig.add(
            [rig.task("fix", ["prompt": "Fix {{.Params.focus}}!"])], [WorkflowParameter(name: "focus")])
        try await rig.running { service, _ async throws in
            #expect(try await rig.finished(service.run("w", params: [:]).id).status == .completed)
        }
        #expect(try await rig.tasks().map(\.prompt) == ["Fix !"])
        #expect(try await rig.runs.run("run-1")?.params == [:])
    }

    @Test func aLongResultIsCut() async throws {
        let rig = try RunRig()
        rig.played.outcome.withLock { $0 = { _ in (.completed, String(repeating: "é", count: 1200)) } }
        try await rig.add([rig.task()])
        try await rig.running { service, _ async throws in _ = try await rig.finished(service.run("w", params: [:]).id)
        }
        #expect(try await rig.steps("run-1")[0].result["result"] == String(repeating: "é", count: 1000) + "...")
    }

    @Test func aTaskWorksInTheWorkspaceOfAnEarlierOne() async throws {
        let rig = try RunRig()
        try await rig.add([
            rig.task("one"), rig.task("two", ["workspace_task_ref": "one", "access_token": "sesame"]),
        ])
        try await rig.running { service, _ async throws in _ = try await rig.finished(service.run("w", params: [:]).id)
        }
        let tasks = try await rig.tasks()
        #expect(tasks.count == 2 && tasks[1].config?.workspaceTaskID == tasks[0].id)
        #expect(try await rig.secrets.secrets(of: tasks[1].id).accessToken == "sesame")
        let end = try await failure { [$0.fetch(), $0.task("two", ["workspace_task_ref": "get"])] }
        #expect(end.step == "workspace_task_ref: no step 'get' with a task ran before")
    }

    @Test func toolsGetTheTokenOfTheirKey() async throws {
        let rig = try RunRig()
        try await rig.add([
            rig.task("fix", ["tools": [["name": "sentry"]], "tool_key_ref": "{{.Params.key}}"])
        ])
        // Of the same name, and for another place: not the tool's.
        let other = RegisteredKey(name: "s", provider: .github, base: nil, createdAt: rig.clock.now())
        _ = try await rig.keys.insert(other, sealedToken: ReversingSecretBox().seal("ghp"))
        let key = try RegisteredKey(
            name: "s", provider: .sentry, base: ForgeBase("https://s.corp", provider: .sentry),
            createdAt: rig.clock.now())
        _ = try await rig.keys.insert(key, sealedToken: ReversingSecretBox().seal("sntrys"))
        try await rig.running { service, _ async throws in
            for key in ["s", "unknown"] {
                #expect(
                    try await rig.finished(service.run("w", params: ["key": key]).id).status == .completed)
            }
        }
        let tasks = try await rig.tasks()
        #expect(
            try await rig.secrets.secrets(of: tasks[0].id).tools == [
                .init(name: "sentry", config: ["auth_token": "sntrys"])
            ])
        #expect(tasks[0].config?.tools?.first?.config == ["auth_token": "***"])
        #expect(try await rig.secrets.secrets(of: tasks[1].id).tools == nil)
    }

    @Test(
        arguments: [
            (["kind": "merge"], "kind: unknown kind 'merge'"),
            (["task_step_ref": "none"], "task_step_ref: no step 'none' with a task ran before"),
        ] as [([String: JSONValue], String)])
    func aWrongActionFails(config: [String: JSONValue], message: String) async throws {
        let end = try await failure { [$0.task(), $0.action("pr", config)] }
        #expect(end.step?.contains(message) == true, "\(end)")
    }

    @Test func aPullRequestThatCannotBeMadeFailsTheRun() async throws {
        let end = try await failure {
            [$0.task(), $0.action()]
        } _: { rig in
            rig.played.pull.withLock {
                $0 = { _, _ in .failure(CodeForgeError(.invalidArgument, "no changes to create PR for")) }
            }
        }
        #expect(end.run == "step 'pr' failed: no changes to create PR for")
    }

    @Test(arguments: [(72, 72), (73, 72)])
    func aLongTitleIsCut(length: Int, result: Int) async throws {
        let rig = try RunRig()
        try await rig.add([rig.task(), rig.action("pr", ["title": .string(String(repeating: "t", count: length))])])
        try await rig.running { service, _ async throws in _ = try await rig.finished(service.run("w", params: [:]).id)
        }
        let title = try #require(rig.played.drafts.withLock { $0 }.first?.title)
        #expect(title.utf8.count == result && title.hasSuffix("...") == (length > 72))
    }

    // MARK: Several

    @Test func runsStartInOrderAndOnlySoManyAtATime() async throws {
        var rig = try RunRig()
        rig.rules.concurrency = 2
        rig.played.outcome.withLock { $0 = { _ in nil } }
        try await rig.add([rig.task()])
        try await rig.running { [rig] service, _ async throws in
            for _ in 1...4 { _ = try await service.run("w", params: [:]) }
            let first = try await eventually("two tasks") {
                let tasks = try await rig.tasks().filter { $0.status == .running }
                return tasks.count == 2 ? tasks : nil
            }
            #expect(first.map(\.workflowRunID).sorted { $0 ?? "" < $1 ?? "" } == ["run-1", "run-2"])
            #expect(try await service.runs(of: "w").map(\.status) == [.pending, .pending, .running, .running])
            try await rig.end(first[0].id, .completed, "")
            let third = try await eventually("the third") { try await rig.tasks().count == 3 ? rig.tasks()[2] : nil }
            #expect(third.workflowRunID == "run-3")
            #expect(try await rig.runs.run("run-4")?.status == .pending)
        }
    }

    @Test func fiftyAtOnceComeToTheirEnds() async throws {
        var rig = try RunRig()
        rig.rules.concurrency = 50
        try await rig.add([rig.fetch(), rig.task(), rig.action()])
        try await rig.running { [rig] service, _ async throws in
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 1...50 { group.addTask { try await service.run("w", params: [:]).id } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for id in ids { #expect(try await rig.finished(id).status == .completed) }
        }
        #expect(try await rig.tasks().count == 50 && rig.server.requests.count == 50)
    }

    @Test func aRecordThatIsAwayForAWhileFailsNothing() async throws {
        let rig = try RunRig()
        try await rig.add([rig.fetch(), rig.task()])
        try await rig.running { service, _ async throws in
            let run = try await service.run("w", params: [:])
            rig.runs.failUpdates(2)
            #expect(try await rig.finished(run.id).status == .completed)
        }
        #expect(rig.server.requests.count == 1)
    }
}
