import Domain
import TestKit
import Testing

@testable import Engine

@Suite struct RunFinalizerTests {
    private let fixture = EngineFixture()

    private func running(attempt: Int = 1) async throws -> RunID {
        _ = try await fixture.task { task in
            task.status = .running
            task.attempt = attempt
            task.startedAt = fixture.clock.now()
        }
        return RunID(taskID: "t", iteration: 1, attempt: attempt, purpose: .task)
    }

    private func finish(_ run: RunID, _ outcome: JobOutcome) async throws {
        try await fixture.finalizer.apply(JobReport(run: run, body: .finished(outcome), time: fixture.clock.now()))
    }

    private var log: [String] {
        fixture.events.entries(of: "t").map { entry in
            switch entry.body {
            case .event(let json): "event " + String(decoding: json, as: UTF8.self)
            case .done(let json): "done " + String(decoding: json, as: UTF8.self)
            }
        }
    }

    @Test func successIsOnRecordAndTold() async throws {
        let run = try await running()
        try await fixture.workspaces.insert(Workspace(taskID: "t", slug: "s", createdAt: fixture.clock.now()))
        var outcome = JobOutcome(
            result: "fine", changes: ChangesSummary(filesModified: 2), usage: Usage(inputTokens: 3), sessionID: "s",
            workspaceBytes: 7)
        outcome.diff = WorkspaceDiff(text: "diff", isTruncated: true)
        outcome.sessionUsage = Usage(inputTokens: 9)
        try await finish(run, outcome)
        let task = try #require(try await fixture.store.task("t"))
        #expect(task.status == .completed && task.result == "fine" && task.usage?.inputTokens == 3)
        #expect(task.sessionID == "s" && task.sessionCLI == "claude-code" && task.sessionUsage?.inputTokens == 9)
        #expect(try await fixture.store.iterations(of: "t").map(\.status) == [.completed])
        #expect(try await fixture.workspaces.bytes() == 7)
        #expect(try await fixture.workspaces.diff(of: "t", iteration: 1) == outcome.diff)
        #expect(log.count == 2 && log[0].contains("task_completed") && log[1].hasPrefix("done"))
        #expect(fixture.events.expiry(of: "t") == .some(.some(60)))
        #expect(fixture.secrets.expiry(of: "t") == .some(.some(90)), "secrets have a time of their own")
    }

    @Test func anIterationBeganWhenTheWorkerTookItUp() async throws {
        let run = try await running()
        try await fixture.store.update("t") { task throws(CodeForgeError) in
            task.status = .cloning
            return nil
        }
        var outcome = JobOutcome()
        outcome.startedAt = fixture.clock.now()
        fixture.clock.advance(by: .seconds(9))
        try await fixture.finalizer.apply(JobReport(run: run, body: .running, time: fixture.clock.now()))
        try await finish(run, outcome)
        #expect(try await fixture.store.task("t")?.startedAt == fixture.clock.now(), "the CLI's start, for the task")
        #expect(try await fixture.store.iterations(of: "t").first?.startedAt == outcome.startedAt)
    }

    @Test func theSameReportTwiceTellsOnce() async throws {
        let run = try await running()
        try await finish(run, JobOutcome(result: "fine"))
        try await finish(run, JobOutcome(result: "fine"))
        #expect(log.count == 2)
        #expect(try await fixture.store.iterations(of: "t").count == 1)
    }

    @Test func aReportOfAReplacedRunIsIgnored() async throws {
        let run = try await running(attempt: 2)
        try await fixture.workspaces.insert(Workspace(taskID: "t", slug: "s", createdAt: fixture.clock.now()))
        try await finish(
            RunID(taskID: "t", iteration: 1, attempt: 1, purpose: .task),
            JobOutcome(failure: .cli, error: "old", workspaceBytes: 1))
        #expect(try await fixture.workspaces.workspace(of: "t")?.measuredTask == nil)
        #expect(try await fixture.store.task("t")?.status == .running)
        #expect(log.isEmpty)
        try await finish(run, JobOutcome())
        #expect(try await fixture.store.task("t")?.status == .completed)
    }

    @Test func failureKeepsTheLastResult() async throws {
        let run = try await running()
        try await fixture.store.update("t") { task throws(CodeForgeError) in
            task.result = "earlier"
            return nil
        }
        try await finish(run, JobOutcome(failure: .timeout, error: "task timed out after 5s", result: "half"))
        let task = try #require(try await fixture.store.task("t"))
        #expect(task.status == .failed && task.error == "task timed out after 5s" && task.result == "earlier")
        #expect(log[0].contains("task_failed") && log[1].contains(#""status":"failed""#))
    }

    @Test func theProfileInForceIsOnTheIteration() async throws {
        let run = try await running()
        var outcome = JobOutcome(failure: .limit, error: "memory", limit: .memory)
        var profile = SandboxProfile.untrusted
        profile.limits.memoryBytes = 7
        outcome.profile = profile
        outcome.missingLayers = [LayerStatus(layer: .landlock, isPresent: false, detail: "old kernel")]
        try await finish(run, outcome)
        let item = try #require(try await fixture.store.iterations(of: "t").first)
        #expect(item.profile == "untrusted" && item.limit == "memory")
        #expect(item.effectiveProfile?["limits"]?["memory_bytes"] == 7)
        #expect(item.missingLayers?.map(\.layer) == [.landlock])
    }

    @Test func newAuditRecordsWakeFollowers() async throws {
        let trail = fixture.trail
        let waker = Waker()
        let follower = trail.follow("s") { waker.wake() }
        try await trail.append([AuditBatch(run: AuditStoreContract.run(), records: [AuditStoreContract.record(1)])])
        for await _ in waker.wakes { break }
        withExtendedLifetime(follower) {}
    }

    @Test func oldAuditRecordsGo() async throws {
        let run = try await running()
        var record = AuditStoreContract.record(1)
        record.time = fixture.clock.now()
        try await fixture.trail.append([AuditBatch(run: run, records: [record])])
        fixture.clock.advance(by: .seconds(30 * 86_400 - 1))
        await fixture.trail.removeOld()
        #expect(try await fixture.audit.entries(AuditQuery(.task("t"))).count == 1)
        fixture.clock.advance(by: .seconds(2))
        await fixture.trail.removeOld()
        #expect(try await fixture.audit.entries(AuditQuery(.task("t"))).isEmpty)
    }

    @Test func aTaskThatIsGoneDoesNotStopTheProjector() async throws {
        try await finish(RunID(taskID: "gone", iteration: 1, attempt: 1, purpose: .task), JobOutcome())
    }

    @Test func theResultInTheEventIsCutOnACharacter() async throws {
        let run = try await running()
        try await finish(run, JobOutcome(result: String(repeating: "é", count: 1500)))
        #expect(log[0].contains("é...") && !log[0].contains(String(repeating: "é", count: 1001)))
        #expect(Truncation.cut("aé", utf8: 2) == "a...")
    }
}
