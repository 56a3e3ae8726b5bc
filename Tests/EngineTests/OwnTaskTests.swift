import Domain
import TestKit
import Testing

@testable import Engine

/// Tasks that another part of the service makes and gives up.
@Suite struct OwnTaskTests {
    private let fixture = EngineFixture()

    private func draft(type: String? = nil) -> TaskDraft {
        var draft = TaskDraft(
            repoURL: "not a URL", prompt: String(repeating: "x", count: TaskRules.maximumPromptScalars + 1),
            taskType: type, workflowRunID: "r", secrets: TaskSecrets(accessToken: "a"))
        draft.trace = TraceContext(traceID: 1, spanID: 2, isSampled: true)
        return draft
    }

    @Test func aTaskGetsTheIDItWasGivenOnce() async throws {
        let service = fixture.service
        let task = try await service.create(draft(), as: "mine")
        #expect(task.id == "mine" && task.workflowRunID == "r" && task.trace == draft().trace)
        #expect(try await service.create(draft(type: "plan"), as: "mine") == task)
        #expect(try await fixture.queue.depth() == 1)
        #expect(try await fixture.secrets.secrets(of: "mine").accessToken == "a")
        await #expect(throws: CodeForgeError(.invalidArgument, "unknown task type: what")) {
            try await service.create(draft(type: "what"), as: "other")
        }
    }

    @Test func anAbandonedTaskThatWaitsNeverRuns() async throws {
        let service = fixture.service
        _ = try await service.create(draft(), as: "t")
        try await service.abandon("t")
        try await service.abandon("t")
        try await service.abandon("unknown")
        let task = try #require(try await fixture.store.task("t"))
        #expect(task.status == .failed && task.error == "canceled by user" && task.finishedAt != nil)
        #expect(try await fixture.store.iterations(of: "t").map(\.error) == ["canceled by user"])
        #expect(fixture.events.entries(of: "t").count == 2, "its end, once")
        let scheduler = fixture.scheduler()
        try await fixture.whileRunning(scheduler) {
            try await until("the queue is empty") { try await fixture.queue.depth() == 0 }
        }
        #expect(fixture.spawner.specs.isEmpty)
    }

    @Test func anAbandonedTaskUnderWayIsAskedToStop() async throws {
        let task = try await fixture.task { task in
            task.status = .running
            task.attempt = 1
        }
        try await fixture.service.abandon("t")
        #expect(fixture.link.cancelRequests == [task.run])
        #expect(try await fixture.store.task("t")?.status == .running)
    }

    @Test func finishedTasksAreLeftAlone() async throws {
        for status in [TaskStatus.completed, .prCreated, .creatingPR, .failed] {
            let task = try await fixture.task(status.rawValue) { task in
                task.status = status
                task.attempt = 1
                task.endedAttempt = 1
            }
            try await fixture.service.abandon(task.id)
            #expect(try await fixture.store.task(task.id) == task)
            #expect(fixture.events.entries(of: task.id).isEmpty)
        }
        #expect(fixture.link.cancelRequests.isEmpty)
    }

    @Test func eachChangeOfAWatchedTaskWakes() async throws {
        let store = WatchedTaskStore(fixture.store, cacheBytes: 1 << 20)
        _ = try await fixture.task()
        try await store.watching("t") { waker in
            var wakes = waker.wakes.makeAsyncIterator()
            for status in [TaskStatus.cloning, .running] {
                try await store.update("t") { task throws(CodeForgeError) in
                    task.status = status
                    return nil
                }
                await wakes.next()
            }
        }
        #expect(try await store.task("t")?.status == .running)
    }
}
