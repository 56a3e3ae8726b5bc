import Domain
import TestKit
import Testing

@testable import Workflows

/// Runs that an earlier server left in the middle of a step.
@Suite struct RestartTests {
    private func finish(_ rig: RunRig) async throws -> WorkflowRun {
        var end: WorkflowRun?
        try await rig.running { _, _ async throws in end = try await rig.finished("r") }
        return try #require(end)
    }

    private func task(_ rig: RunRig, _ id: String, _ status: TaskStatus, _ change: (inout CodeTask) -> Void = { _ in })
        async throws
    {
        var task = CodeTask(
            id: id, status: status, repoURL: "https://h.example/o/r.git", prompt: "p", workspaceSlug: id,
            createdAt: rig.clock.now())
        change(&task)
        try await rig.record.insert(task)
    }

    @Test func aTaskThatWasMadeIsWaitedFor() async throws {
        let rig = try RunRig()
        let step = rig.task()
        try await task(rig, "t", .completed) { $0.result = "before" }
        try await rig.left([step], records: [rig.record(0, step, task: "t")])
        #expect(try await finish(rig).status == .completed)
        #expect(try await rig.tasks().map(\.id) == ["t"])
        #expect(
            try await rig.steps("r")[0].result == ["task_id": "t", "status": "completed", "result": "before"])
    }

    @Test func aTaskThatWasNotMadeIsMadeUnderItsID() async throws {
        let rig = try RunRig()
        let step = rig.task()
        try await rig.left([step], records: [rig.record(0, step, task: "t")])
        #expect(try await finish(rig).status == .completed)
        #expect(try await rig.tasks().map(\.id) == ["t"])
        #expect(rig.log("r")[1]["data"]?["task_id"] == "t")
    }

    @Test func aStepThatHadNoTaskYetMakesOne() async throws {
        let rig = try RunRig()
        let step = rig.task()
        try await rig.left([step], records: [rig.record(0, step)])
        #expect(try await finish(rig).status == .completed)
        #expect(try await rig.tasks().count == 1)
    }

    @Test(arguments: ["GET", "HEAD"])
    func aFetchThatMayBeRepeatedIs(method: String) async throws {
        let rig = try RunRig { request, _ in .init(body: request.line.hasPrefix("HEAD") ? "" : #"{"title":"t"}"#) }
        let step = rig.fetch("get", ["method": .string(method)])
        try await rig.left([step], records: [rig.record(0, step)])
        #expect(try await finish(rig).status == .completed)
        #expect(rig.server.requests.count == 1)
    }

    @Test func aFetchThatMustNotBeRepeatedIsNot() async throws {
        let rig = try RunRig()
        let step = rig.fetch("get", ["method": "POST"])
        try await rig.left([step], records: [rig.record(0, step)])
        let run = try await finish(rig)
        #expect(run.status == .failed)
        #expect(run.error == "step 'get' failed: interrupted by a restart, not repeated")
        #expect(rig.server.requests.isEmpty)
    }

    @Test func stepsThatAreOverAreNotRepeated() async throws {
        let rig = try RunRig()
        let steps = [rig.fetch(), rig.task("fix", ["prompt": "Fix {{.Steps.get.title}}"])]
        try await rig.left(steps, records: [rig.record(0, steps[0], .completed, result: ["title": "kept"])])
        #expect(try await finish(rig).status == .completed)
        #expect(rig.server.requests.isEmpty)
        #expect(try await rig.tasks().map(\.prompt) == ["Fix kept"])
        #expect(
            rig.names("r") == [
                "workflow_started", "step_started", "step_completed", "step_started", "step_completed", "done",
            ], "with the events that the earlier server did not come to tell")
    }

    @Test func aFailedStepFailsTheRun() async throws {
        let rig = try RunRig()
        let steps = [rig.fetch(), rig.task()]
        var record = rig.record(0, steps[0], .failed)
        record.error = "HTTP 500: no"
        try await rig.left(steps, records: [record])
        #expect(try await finish(rig).error == "step 'get' failed: HTTP 500: no")
        #expect(try await rig.tasks().isEmpty)
    }

    @Test func aPullRequestThatWasMadeIsTaken() async throws {
        let rig = try RunRig()
        let steps = [rig.task(), rig.action()]
        try await task(rig, "t", .prCreated) { ($0.prNumber, $0.prURL, $0.branch) = (3, "https://h/3", "b") }
        try await rig.left(
            steps, records: [rig.record(0, steps[0], .completed, task: "t"), rig.record(1, steps[1], task: "t")])
        #expect(try await finish(rig).status == .completed)
        #expect(rig.played.drafts.withLock { $0 }.isEmpty)
        #expect(
            try await rig.steps("r")[1].result == ["pr_url": "https://h/3", "pr_number": "3", "branch": "b"])
    }

    @Test(arguments: [TaskStatus.prCreated, .failed])
    func aPullRequestInTheMakingIsWaitedFor(status: TaskStatus) async throws {
        let rig = try RunRig()
        let steps = [rig.task(), rig.action()]
        try await task(rig, "t", .creatingPR)
        try await rig.left(
            steps, records: [rig.record(0, steps[0], .completed, task: "t"), rig.record(1, steps[1], task: "t")])
        try await rig.running { _, _ async throws in
            try await eventually("the step") { rig.names("r").count { $0 == "step_started" } == 2 ? () : nil }
            try await rig.record.update("t") { task throws(CodeForgeError) in
                task.status = status
                task.error = status == .failed ? "PR creation failed: no" : nil
                task.prNumber = 5
                return nil
            }
            let run = try await rig.finished("r")
            #expect(run.error == (status == .failed ? "step 'pr' failed: PR creation failed: no" : nil))
        }
        #expect(rig.played.drafts.withLock { $0 }.isEmpty)
    }

    @Test func aPullRequestThatWasNotBegunIsMade() async throws {
        let rig = try RunRig()
        let steps = [rig.task(), rig.action()]
        try await task(rig, "t", .completed)
        try await rig.left(
            steps, records: [rig.record(0, steps[0], .completed, task: "t"), rig.record(1, steps[1])])
        #expect(try await finish(rig).status == .completed)
        #expect(rig.played.drafts.withLock { $0.count } == 1)
    }

    /// As often as it is stopped, wherever it is then: each event is there once, and each thing was done once.
    @Test func aServerThatStopsLeavesTheRunToTheNext() async throws {
        let rig = try RunRig()
        rig.played.outcome.withLock { $0 = { _ in nil } }
        try await rig.add([rig.fetch(), rig.task(), rig.action()])
        try await rig.running { service, _ async throws in
            _ = try await service.run("w", params: [:])
            try await eventually("the task") { try await rig.tasks().isEmpty ? nil : () }
        }
        #expect(try await rig.runs.run("run-1")?.status == .running)
        try await rig.running { _, _ async throws in
            let task = try await eventually("the task") { try await rig.tasks().first { $0.status == .running } }
            try await rig.end(task.id, .completed, "")
            #expect(try await rig.finished("run-1").status == .completed)
        }
        #expect(try await rig.tasks().count == 1 && rig.server.requests.count == 1)
        #expect(
            rig.names("run-1") == RunRig.eventsOfThreeSteps)
    }

    @Test func aRunOfAnotherEncryptionKeyFails() async throws {
        let rig = try RunRig()
        let workflow = Workflow(name: "w", createdAt: rig.clock.now())
        var run = WorkflowRun(id: "r", workflow: workflow, params: [:], createdAt: rig.clock.now())
        run.isReadable = false
        try await rig.runs.insert(run)
        let end = try await finish(rig)
        #expect(end.status == .failed && end.error?.contains("another encryption key") == true)
    }
}
