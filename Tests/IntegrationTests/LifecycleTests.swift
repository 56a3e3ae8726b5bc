import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// The way of a task through real processes, and each of its ends.
@Suite(.serialized) struct LifecycleTests {
    @Test func aTaskClonesRunsAndShowsWhatChanged() async throws {
        try await ServerFixture.with { server in
            let repo = try server.makeRepository(["README.md": "hello\n", "old.txt": "x\n"])
            let id = try await server.create(
                "echo one; echo two; echo changed >> README.md; rm old.txt; echo new > new.txt", repo: repo)
            let frames = try await server.frames(id)
            #expect(frames.first?.event == "connected")
            let error = try await server.task(id)["error"]?.stringValue
            #expect(
                frames.filter { $0.event == nil }.map(\.name) == [
                    "clone_started", "clone_completed", "cli_started", "output", "output", "task_completed",
                ], "\(error ?? "no error")")
            #expect(
                frames.filter { $0.name == "output" }.map { $0.data["data"]?["content"]?.stringValue } == [
                    "one", "two",
                ])
            #expect(frames.filter { $0.event == nil }.allSatisfy { $0.id != nil })
            let done = try #require(frames.last)
            #expect(done.event == "done")
            #expect(done.data["status"] == "completed")
            let place = try #require(frames.first { $0.name == "clone_completed" }?.data["data"]?["work_dir"])
            let base = server.directory + "/data/workspaces/"
            #expect(place.stringValue?.hasPrefix(base + "echo-one-echo-two") == true, "\(place)")

            let task = try await server.task(id, iterations: true)
            #expect(task["status"] == "completed")
            #expect(
                task["changes_summary"] == [
                    "files_modified": 1, "files_created": 1, "files_deleted": 1, "diff_stats": "+1 -1",
                ])
            #expect(task["iterations"]?.arrayValue?.count == 1)
            #expect(task["started_at"] != nil && task["finished_at"] != nil)
        }
    }

    /// A server that takes the request and never answers: the run is stopped in the middle of its clone.
    @Test(arguments: [true, false])
    func aCloneCanTimeOutAndBeCanceled(_ isCanceled: Bool) async throws {
        let silent = LocalServer { socket in _ = socket.readToEnd() }
        defer { silent.stop() }
        let place = "127.0.0.1:\(silent.port)"
        try await ServerFixture.with(["CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS": place]) { server in
            let id = try await server.create(
                "true", repo: "http://\(place)/o/r.git", config: ["timeout_seconds": isCanceled ? 60 : 3])
            try await eventually("the clone to ask") { silent.accepted > 0 ? () : nil }
            #expect(try await server.task(id)["status"] == "cloning")
            if isCanceled {
                #expect(try await server.request("POST", "/api/v1/tasks/\(id)/cancel").status == 200)
            }
            let task = try await server.finished(id)
            #expect(task["error"]?.stringValue == (isCanceled ? "canceled by user" : "task timed out after 3s"))
            #expect(task["status"] == "failed" && task["iterations"] == nil)
            let names = try await server.frames(id).map(\.name)
            #expect(
                names == [
                    "connected", "clone_started", isCanceled ? "task_canceled" : "task_timeout", "task_failed", "done",
                ])
            #expect(try await server.task(id, iterations: true)["iterations"]?.arrayValue?.count == 1)
        }
    }

    @Test func changesTheAgentCommittedByItselfAreSeen() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create(
                "echo more >> README.md; git -c user.name=a -c user.email=a@a commit -qam self; git status --porcelain",
                repo: try server.makeRepository())
            let task = try await server.finished(id)
            #expect(task["status"] == "completed", "\(task)")
            #expect(task["changes_summary"]?["files_modified"] == 1)
        }
    }

    @Test func aFollowUpWorksInTheSameWorkspaceAndHome() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create("echo a > a.txt; echo kept > ~/note", repo: try server.makeRepository())
            _ = try await server.finished(id)
            let answer = try await server.request(
                "POST", "/api/v1/tasks/\(id)/instruct", ["prompt": "cat a.txt ~/note"])
            #expect(answer.status == 200)
            #expect(answer.json["iteration"] == 2)
            var task = try await server.finished(id)
            for _ in 0..<100 where task["iteration"] != 2 || task["status"] != "completed" {
                task = try await server.finished(id)
            }
            let outputs = try await server.frames(id).filter { $0.name == "output" }
            #expect(outputs.map { $0.data["data"]?["content"]?.stringValue } == ["a", "kept"])
            let iterations = try await server.task(id, iterations: true)["iterations"]?.arrayValue
            #expect(iterations?.count == 2)
            #expect(task["current_prompt"] == "cat a.txt ~/note")
        }
    }

    @Test func aPlanSeesItsWorkspaceReadOnly() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create(
                "cat README.md; echo no > x.txt || echo refused", repo: try server.makeRepository(),
                extra: ["task_type": "plan"])
            let task = try await server.finished(id)
            #expect(task["status"] == "completed", "\(task)")
            #expect(task["changes_summary"]?["files_created"] == 0)
        }
    }

    @Test func aTimeoutKillsAndSaysSo() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create(
                "trap '' TERM; echo up; sleep 600", repo: try server.makeRepository(),
                config: ["timeout_seconds": 3])
            let names = try await server.frames(id).map(\.name)
            #expect(names.suffix(3) == ["task_timeout", "task_failed", "done"])
            let task = try await server.task(id)
            #expect(task["status"] == "failed")
            #expect(task["error"] == "task timed out after 3s")
        }
    }

    @Test func aCancelEndsTheTaskWithinSeconds() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create("echo up; sleep 600", repo: try server.makeRepository())
            var names: [String] = []
            try await server.stream(id) { frame in
                names.append(frame.name)
                return frame.name != "output"
            }
            let answer = try await server.request("POST", "/api/v1/tasks/\(id)/cancel")
            #expect(answer.status == 200)
            #expect(answer.json["status"] == "canceling")
            let task = try await server.wait(id, for: "failed", seconds: 10)
            #expect(task["error"] == "canceled by user")
            #expect(try await server.frames(id).map(\.name).suffix(3) == ["task_canceled", "task_failed", "done"])
            let again = try await server.request("POST", "/api/v1/tasks/\(id)/cancel")
            #expect(again.status == 409)
            #expect(server.supervisor(of: id) == nil)
        }
    }

    @Test func aFailingCLIFailsTheTaskWithItsCodeAndError() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create("echo partial; echo broken >&2; exit 7", repo: try server.makeRepository())
            let task = try await server.finished(id)
            #expect(task["error"] == "CLI execution failed: shell CLI exited with code 7: broken")
            #expect(task["result"] == nil)
            let outputs = try await server.frames(id).filter { $0.name == "output" }
            #expect(outputs.last?.data["data"]?["type"] == "error")
            #expect(
                outputs.last?.data["data"]?["content"] == "broken\n"
                    || outputs.last?.data["data"]?["content"] == "broken")
        }
    }

    @Test(arguments: [
        ("file:///nowhere/at/all.git", "not under a directory listed in git.allowed_local_roots"),
        ("ssh://git@127.0.0.1/x.git", "only http, https and file"),
        ("http://127.0.0.1:9/owner/repo.git", "clone failed: git clone failed: "),
    ])
    func aCloneThatCannotWorkFailsWithTheReason(_ url: String, _ reason: String) async throws {
        try await ServerFixture.with { server in
            let id = try await server.create("true", repo: url)
            let task = try await server.finished(id)
            #expect(task["status"] == "failed")
            let error = try #require(task["error"]?.stringValue)
            #expect(error.hasPrefix("clone failed: git clone failed: ") && error.contains(reason), "\(error)")
            // A refused address is told as well: the repository's host is not one to go to.
            let names = try await server.frames(id).map(\.name).filter { $0 != "gateway_refused" }
            #expect(names == ["connected", "clone_started", "task_failed", "done"])
        }
    }

    @Test func aFollowUpInADeletedWorkspaceFailsClearly() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create("true", repo: try server.makeRepository())
            _ = try await server.finished(id)
            try server.shell("rm -rf '\(server.directory)'/data/workspaces/*")
            _ = try await server.request("POST", "/api/v1/tasks/\(id)/instruct", ["prompt": "true"])
            let task = try await server.wait(id, for: "failed")
            #expect(task["error"]?.stringValue?.hasPrefix("workspace not found") == true, "\(task)")
        }
    }

    @Test func aMissingImageFailsTheTaskAndNamesTheRemedy() async throws {
        try await ServerFixture.with(["CODEFORGE_SANDBOX__IMAGE": "absent"]) { server in
            let id = try await server.create("true", repo: try server.makeRepository())
            let task = try await server.finished(id)
            let error = try #require(task["error"]?.stringValue)
            #expect(error.contains("image") && error.contains("codeforge image build"), "\(error)")
        }
    }

    @Test func moreOutputThanAllowedEndsTheTask() async throws {
        try await ServerFixture.with(["CODEFORGE_SANDBOX__OUTPUT_BYTES": "100000"]) { server in
            let id = try await server.create("yes", repo: try server.makeRepository())
            let task = try await server.finished(id)
            #expect(task["error"]?.stringValue?.contains("output limit of 100000 bytes") == true, "\(task)")
        }
    }
}
