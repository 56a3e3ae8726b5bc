import Domain
import TestKit
import Testing

@testable import Workflows

/// Runs that are stopped from outside, by a client or by the clock.
@Suite struct CancelTests {
    /// A run whose step is under way.
    private func underWay(_ rig: RunRig, _ service: WorkflowService, steps: Int) async throws -> String {
        let id = try await service.run("w", params: [:]).id
        try await eventually("the step") {
            rig.names(id).count { $0 == "step_started" } == steps ? () : nil
        }
        return id
    }

    private func expectCanceled(_ rig: RunRig, _ id: String) async throws {
        let run = try await rig.finished(id)
        #expect(run.status == .canceled && run.error == "canceled by user" && run.finishedAt != nil)
        let step = try #require(try await rig.steps(id).last)
        #expect(step.status == .failed && step.error == "canceled" && step.finishedAt != nil)
        #expect(rig.names(id).suffix(2) == ["step_canceled", "done"])
    }

    @Test func aRunThatWaitsIsCanceledAtOnceAndSkipped() async throws {
        let rig = try RunRig()
        try await rig.add([rig.task()])
        let runner = WorkflowRunner(rig.parts, rig.rules)
        let service = rig.service(runner)
        let id = try await service.run("w", params: [:]).id
        try await service.cancel(id)
        let run = try #require(try await rig.runs.run(id))
        #expect(run.status == .canceled && run.error == "canceled by user" && run.startedAt == nil)
        #expect(rig.names(id) == ["done"])
        await #expect(throws: CodeForgeError(.conflict, "run is not active (status: canceled)")) {
            try await service.cancel(id)
        }
        try await rig.running { service, _ async throws in
            _ = try await rig.finished(service.run("w", params: [:]).id)
        }
        #expect(try await rig.tasks().count == 1, "of the other run")
        #expect(try await rig.steps(id).isEmpty)
    }

    @Test func theTaskUnderWayIsCanceledToo() async throws {
        let rig = try RunRig()
        rig.played.outcome.withLock { $0 = { _ in nil } }
        try await rig.add([rig.task(), rig.fetch()])
        try await rig.running { service, _ async throws in
            let id = try await underWay(rig, service, steps: 1)
            let task = try await eventually("the task") { try await rig.tasks().first { $0.status == .running } }
            #expect(try await rig.steps(id).first?.taskID == task.id, "it is on record while it runs")
            try await service.cancel(id)
            try await expectCanceled(rig, id)
            #expect(rig.link.cancelRequests == [task.run])
        }
        #expect(rig.server.requests.isEmpty)
    }

    @Test func aTaskInTheQueueNeverRuns() async throws {
        let rig = try RunRig()
        try await rig.add([rig.task()])
        let runner = WorkflowRunner(rig.parts, rig.rules)
        let service = rig.service(runner)
        // Nobody takes tasks from the queue.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await runner.run() }
            let id = try await underWay(rig, service, steps: 1)
            try await eventually("the task") { try await rig.tasks().isEmpty ? nil : () }
            try await service.cancel(id)
            try await expectCanceled(rig, id)
            group.cancelAll()
        }
        let task = try #require(try await rig.tasks().first)
        #expect(task.status == .failed && task.error == "canceled by user" && task.attempt == 0)
    }

    @Test func aFetchIsCutOff() async throws {
        let rig = try RunRig { _, _ in nil }
        try await rig.add([rig.fetch(), rig.task()])
        try await rig.running { service, _ async throws in
            let id = try await underWay(rig, service, steps: 1)
            _ = try await rig.server.wait(for: 1)
            try await service.cancel(id)
            try await expectCanceled(rig, id)
        }
        #expect(try await rig.tasks().isEmpty)
        #expect(rig.server.requests.count == 1, "and is not repeated")
    }

    @Test func aPullRequestIsNotWaitedFor() async throws {
        let rig = try RunRig()
        rig.played.pull.withLock { $0 = { _, _ in nil } }
        try await rig.add([rig.task(), rig.action()])
        try await rig.running { service, _ async throws in
            let id = try await underWay(rig, service, steps: 2)
            try await service.cancel(id)
            try await expectCanceled(rig, id)
        }
        #expect(try await rig.tasks().first?.status == .completed, "the task did its work")
    }

    @Test func whatIsOverOrUnknownCannotBeCanceled() async throws {
        let rig = try RunRig()
        try await rig.add([])
        try await rig.running { service, _ async throws in
            let id = try await service.run("w", params: [:]).id
            _ = try await rig.finished(id)
            await #expect(throws: CodeForgeError(.conflict, "run is not active (status: completed)")) {
                try await service.cancel(id)
            }
            await #expect(throws: CodeForgeError(.notFound, "workflow run 'x' not found")) {
                try await service.cancel("x")
            }
        }
    }

    @Test func allOfAWorkflowAreCanceled() async throws {
        var rig = try RunRig()
        rig.rules.concurrency = 2
        rig.played.outcome.withLock { $0 = { _ in nil } }
        try await rig.add([rig.task()])
        try await rig.add([rig.task()], as: "other")
        try await rig.running { [rig] service, _ async throws in
            let other = try await service.run("other", params: [:]).id
            var ids: [String] = []
            for _ in 1...3 { ids.append(try await service.run("w", params: [:]).id) }
            try await eventually("the first") { try await rig.runs.run(ids[0])?.status == .running ? () : nil }
            #expect(try await service.cancelAll(of: "w") == 3)
            #expect(try await service.cancelAll(of: "unknown") == 0)
            for id in ids { #expect(try await rig.finished(id).status == .canceled) }
            #expect(try await service.cancelAll(of: "w") == 0)
            #expect(try await rig.runs.run(other)?.status == .running)
        }
    }

    // MARK: The clock

    @Test func aRunThatTakesTooLongFails() async throws {
        var rig = try RunRig()
        rig.rules.maximumSeconds = 60
        rig.played.outcome.withLock { $0 = { _ in nil } }
        try await rig.add([rig.task()])
        try await rig.running { [rig] service, runner async throws in
            let id = try await underWay(rig, service, steps: 1)
            let task = try await eventually("the task") { try await rig.tasks().first { $0.status == .running } }
            rig.clock.advance(by: .seconds(59))
            runner.wake(id)
            rig.clock.advance(by: .seconds(1))
            runner.wake(id)
            let run = try await rig.finished(id)
            #expect(run.status == .failed && run.error == "the run timed out after 60 seconds")
            #expect(try await rig.steps(id).first?.error == run.error)
            #expect(rig.names(id).suffix(2) == ["step_failed", "done"])
            #expect(rig.link.cancelRequests == [task.run])
        }
    }

    @Test func theTimeBeforeARestartCounts() async throws {
        var rig = try RunRig()
        rig.rules.maximumSeconds = 60
        let step = rig.task()
        try await rig.left([step], records: [rig.record(0, step)])
        rig.clock.advance(by: .seconds(61))
        rig.played.outcome.withLock { $0 = { _ in nil } }
        try await rig.running { [rig] _, _ async throws in
            #expect(try await rig.finished("r").error == "the run timed out after 60 seconds")
        }
    }

    @Test func aCancelIsCarriedOutAfterARestart() async throws {
        let rig = try RunRig()
        rig.played.outcome.withLock { $0 = { _ in nil } }
        let step = rig.task()
        try await rig.left([step], records: [rig.record(0, step, task: "t")])
        try await rig.runs.update("r") { run throws(CodeForgeError) in
            run.isCancelRequested = true
            return nil
        }
        try await rig.running { _, _ async throws in try await expectCanceled(rig, "r") }
        #expect(try await rig.tasks().allSatisfy { $0.status == .failed || rig.link.cancelRequests == [$0.run] })
    }
}
