import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// From a forge's delivery to the review: real server, git server, sandbox and Claude Code; a scripted model and forge.
@Suite(.serialized) struct WebhookTests {
    private let forge = ForgeServer.start()
    private let git: GitFixture
    private let model: ModelFixture

    init() async throws {
        git = try await GitFixture()
        model = try await ModelFixture(
            try String(contentsOfFile: BuiltProducts.root + "/scripts/lib/sample-scenario.yaml", encoding: .utf8))
        let token = git.password
        forge.gitlab.accounts[token] = .init(id: 9, username: "bot")
        forge.gitlab.add("acme/wordstat") { $0.members = [7: 30] }
    }

    private func settings(policy: String) -> [String: String] {
        var settings = model.settings
        settings["CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS"]! +=
            ",\(git.url.dropFirst("http://".count)),\(forge.authority)"
        settings["CODEFORGE_GIT__PROVIDER_DOMAINS"] = #"{"127.0.0.1":"gitlab"}"#
        settings["CODEFORGE_FORGES__GITLAB_API_URL"] = forge.gitlabAPI
        settings["CODEFORGE_CODE_REVIEW__DEFAULT_KEY_NAME"] = "bot"
        settings["CODEFORGE_CODE_REVIEW__WEBHOOK_SECRETS__GITLAB"] = "old-secret, hook-secret"
        settings["CODEFORGE_CODE_REVIEW__UNTRUSTED_POLICY"] = policy
        return settings
    }

    /// The head of the merge request as the git server has it.
    private func head() throws -> String {
        let lines = try HostRepository.shell("git ls-remote '\(authorized)' refs/merge-requests/1/head")
        return String(lines.prefix(40))
    }

    private var authorized: String {
        git.repository.replacing("http://", with: "http://oauth2:\(git.password)@")
    }

    /// A push to the merge request.
    private func push() throws -> String {
        try HostRepository.shell(
            """
            set -e; work=$(mktemp -d); cd "$work"; git init -q .
            git fetch -q '\(authorized)' refs/merge-requests/1/head; git checkout -q FETCH_HEAD; date +%N > more; git add more
            git -c user.name=t -c user.email=t@t commit -qm more
            git push -q '\(authorized)' HEAD:refs/merge-requests/1/head; rm -rf "$work"
            """)
        return try head()
    }

    private func register(_ server: ServerFixture) async throws {
        let answer = try await server.request(
            "POST", "/api/v1/keys", ["name": "bot", "provider": "gitlab", "token": .string(git.password)])
        #expect(answer.status == 201, "\(answer)")
    }

    private func deliver(
        _ server: ServerFixture, sha: String, fork: Bool
    ) async throws -> (status: Int, json: JSONValue) {
        let fixture = WebhookFixture("update") {
            $0.number = 1
            $0.sha = sha
            $0.isFork = fork
            $0.repositoryURL = git.repository
        }
        if forge.gitlab.mergeRequests.first?.sha != sha {
            forge.gitlab.mergeRequests = []
            forge.gitlab.addMergeRequest(1, in: "acme/wordstat") { request in
                request.sha = sha
                request.author = .init(id: 7, username: "mona")
                request.sourceProjectID = fork ? 99 : 1
            }
        }
        return try await server.request(
            "POST", "/api/v1/webhooks/gitlab", try JSONDecoder().decode(JSONValue.self, from: Data(fixture.gitlab)),
            headers: ["X-Gitlab-Token": "hook-secret", "X-Gitlab-Event": "Merge Request Hook"])
    }

    private func waitForApproval(_ server: ServerFixture, _ id: String) async throws {
        _ = try await eventually("task \(id) waits for an approval") { () -> Bool? in
            try await server.task(id)["hold"]?["reason"] == "approval" ? true : nil
        }
    }

    private func profile(_ server: ServerFixture, _ id: String) async throws -> JSONValue? {
        try await server.task(id, iterations: true)["iterations"]?.arrayValue?.last?["profile"]
    }

    @Test func aForksMergeRequestIsReviewedOnceApproved() async throws {
        try await ServerFixture.with(settings(policy: "hold")) { server in
            try await register(server)
            let sha = try head()
            let answer = try await deliver(server, sha: sha, fork: true)
            #expect(answer.status == 201, "\(answer)")
            let id = try #require(answer.json["task_id"]?.stringValue)
            #expect(try await deliver(server, sha: sha, fork: true).json == ["status": "deduplicated"])
            try await waitForApproval(server, id)
            let held = try await server.task(id)
            #expect(held["status"] == "pending" && held["trust"] == "untrusted", "\(held)")
            #expect(held["hold"]?["head_sha"] == .string(sha) && held["hold"]?["detail"] == "the head is in a fork")

            // It outlives the server, and still waits.
            try await server.restart(signal: SIGKILL)
            let wrong: JSONValue = ["head_sha": .string(String(repeating: "0", count: 40))]
            #expect(try await server.request("POST", "/api/v1/tasks/\(id)/approve", wrong).status == 409)
            let right: JSONValue = ["head_sha": .string(sha)]
            #expect(try await server.request("POST", "/api/v1/tasks/\(id)/approve", right).status == 200)
            let task = try await server.finished(id)
            #expect(task["status"] == "completed", "\(task)")
            #expect(task["review_result"]?["verdict"] == "request_changes", "\(task)")
            #expect(try await profile(server, id) == "untrusted")
            // Posted before the stream ends.
            let names = try await server.frames(id).map(\.name)
            #expect(names.contains("task_held") && names.contains("review_posted"), "\(names)")
            let said = forge.gitlab.mergeRequests[0].discussions.map(\.body).joined(separator: "\n")
            #expect(said.contains("Works for text, fails without any."), "\(said)")

            // A push after the delivery: what would be reviewed is not what was approved.
            let second = try push()
            let moved = try #require(try await deliver(server, sha: second, fork: true).json["task_id"]?.stringValue)
            try await waitForApproval(server, moved)
            let third = try push()
            #expect(try await server.request("POST", "/api/v1/tasks/\(moved)/approve").status == 200)
            let failed = try await server.finished(moved)
            #expect(
                failed["error"]?.stringValue?.contains(
                    "the pull request is not at commit \(second) any more, but at \(third)") == true, "\(failed)")

            // Its own delivery voids one that still waits.
            let old = try #require(try await deliver(server, sha: third, fork: true).json["task_id"]?.stringValue)
            try await waitForApproval(server, old)
            let fourth = try push()
            #expect(try await deliver(server, sha: fourth, fork: true).status == 201)
            let void = try await server.finished(old)
            #expect(void["error"]?.stringValue == "superseded: the pull request moved on to commit \(fourth)")
            #expect(try await server.frames(old).map(\.name).suffix(2) == ["task_failed", "done"])
            #expect(forge.violations == [])
        }
        try await git.stop()
    }

    @Test func aMembersMergeRequestIsReviewedAsTrusted() async throws {
        try await ServerFixture.with(settings(policy: "ignore")) { server in
            try await register(server)
            let answer = try await deliver(server, sha: try head(), fork: false)
            let id = try #require(answer.json["task_id"]?.stringValue, "\(answer)")
            let task = try await server.finished(id)
            #expect(task["status"] == "completed" && task["trust"] == "trusted", "\(task)")
            #expect(task["review_result"]?["verdict"] == "request_changes")
            #expect(try await profile(server, id) == "readonly")

            forge.gitlab.projects[0].members = [7: 20]
            let second = try #require(
                try await deliver(server, sha: try push(), fork: false).json["task_id"]?.stringValue)
            let refused = try await server.finished(second)
            #expect(
                refused["status"] == "failed"
                    && refused["error"]?.stringValue?.hasPrefix("not run: the code is untrusted") == true, "\(refused)")
            #expect(forge.violations == [])
        }
        try await git.stop()
    }
}
