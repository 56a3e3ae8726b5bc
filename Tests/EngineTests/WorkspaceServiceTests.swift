import Domain
import Synchronization
import TestKit
import Testing

@testable import Engine

@Suite struct WorkspaceServiceTests {
    private let fixture = EngineFixture()
    private let files = InMemoryWorkspaceFiles()

    private func service(
        ttl: Int = 100, warning: Int = 1000, critical: Int = 1_000_000,
        whileIdle: @escaping WorkspaceService.IdleGuard = { _, body throws(CodeForgeError) in try body() }
    ) -> WorkspaceService {
        WorkspaceService(
            configuration: .init(
                ttl: ttl, warningBytes: warning, criticalBytes: critical, interval: 600, runTTL: 60),
            tasks: fixture.store, store: fixture.workspaces, files: files, clock: fixture.clock, whileIdle: whileIdle)
    }

    /// A task with a workspace that is so many seconds old.
    private func workspace(
        _ id: String, _ status: TaskStatus = .completed, age: Int = 0, bytes: Int? = 500,
        change: (inout CodeTask) -> Void = { _ in }
    ) async throws {
        let task = try await fixture.task(id) { task in
            task.status = status
            change(&task)
        }
        let created = Timestamp(nanoseconds: fixture.clock.now().nanoseconds - Int64(age) * 1_000_000_000)
        try await fixture.workspaces.insert(Workspace(taskID: id, slug: task.workspaceSlug, createdAt: created))
        files.add(slug: task.workspaceSlug, volumeBytes: bytes)
    }

    private var kept: [String] {
        get async throws { try await fixture.workspaces.workspaces().map(\.taskID).sorted() }
    }

    private func expectFilesMatchTheRecord() async throws {
        let slugs = Set(try await fixture.workspaces.workspaces().map(\.slug))
        #expect(try await files.slugs() == slugs)
    }

    @Test func expiredWorkspacesGoUnlessSomebodyWorksInThem() async throws {
        try await workspace("fresh", age: 99)
        try await workspace("old", age: 100)
        try await workspace("failed", .failed, age: 200)
        for status in [TaskStatus.running, .cloning, .reviewing, .creatingPR, .pending, .awaitingInstruction] {
            try await workspace("\(status)", status, age: 300)
        }
        try await workspace("reused", age: 400)
        try await workspace("guest", .running) { task in
            task.config = TaskConfig()
            task.config?.workspaceTaskID = "reused"
        }
        try await service().sweep()
        #expect(
            try await kept == [
                "awaitingInstruction", "cloning", "creatingPR", "fresh", "guest", "pending", "reused", "reviewing",
                "running",
            ])
        try await expectFilesMatchTheRecord()
        #expect(files.discarded == 2)
    }

    @Test func aFullDiskTakesTheOldestThatAreNotInUse() async throws {
        try await workspace("oldest", .running, age: 50, bytes: 900)
        for (id, age) in [("second", 40), ("third", 30), ("fourth", 20)] { try await workspace(id, age: age) }
        try await service(critical: 1400).sweep()
        #expect(try await kept == ["fourth", "oldest"])
        try await service(critical: 0).sweep()
        #expect(try await kept == ["oldest"])
    }

    @Test func theSizeOfADirectoryIsTheOneOnRecord() async throws {
        for (id, age) in [("a", 2), ("b", 1)] {
            try await workspace(id, age: age, bytes: nil)
            try await fixture.workspaces.record(
                WorkspaceMeasurement(taskID: id, iteration: 1, usedTaskID: nil, bytes: 600, diff: nil))
        }
        try await service(critical: 1000).sweep()
        #expect(try await kept == ["b"])
    }

    @Test func whatIsNotOnRecordIsAdoptedAndWhatIsGoneForgotten() async throws {
        let task = try await fixture.task("lost") { $0.status = .completed }
        files.add(slug: task.workspaceSlug)
        files.add(slug: "somebody-elses")
        try await fixture.workspaces.insert(Workspace(taskID: "gone", slug: "gone", createdAt: fixture.clock.now()))
        try await service().sweep()
        #expect(try await kept == ["lost"])
        #expect(try await files.slugs() == [task.workspaceSlug, "somebody-elses"], "what is not ours stays")
        fixture.clock.advance(by: .seconds(101))
        try await service().sweep()
        #expect(try await files.slugs() == ["somebody-elses"])
    }

    @Test func homesOfGuestsGoWithTheirTime() async throws {
        for id in ["guest", "busy"] { _ = try await fixture.task(id) { $0.status = id == "busy" ? .running : .failed } }
        for id in ["guest", "busy", "unknown"] { files.add(taskID: id) }
        try await service().sweep()
        #expect(try await files.taskIDs() == ["guest", "busy"])
        fixture.clock.advance(by: .seconds(101))
        try await service().sweep()
        #expect(try await files.taskIDs() == ["busy"])
    }

    @Test func stateDirectoriesOfEndedRunsGo() async throws {
        for (id, status) in [("a", TaskStatus.completed), ("b", .running), ("c", .creatingPR), ("d", .failed)] {
            _ = try await fixture.task(id) { $0.status = status }
            files.add(run: id)
        }
        files.add(run: "unknown")
        try await service().sweepRuns()
        #expect(try await files.runs(unchangedFor: 0) == ["b", "c"])
    }

    @Test func oneThatCannotBeRemovedDoesNotStopTheOthers() async throws {
        let refused = Mutex<[String]>([])
        try await workspace("a", age: 200)
        try await workspace("b", age: 300)
        let service = service { ids, body throws(CodeForgeError) in
            refused.withLock { $0 += ids }
            if ids == ["b"] { throw CodeForgeError(.conflict, "runs") }
            try body()
        }
        try await service.sweep()
        #expect(try await kept == ["b"])
        #expect(refused.withLock { $0 } == ["b", "a"])
    }
}
