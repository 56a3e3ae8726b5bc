import Domain
import HTTPTypes
import HummingbirdTesting
import TestKit
import Testing

@testable import API

@Suite struct WorkspaceTests {
    private let rig = APIRig()

    private func workspace(_ id: String, _ status: TaskStatus = .completed, edit: (inout CodeTask) -> Void = { _ in })
        async throws
    {
        try await rig.insert(id, status, edit)
        try await rig.workspaces.insert(Workspace(taskID: id, slug: id, createdAt: rig.clock.now()))
        rig.files.add(slug: id)
    }

    private func measure(_ id: String, iteration: Int = 1, used: String? = nil, _ text: String, cut: Bool = false)
        async throws
    {
        try await rig.workspaces.record(
            WorkspaceMeasurement(
                taskID: id, iteration: iteration, usedTaskID: used, bytes: 3 << 19,
                diff: WorkspaceDiff(text: text, isTruncated: cut)))
    }

    @Test func noWorkspacesAreAnEmptyList() async throws {
        try await rig.application.test(.router) { client async throws in
            for path in ["/api/v1/workspaces", "/api/v1/workspaces/"] {
                let answer = try await client.ask(.get, path)
                #expect(answer.status == 200)
                #expect(answer.body == #"{"workspaces":[],"total_size_mb":0,"total_count":0}"# + "\n")
            }
        }
    }

    @Test func theListHasWholeSecondsAndStatuses() async throws {
        try await workspace("a")
        try await measure("a", "")
        rig.clock.advance(by: .milliseconds(1500))
        try await rig.workspaces.insert(Workspace(taskID: "gone", slug: "x", createdAt: rig.clock.now()))
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.get, "/api/v1/workspaces")
            let list = try #require(answer.json["workspaces"] as? [[String: Any]])
            #expect(list.map { $0["task_id"] as? String } == ["a", "gone"])
            #expect(list.map { $0["task_status"] as? String } == ["completed", "unknown"])
            #expect(list.map { $0["size_mb"] as? Double } == [1.5, 0])
            #expect(answer.json["total_size_mb"] as? Double == 1.5 && answer.json["total_count"] as? Int == 2)
            for item in list {
                let created = try #require((item["created_at"] as? String).flatMap { Timestamp($0) })
                let expires = try #require((item["expires_at"] as? String).flatMap { Timestamp($0) })
                #expect(created.nanoseconds % 1_000_000_000 == 0 && expires.seconds - created.seconds == 86_400)
            }
        }
    }

    @Test func aDeletedWorkspaceIsGone() async throws {
        try await workspace("a", .failed)
        try await measure("a", "diff")
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.delete, "/api/v1/workspaces/a")
            #expect(answer.status == 200 && answer.json["message"] as? String == "workspace deleted")
            #expect(try await client.ask(.get, "/api/v1/workspaces").json["total_count"] as? Int == 0)
            let health = try await client.ask(.get, "/health", token: nil)
            #expect(health.json["workspace_disk_usage_mb"] as? Double == 0)
            let again = try await client.ask(.delete, "/api/v1/workspaces/a")
            #expect(again.status == 404 && again.text("message") == "workspace not found")
            #expect(try await client.ask(.get, "/api/v1/workspaces/a/diff").status == 404)
            #expect(try await client.ask(.get, "/api/v1/tasks/a/diff").body == "diff", "the task keeps it")
        }
        #expect(try await rig.files.slugs().isEmpty)
    }

    @Test(arguments: [TaskStatus.running, .cloning, .creatingPR, .reviewing])
    func aRunningTasksWorkspaceStays(_ status: TaskStatus) async throws {
        try await workspace("a", status)
        try await workspace("owner")
        try await rig.insert("guest", status) { task in
            task.config = TaskConfig()
            task.config?.workspaceTaskID = "owner"
        }
        try await rig.application.test(.router) { client async throws in
            for id in ["a", "owner"] {
                let answer = try await client.ask(.delete, "/api/v1/workspaces/\(id)")
                #expect(answer.status == 409, "\(id)")
                #expect(answer.text("message") == "cannot delete workspace for a running task")
            }
        }
        #expect(try await rig.files.slugs() == ["a", "owner"])
    }

    /// The first of two reasons: its workspace is not on record yet.
    @Test func aRunningTaskWithoutAWorkspaceIsAConflict() async throws {
        let rig = APIRig()
        try await rig.insert("busy", .cloning)
        try await rig.insert("idle", .completed)
        try await rig.application.test(.router) { client async throws in
            #expect(try await client.ask(.delete, "/api/v1/workspaces/busy").status == 409)
            #expect(try await client.ask(.delete, "/api/v1/workspaces/idle").status == 404)
        }
    }

    @Test(arguments: [TaskStatus.pending, .completed, .failed, .awaitingInstruction, .prCreated])
    func anyOtherTasksWorkspaceCanGo(_ status: TaskStatus) async throws {
        try await workspace("a", status)
        try await rig.application.test(.router) { client async throws in
            #expect(try await client.ask(.delete, "/api/v1/workspaces/a").status == 200)
        }
    }

    @Test func theWorkspaceOfATaskThatIsGoneCanGo() async throws {
        try await rig.workspaces.insert(Workspace(taskID: "gone", slug: "gone", createdAt: rig.clock.now()))
        try await rig.application.test(.router) { client async throws in
            for id in ["nope", "..%2F..", "%00"] {
                #expect(try await client.ask(.delete, "/api/v1/workspaces/\(id)").status == 404, "\(id)")
            }
            #expect(try await client.ask(.delete, "/api/v1/workspaces/gone").status == 200)
            #expect(try await client.ask(.get, "/api/v1/workspaces", token: nil).status == 401)
        }
    }

    @Test func aDiffIsTextOfTheLatestIterationOrTheOneAskedFor() async throws {
        try await workspace("a")
        try await measure("a", "first\n")
        try await measure("a", iteration: 2, "second\n", cut: true)
        try await rig.application.test(.router) { client async throws in
            let latest = try await client.ask(.get, "/api/v1/tasks/a/diff")
            #expect(latest.status == 200 && latest.body == "second\n")
            #expect(latest.headers[.contentType] == "text/x-diff; charset=utf-8")
            #expect(latest.headers[.diffTruncated] == "true")
            let first = try await client.ask(.get, "/api/v1/tasks/a/diff?iteration=1")
            #expect(first.body == "first\n" && first.headers[.diffTruncated] == nil)
            let ofWorkspace = try await client.ask(.get, "/api/v1/workspaces/a/diff")
            #expect(ofWorkspace.body == "second\n" && ofWorkspace.headers[.diffTruncated] == "true")
        }
    }

    @Test func aDiffThatIsNotThereIsNotFound() async throws {
        try await workspace("a", .running)
        try await rig.application.test(.router) { client async throws in
            for (path, message) in [
                ("/api/v1/tasks/nope/diff", "task nope not found"),
                ("/api/v1/tasks/a/diff", "task a has no diff yet"),
                ("/api/v1/tasks/a/diff?iteration=3", "task a has no diff for iteration 3"),
                ("/api/v1/workspaces/nope/diff", "workspace not found"),
                ("/api/v1/workspaces/a/diff", "workspace of task a has no diff yet"),
            ] {
                let answer = try await client.ask(.get, path)
                #expect(answer.status == 404 && answer.text("message") == message, "\(path): \(answer.body)")
            }
            for wrong in ["", "0", "-1", "x", "1.5"] {
                let answer = try await client.ask(.get, "/api/v1/tasks/a/diff?iteration=\(wrong)")
                #expect(answer.status == 400, "\(wrong)")
            }
        }
    }

    @Test func aWorkspaceShowsWhatItsLastGuestLeft() async throws {
        try await workspace("owner")
        try await measure("owner", "own\n")
        try await rig.insert("guest", .completed)
        try await measure("guest", used: "owner", "guest's\n")
        try await rig.application.test(.router) { client async throws in
            #expect(try await client.ask(.get, "/api/v1/workspaces/owner/diff").body == "guest's\n")
            #expect(try await client.ask(.get, "/api/v1/tasks/owner/diff").body == "own\n")
            #expect(try await client.ask(.get, "/api/v1/tasks/guest/diff").body == "guest's\n")
        }
    }
}
