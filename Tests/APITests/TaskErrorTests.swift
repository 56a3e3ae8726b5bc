import Domain
import HummingbirdTesting
import TestKit
import Testing

@testable import API

/// The error rows of the contract's tables, as clients see them.
@Suite struct TaskErrorTests {
    // MARK: Creating (§3.1)

    @Test(arguments: [
        (#""task_type":"x""#, "task_type", "unknown task type: x"),
        (#""task_type":"pr_review""#, "pr_number", "pr_number is required for pr_review tasks"),
        (
            #""task_type":"pr_review","config":{"pr_number":0}"#, "pr_number",
            "pr_number is required for pr_review tasks"
        ),
        (#""config":{"cli":"vim"}"#, "cli", "unknown CLI: vim"),
        (#""callback_url":"nowhere""#, "callback_url", "must be a valid URL"),
    ])
    func aLaterCheckReportsAlone(_ member: String, _ field: String, _ reason: String) async throws {
        let rig = APIRig()
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(
                .post, "/api/v1/tasks", #"{"repo_url":"https://h/o/r.git","prompt":"p",\#(member)}"#)
            #expect(answer.status == 400 && answer.text("error") == "Bad Request")
            #expect(answer.text("message") == "\(field): \(reason)")
            #expect(answer.json["fields"] as? [String: String] == [field: reason])
            #expect(try await rig.store.list(status: nil, limit: 1, offset: 0).total == 0)
        }
    }

    @Test func stepsComeInTheirOrder() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let all = #""task_type":"x","config":{"cli":"vim"}"#
            let wrong = #"{"repo_url":"","prompt":"","callback_url":"x",\#(all)}"#
            let first = try await client.ask(.post, "/api/v1/tasks", wrong)
            #expect(
                first.json["fields"] as? [String: String] == [
                    "repo_url": "field is required", "prompt": "field is required",
                    "callback_url": "must be a valid URL",
                ])
            let second = try await client.ask(
                .post, "/api/v1/tasks", #"{"repo_url":"https://h/o/r.git","prompt":"p","callback_url":"",\#(all)}"#)
            #expect(second.json["fields"] as? [String: String] == ["task_type": "unknown task type: x"])
            let third = try await client.ask(
                .post, "/api/v1/tasks",
                #"{"repo_url":"https://h/o/r.git","prompt":"p","task_type":"pr_review","config":{"cli":"vim"}}"#)
            #expect(
                third.json["fields"] as? [String: String]
                    == ["pr_number": "pr_number is required for pr_review tasks"])
        }
    }

    // MARK: Follow-ups (§6.1)

    private static func instructAnswer(_ status: TaskStatus) -> (status: Int, message: String?) {
        switch status {
        case .completed, .awaitingInstruction, .prCreated: (200, nil)
        case .running, .cloning, .creatingPR: (409, "task is currently \(status.rawValue), cannot instruct")
        case .pending, .reviewing: (409, "task in status \(status.rawValue) cannot accept instructions")
        case .failed: (409, "task has failed, create a new task instead")
        }
    }

    @Test(arguments: TaskStatus.allCases)
    func aFollowUpIsTakenOrRefusedByStatus(_ status: TaskStatus) async throws {
        let rig = APIRig()
        try await rig.insert("t", status) { $0.error = "old" }
        let expected = Self.instructAnswer(status)
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.post, "/api/v1/tasks/t/instruct", #"{"prompt":"more"}"#)
            #expect(answer.status == expected.status && answer.text("message") == expected.message, "\(answer)")
            let task = try #require(try await rig.store.task("t"))
            if expected.status == 200 {
                #expect(answer.text("status") == "awaiting_instruction" && answer.json["iteration"] as? Int == 2)
                #expect(task.status == .awaitingInstruction && task.currentPrompt == "more" && task.error == nil)
                #expect(try await rig.queue.contents() == ["t"])
            } else {
                #expect(answer.text("error") == "Conflict")
                #expect(task.status == status && task.iteration == 1 && task.currentPrompt == nil)
                #expect(try await rig.queue.contents().isEmpty)
            }
        }
    }

    @Test func aFollowUpNeedsAPrompt() async throws {
        let rig = APIRig()
        try await rig.insert("t", .completed)
        try await rig.application.test(.live) { client async throws in
            let long = String(repeating: "é", count: 102_401)
            for (id, body) in [
                ("t", "{}"), ("t", #"{"prompt":""}"#), ("t", #"{"prompt":null}"#), ("t", #"{"prompt":"\#(long)"}"#),
                ("none", "{}"),
            ] {
                let answer = try await client.ask(.post, "/api/v1/tasks/\(id)/instruct", body)
                #expect(answer.status == 400, "\(body.prefix(40))")
                #expect(answer.text("message") == "prompt is required and must be under 100KB")
            }
            for body in ["", "{", "[]", #"{"prompt":7}"#] {
                let answer = try await client.ask(.post, "/api/v1/tasks/t/instruct", body)
                #expect(answer.status == 400 && answer.text("message") == "invalid JSON body", "\(body)")
            }
            let longest = #"{"prompt":"\#(long.dropLast())"}"#
            #expect(try await client.ask(.post, "/api/v1/tasks/t/instruct", longest).status == 200)
        }
    }

    // MARK: Cancelling (§6.3)

    @Test(arguments: TaskStatus.allCases)
    func cancellingWantsATaskThatRuns(_ status: TaskStatus) async throws {
        let rig = APIRig()
        try await rig.insert("t", status) { $0.attempt = 1 }
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.post, "/api/v1/tasks/t/cancel")
            switch status {
            case .cloning, .running, .reviewing:
                #expect(answer.status == 200 && answer.text("status") == "canceling", "\(answer)")
                #expect(rig.link.cancelRequests.map(\.taskID) == ["t"])
            default:
                #expect(answer.status == 409 && answer.text("error") == "Conflict")
                #expect(answer.text("message") == "task is not running (status: \(status.rawValue))")
                #expect(rig.link.cancelRequests.isEmpty)
            }
            #expect(try await rig.store.task("t")?.status == status)
        }
    }

    @Test func aReviewThatStillWaitsIsNotCurrentlyRunning() async throws {
        let rig = APIRig()
        try await rig.insert("t", .reviewing)
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.post, "/api/v1/tasks/t/cancel")
            #expect(answer.status == 409 && answer.text("message") == "task is not currently running", "\(answer)")
        }
    }
}
