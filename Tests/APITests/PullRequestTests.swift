import Domain
import Engine
import HummingbirdTesting
import TestKit
import Testing

@testable import API

/// Each row of what may go wrong, by its status and message.
@Suite struct PullRequestTests {
    private let path = "/api/v1/tasks/t/create-pr"

    private func insert(
        _ rig: APIRig, _ status: TaskStatus = .completed, changes: Int = 1, url: String = "https://github.com/o/r.git"
    ) async throws {
        try await rig.insert("t", status) { task in
            task.repoURL = url
            task.changes = ChangesSummary(filesModified: changes)
        }
    }

    private func expect(
        _ rig: APIRig, _ code: Int, _ message: String, then status: TaskStatus?, _ body: String? = nil
    ) async throws {
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.post, path, body)
            #expect(answer.status == code && answer.text("message") == message, "\(answer.body)")
        }
        #expect(try await rig.store.task("t")?.status == status)
    }

    @Test func anUnknownTaskIsNotFound() async throws {
        try await expect(APIRig(), 404, "task t not found", then: nil)
    }

    @Test(arguments: TaskStatus.allCases.filter { $0 != .completed })
    func onlyACompletedTaskHasOne(_ status: TaskStatus) async throws {
        let rig = APIRig()
        try await insert(rig, status)
        try await expect(
            rig, 409, "task must be in completed status, currently: \(status.rawValue)", then: status)
    }

    @Test func withoutChangesThereIsNone() async throws {
        let rig = APIRig()
        try await insert(rig, changes: 0)
        try await expect(rig, 400, "no changes to create PR for", then: .completed)
    }

    @Test(arguments: [
        ("https://example.com/o/r.git", "example.com"), ("file:///srv/r.git", "(local)"), ("git@h:o/r", "(local)"),
    ])
    func anUnknownHostHasNoneAndTheTaskStays(_ url: String, _ host: String) async throws {
        let rig = APIRig()
        try await insert(rig, url: url)
        try await expect(rig, 400, "PR creation not supported for host: \(host)", then: .completed)
    }

    @Test func withoutATokenTheTaskStays() async throws {
        var rig = APIRig()
        rig.serviceToken = nil
        try await insert(rig)
        try await expect(
            rig, 500,
            "resolving access token for PR: none in the task, under its provider_key or in the environment",
            then: .completed)
    }

    @Test func aURLWithoutARepositoryFailsTheTask() async throws {
        let rig = APIRig()
        try await insert(rig, url: "https://github.com/only")
        try await expect(rig, 500, "cannot extract owner/repo from https://github.com/only", then: .failed)
        #expect(
            try await rig.store.task("t")?.error
                == "PR creation failed: cannot extract owner/repo from https://github.com/only")
    }

    @Test func aFailedPushFailsTheTask() async throws {
        var rig = APIRig()
        rig.publishes = JobOutcome(failure: .workspace, error: "repository not found")
        try await insert(rig)
        try await expect(
            rig, 500, "creating branch and pushing: repository not found", then: .failed)
    }

    @Test func aForgeThatIsNotReachedFailsTheTask() async throws {
        var rig = APIRig()
        rig.publishes?.pushed = PushedBranch(name: "codeforge/do-it-t", commit: "c")
        try await insert(rig)
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.post, path, "{}")
            #expect(
                answer.status == 500 && answer.text("message")?.hasPrefix("creating PR: ") == true, "\(answer.body)")
        }
        #expect(try await rig.store.task("t")?.status == .failed)
    }

    @Test func aPullRequestIsAnswered() async throws {
        var rig = APIRig()
        let forge = ForgeServer.start()
        forge.github.add("o/r")
        rig.forge = forge
        rig.publishes?.pushed = PushedBranch(name: "codeforge/do-it-t", commit: "c")
        try await insert(rig)
        try await rig.application.test(.router) { client async throws in
            #expect(try await client.ask(.post, path, token: nil).status == 401)
            for wrong in ["x", "[]", #"{"title":1}"#] {
                let answer = try await client.ask(.post, path, wrong)
                #expect(answer.status == 400 && answer.text("message") == "invalid JSON body")
            }
            let answer = try await client.ask(.post, path, #"{"title":"T","target_branch":"next","more":1}"#)
            #expect(answer.status == 200, "\(answer.body)")
            let pull = try #require(forge.github.pulls.first)
            #expect(answer.json["pr_number"] as? Int == pull.number && answer.text("branch") == "codeforge/do-it-t")
            #expect(answer.text("pr_url")?.hasSuffix("/o/r/pull/\(pull.number)") == true, "\(answer.body)")
            #expect(pull.title == "T" && pull.base == "next")
            #expect(try await client.ask(.post, path).status == 409)
        }
    }
}
