import Domain
import ServiceLifecycle
import Synchronization
import TestKit
import Testing

@testable import Engine

@Suite struct SchedulerTests {
    private let fixture = EngineFixture()

    private func status(_ id: String) async throws -> TaskStatus? { try await fixture.store.task(id)?.status }

    private func create() async throws -> String {
        try await fixture.service.create(TaskDraft(repoURL: "https://github.com/o/r.git", prompt: "do")).id
    }

    @Test func aQueuedTaskGetsASupervisorAndItsEnd() async throws {
        try await fixture.whileRunning(fixture.scheduler()) {
            let id = try await create()
            try await until("spawned") { fixture.spawner.specs.count == 1 }
            #expect(try await status(id) == .cloning)
            let run = fixture.spawner.specs[0].run
            fixture.reports.send(JobReport(run: run, body: .running, time: fixture.clock.now()))
            try await until("running") { try await status(id) == .running }
            fixture.reports.send(
                JobReport(run: run, body: .finished(JobOutcome(result: "r")), time: fixture.clock.now()))
            try await until("completed") { try await status(id) == .completed }
            fixture.spawner.end(0, how: "exit status 0")
        }
    }

    @Test func whatARunDidIsOnRecordBeforeItsEndAndOnce() async throws {
        try await fixture.whileRunning(fixture.scheduler()) {
            let id = try await create()
            try await until("spawned") { fixture.spawner.specs.count == 1 }
            let run = fixture.spawner.specs[0].run
            let other = AuditStoreContract.run("another")
            let bodies: [(RunID, JobReport.Body)] = [
                (run, .audit([AuditStoreContract.record(1), AuditStoreContract.record(2)])),
                (other, .audit([AuditStoreContract.record(1)])),
                (run, .audit([AuditStoreContract.record(2), AuditStoreContract.record(3)])),
                (run, .finished(JobOutcome(result: "r"))), (other, .audit([AuditStoreContract.record(2)])),
            ]
            for (run, body) in bodies {
                fixture.reports.send(JobReport(run: run, body: body, time: fixture.clock.now()))
            }
            try await until("completed") { try await status(id) == .completed }
            #expect(try await fixture.audit.entries(AuditQuery(.task(id))).map(\.record.number) == [1, 2, 3])
            try await until("all acknowledged") { fixture.reports.count == 0 }
            #expect(try await fixture.audit.entries(AuditQuery(.task("another"))).count == 2)
            fixture.spawner.end(0, how: "exit status 0")
        }
    }

    @Test func noMoreThanTheLimitRunAtOnce() async throws {
        try await fixture.whileRunning(fixture.scheduler(concurrency: 1)) {
            _ = try await fixture.task("a")
            _ = try await fixture.task("b")
            try await fixture.queue.enqueue("a")
            try await fixture.queue.enqueue("b")
            try await until("first") { fixture.spawner.specs.count == 1 }
            try await Task.sleep(for: .milliseconds(100))
            #expect(fixture.spawner.specs.map(\.taskID) == ["a"])
            fixture.reports.send(
                JobReport(run: fixture.spawner.specs[0].run, body: .finished(JobOutcome()), time: fixture.clock.now()))
            try await until("second") { fixture.spawner.specs.map(\.taskID) == ["a", "b"] }
        }
    }

    @Test func duplicateAndUnknownEntriesStartNothing() async throws {
        _ = try await fixture.task("a")
        for id in ["a", "a", "ghost", "a"] { try await fixture.queue.enqueue(id) }
        try await fixture.whileRunning(fixture.scheduler()) {
            try await until("drained") { try await fixture.queue.depth() == 0 }
            #expect(fixture.spawner.specs.count == 1)
        }
    }

    @Test func aLostSupervisorIsReplacedOnceThenTheTaskFails() async throws {
        // Behind each what it left is cleaned up, before another starts.
        let cleaned = Mutex<[Int]>([])
        let scheduler = fixture.scheduler(onLost: { [fixture] in
            cleaned.withLock { $0.append(fixture.spawner.specs.count) }
        })
        try await fixture.whileRunning(scheduler) {
            let id = try await create()
            try await until("first") { fixture.spawner.specs.count == 1 }
            fixture.spawner.end(0, how: "signal 9")
            try await until("second") { fixture.spawner.specs.count == 2 }
            #expect(fixture.spawner.specs[1].attempt == 2)
            fixture.spawner.end(1, how: "signal 9")
            try await until("failed") { try await status(id) == .failed }
            #expect(try await fixture.store.task(id)?.error == "supervisor lost (signal 9) in attempt 2 of 2")
            #expect(cleaned.withLock { $0 } == [1, 2])
        }
    }

    @Test func aRunWithALeaseIsAdoptedAndOneWithoutIsStartedAgain() async throws {
        for id in ["alive", "dead"] {
            _ = try await fixture.task(id) { task in
                task.status = .running
                task.attempt = 1
            }
        }
        fixture.link.holdLease(RunID(taskID: "alive", iteration: 1, attempt: 1, purpose: .task))
        try await fixture.whileRunning(fixture.scheduler()) {
            try await until("restarted") { fixture.spawner.specs.count == 1 }
            #expect(fixture.spawner.specs[0].taskID == "dead" && fixture.spawner.specs[0].attempt == 2)
            #expect(try await status("alive") == .running)
        }
    }

    @Test func aWaitingTaskThatTheQueueLostIsFound() async throws {
        _ = try await fixture.task("forgotten")
        try await fixture.whileRunning(fixture.scheduler()) {
            try await until("started") { fixture.spawner.specs.map(\.taskID) == ["forgotten"] }
        }
    }

    @Test func aSupervisorThatCannotStartFailsTheTaskWithTheReason() async throws {
        fixture.spawner.fail(with: CodeForgeError(.unavailable, "cannot start it"))
        try await fixture.whileRunning(fixture.scheduler()) {
            let id = try await create()
            try await until("failed") { try await status(id) == .failed }
            #expect(try await fixture.store.task(id)?.error == "cannot start it")
        }
    }

    @Test func nobodyTouchesTheFilesOfARun() async throws {
        let scheduler = fixture.scheduler()
        _ = try await fixture.task { task in
            task.status = .running
            task.attempt = 1
        }
        try await fixture.whileRunning(scheduler) {
            try await eventually("the run to be adopted") { await scheduler.hasRuns ? () : nil }
            await #expect(throws: CodeForgeError.self) { try await scheduler.whileIdle(["x", "t"]) {} }
            let done = Mutex(false)
            try await scheduler.whileIdle(["x"]) { done.withLock { $0 = true } }
            #expect(done.withLock { $0 })
            await scheduler.ended(RunID(taskID: "t", iteration: 1, attempt: 1, purpose: .task))
            try await scheduler.whileIdle(["t"]) {}
        }
    }

    @Test func aCloneIsOnRecordAsAWorkspace() async throws {
        let task = try await fixture.service.create(TaskDraft(repoURL: "https://h/o/r", prompt: "p"))
        try await fixture.whileRunning(fixture.scheduler()) {
            let workspace = try await eventually("the workspace") {
                try await fixture.workspaces.workspace(of: task.id)
            }
            #expect(workspace.slug == task.workspaceSlug && workspace.createdAt == fixture.clock.now())
        }
    }
}
