import Domain
import Engine
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestKit
import Testing
import Vault

@testable import API

/// One row of what the two forges have in common.
enum Sender: CaseIterable {
    case github, gitlab

    var path: String { self == .github ? "/api/v1/webhooks/github" : "/api/v1/webhooks/gitlab" }
    /// Actions that bring code.
    var actions: [String] { self == .github ? ["opened", "synchronize", "reopened"] : ["open", "update", "reopen"] }

    func body(_ fixture: WebhookFixture) -> [UInt8] { self == .github ? fixture.github : fixture.gitlab }

    func headers(_ body: [UInt8], event: String? = nil, secret: String? = nil) -> HTTPFields {
        var headers = HTTPFields()
        switch self {
        case .github:
            headers[HTTPField.Name("X-GitHub-Event")!] = event ?? "pull_request"
            headers[HTTPField.Name("X-GitHub-Delivery")!] = "7"
            let digest = Digests.hmacSHA256Hex(key: secret ?? "gh-secret", body)
            headers[HTTPField.Name("X-Hub-Signature-256")!] = "sha256=" + digest
        case .gitlab:
            headers[HTTPField.Name("X-Gitlab-Event")!] = event ?? "Merge Request Hook"
            headers[HTTPField.Name("X-Gitlab-Token")!] = secret ?? "gl-secret"
        }
        return headers
    }
}

extension TestClientProtocol {
    /// Delivers `body` as that forge does.
    func deliver(
        _ sender: Sender, _ body: [UInt8], event: String? = nil, secret: String? = nil, headers: HTTPFields? = nil
    ) async throws -> Answer {
        Answer(
            try await executeRequest(
                uri: sender.path, method: .post,
                headers: headers ?? sender.headers(body, event: event, secret: secret),
                body: ByteBuffer(bytes: body)))
    }

    func deliver(_ sender: Sender, _ fixture: WebhookFixture) async throws -> Answer {
        try await deliver(sender, sender.body(fixture))
    }
}

@Suite struct WebhookTests {
    private func test(
        _ rig: APIRig, _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        try await rig.application.test(.router) { try await body($0) }
    }

    private func tasks(_ rig: APIRig) async throws -> [CodeTask] {
        try await rig.store.list(status: nil, limit: 200, offset: 0).tasks
    }

    @Test func aPullRequestBecomesAReview() async throws {
        let rig = APIRig()
        try await test(rig) { client in
            for (index, action) in Sender.github.actions.enumerated() {
                let sha = String(repeating: "\(index)", count: 40)
                let answer = try await client.deliver(.github, WebhookFixture(action) { $0.sha = sha })
                #expect(answer.status == 201 && answer.text("status") == "created", "\(answer)")
                let id = try #require(answer.text("task_id"))
                #expect(Set(answer.json.keys) == ["status", "task_id"])
                let task = try #require(try await rig.store.task(id))
                #expect(task.type == .prReview && task.status == .pending && task.headSHA == sha)
                #expect(task.repoURL == "https://github.com/acme/app.git" && task.providerKey == "bot")
                #expect(task.prompt == "Review pull request #42" && task.callbackURL == nil)
                let config = try #require(task.config)
                #expect(config.cli == "claude-code" && config.prNumber == 42 && config.outputMode == "post_comments")
                #expect(config.sourceBranch == "feature/login" && config.targetBranch == "main")
                let seen = try await client.ask(.get, "/api/v1/tasks/\(id)")
                #expect(seen.text("head_sha") == sha && seen.text("trust") == nil)
            }
        }
    }

    @Test func aMergeRequestBecomesAReview() async throws {
        var rig = APIRig()
        rig.webhooks.cli = "codex"
        let store = rig.store
        try await test(rig) { client in
            for (index, action) in Sender.gitlab.actions.enumerated() {
                let fixture = WebhookFixture(action) {
                    $0.sha = String(repeating: "\(index)", count: 40)
                    $0.repositoryURL = "https://gitlab.com/acme/app.git"
                }
                let answer = try await client.deliver(.gitlab, fixture)
                #expect(answer.status == 201, "\(answer)")
                let id = try #require(answer.text("task_id"))
                let task = try #require(try await store.task(id))
                #expect(task.prompt == "Review merge request !42: Add login" && task.config?.cli == "codex")
                #expect(task.repoURL == "https://gitlab.com/acme/app.git")
            }
        }
    }

    @Test(arguments: Sender.allCases)
    func onlyWhoKnowsTheSecretIsHeard(_ sender: Sender) async throws {
        let rig = APIRig()
        try await test(rig) { client in
            let body = sender.body(WebhookFixture(sender.actions[0]))
            let reason = sender == .github ? "invalid signature" : "invalid token"
            // The signature is looked at first: a stranger is not told whether the rest would do.
            for garbage in [body, Array("{".utf8), []] {
                let answer = try await client.deliver(sender, garbage, secret: "wrong")
                #expect(answer.status == 401 && answer.text("message") == reason, "\(answer)")
                #expect(answer.text("error") == "unauthorized")
                #expect(try await client.deliver(sender, garbage, headers: [:]).status == 401)
                #expect(try await client.deliver(sender, garbage, event: "ping", secret: "wrong").status == 401)
            }
            // The bearer token of the API opens nothing here.
            let bearer: HTTPFields = [.authorization: "Bearer " + APIRig.token]
            #expect(try await client.deliver(sender, body, headers: bearer).status == 401)
            if sender == .github {
                let headers = sender.headers(body)
                #expect(try await client.deliver(sender, body + [0x20], headers: headers).status == 401)
                #expect(try await client.deliver(sender, body, secret: "gh-old").status == 201, "rotation")
            }
            #expect(try await client.ask(.get, sender.path).status == 405)
        }
        #expect(try await tasks(rig).count == (sender == .github ? 1 : 0))
    }

    @Test(arguments: Sender.allCases)
    func withoutASecretThereIsNoReceiver(_ sender: Sender) async throws {
        var rig = APIRig()
        rig.githubSecrets = sender == .github ? [] : ["x"]
        rig.gitlabSecrets = sender == .gitlab ? [] : ["x"]
        let name = sender == .github ? "GitHub" : "GitLab"
        try await test(rig) { client in
            let answer = try await client.deliver(sender, WebhookFixture(sender.actions[0]))
            #expect(answer.status == 503 && answer.text("message") == "\(name) webhook secret not configured")
        }
    }

    @Test(arguments: Sender.allCases)
    func whatIsOfNoConcernIsIgnored(_ sender: Sender) async throws {
        let rig = APIRig()
        try await test(rig) { client in
            let body = sender.body(WebhookFixture(sender.actions[0]))
            let others = sender == .github ? ["ping", "issue_comment", "push", ""] : ["Note Hook", "Push Hook", ""]
            for event in others {
                for text in [body, Array("not json".utf8)] {
                    let answer = try await client.deliver(sender, text, event: event)
                    let reason = sender == .github ? "not a pull_request event" : "not a merge request event"
                    #expect(
                        answer.status == 200
                            && answer.json as? [String: String] == ["status": "ignored", "reason": reason])
                }
            }
            let actions =
                sender == .github
                ? ["closed", "labeled", "edited", "ready_for_review", "Opened", ""]
                : ["close", "merge", "approved", ""]
            for action in actions {
                let answer = try await client.deliver(sender, WebhookFixture(action) { $0.isDraft = true })
                #expect(
                    answer.status == 200
                        && answer.json as? [String: String] == [
                            "status": "ignored", "reason": "action \(action) not handled",
                        ], "\(answer)")
            }
            for text in ["", "{", "[]", String(repeating: "[", count: 5 << 20)] {
                let answer = try await client.deliver(sender, Array(text.utf8))
                #expect(answer.status == 400 && answer.text("message") == "failed to parse webhook payload")
            }
        }
        #expect(try await tasks(rig).isEmpty)
    }

    @Test(arguments: Sender.allCases)
    func draftsWaitUnlessTheyAreWanted(_ sender: Sender) async throws {
        var rig = APIRig()
        rig.webhooks.keyName = ""
        let draft = WebhookFixture(sender.actions[0]) { $0.isDraft = true }
        try await test(rig) { client in
            let skipped = try await client.deliver(sender, draft)
            let reason = sender == .github ? "draft PR" : "draft/WIP MR"
            #expect(
                skipped.status == 200 && skipped.json as? [String: String] == ["status": "skipped", "reason": reason])
            let answer = try await client.deliver(sender, WebhookFixture(sender.actions[0]))
            #expect(answer.status == 400 && answer.text("message") == "code_review.default_key_name not configured")
        }
        rig.webhooks.keyName = "bot"
        rig.webhooks.reviewsDrafts = true
        try await test(rig) { client in
            let answer = try await client.deliver(sender, draft)
            #expect(answer.status == 201)
        }
    }

    @Test(arguments: Sender.allCases)
    func aCommitIsReviewedOnce(_ sender: Sender) async throws {
        let rig = APIRig()
        let store = rig.store
        let fixture = WebhookFixture(sender.actions[1])
        try await test(rig) { client in
            // A failed creation leaves nothing behind.
            store.fail(with: CodeForgeError(.unavailable, "away"))
            let failed = try await client.deliver(sender, fixture)
            #expect(failed.status == 500 && failed.text("message") == "failed to create review task", "\(failed)")
            store.fail(with: nil)
            #expect(try await client.deliver(sender, fixture).status == 201)
            let again = try await client.deliver(sender, fixture)
            #expect(again.status == 200 && again.json as? [String: String] == ["status": "deduplicated"])
            var other = fixture
            other.number = 43
            #expect(try await client.deliver(sender, other).status == 201)
            other.sha = String(repeating: "c", count: 40)
            #expect(try await client.deliver(sender, other).status == 201)
            for sha in ["", "HEAD"] {
                other.sha = sha
                #expect(
                    try await client.deliver(sender, other).status == 201,
                    "without a commit there is nothing to compare")
            }
            rig.marks.fail(with: CodeForgeError(.unavailable, "no Redis"))
            #expect(try await client.deliver(sender, fixture).status == 201)
        }
        #expect(try await tasks(rig).count == 6)
        #expect(Set(rig.marks.marks.values) == [3600])
    }

    @Test(arguments: Sender.allCases)
    func manyDeliveriesAtOnceMakeOneTask(_ sender: Sender) async throws {
        let rig = APIRig()
        let fixture = WebhookFixture(sender.actions[0])
        try await test(rig) { client in
            let created = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 { group.addTask { try await client.deliver(sender, fixture).status } }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(created == [201: 1, 200: 19])
        }
        #expect(try await tasks(rig).count == 1)
    }

    @Test(arguments: Sender.allCases)
    func aHugeBodyIsRefused(_ sender: Sender) async throws {
        let rig = APIRig()
        try await test(rig) { client in
            let body = sender.body(WebhookFixture(sender.actions[0]))
            let largest = body + [UInt8](repeating: 0x20, count: (5 << 20) - body.count)
            #expect(try await client.deliver(sender, largest).status == 201)
            let answer = try await client.deliver(sender, largest + [0x20])
            #expect(answer.status == 413 && answer.text("message") == "request body is larger than 5242880 bytes")
            // Whoever asks.
            #expect(try await client.deliver(sender, largest + [0x20], headers: [:]).status == 413)
        }
    }

    @Test(arguments: Sender.allCases)
    func whatNoForgeSendsIsRefused(_ sender: Sender) async throws {
        let rig = APIRig()
        try await test(rig) { client in
            let changes: [@Sendable (inout WebhookFixture) -> Void] = [
                { $0.repositoryURL = "file:///etc" }, { $0.repositoryURL = "https://u:p@github.com/acme/app" },
                { $0.headBranch = "a\nb" }, { $0.baseBranch = "--upload-pack=sh" },
                { $0.number = 0 },
            ]
            for (index, change) in changes.enumerated() {
                let answer = try await client.deliver(sender, WebhookFixture(sender.actions[0], change))
                #expect(answer.status == 400 && answer.text("message") == "failed to parse webhook payload", "\(index)")
            }
        }
        #expect(try await tasks(rig).isEmpty && rig.marks.marks.isEmpty)
    }

    @Test(arguments: Sender.allCases)
    func aCommitThatIsNoneIsLeftOut(_ sender: Sender) async throws {
        let rig = APIRig()
        try await test(rig) { client in
            for _ in 1...2 {
                let answer = try await client.deliver(sender, WebhookFixture(sender.actions[0]) { $0.sha = "HEAD" })
                #expect(answer.status == 201, "\(answer)")
            }
        }
        let made = try await tasks(rig)
        #expect(made.count == 2 && made.allSatisfy { $0.headSHA == nil } && rig.marks.marks.isEmpty)
    }

    @Test(arguments: Sender.allCases)
    func forksAreIgnoredWhenThePolicySaysSo(_ sender: Sender) async throws {
        var rig = APIRig()
        rig.webhooks.policy = .ignore
        let store = rig.store
        try await test(rig) { client in
            let answer = try await client.deliver(sender, WebhookFixture(sender.actions[0]) { $0.isFork = true })
            #expect(
                answer.status == 200
                    && answer.json as? [String: String] == [
                        "status": "ignored", "reason": "untrusted: the head is in a fork",
                    ], "\(answer)")
            #expect(try await store.list(status: nil, limit: 1, offset: 0).total == 0)
            #expect(try await client.deliver(sender, WebhookFixture(sender.actions[0])).status == 201)
        }
    }
}

@Suite struct ApprovalTests {
    private static let sha = String(repeating: "a", count: 40)

    private func rig() async throws -> APIRig {
        let rig = APIRig()
        for id in ["held", "other"] {
            try await rig.insert(id, .pending) { task in
                task.type = .prReview
                task.headSHA = ApprovalTests.sha
                task.trust = .untrusted
                task.hold = TaskHold(.approval, detail: "the head is in a fork", isUnattended: true)
            }
        }
        return rig
    }

    @Test func aHeldTaskRunsOnceSomebodyApproves() async throws {
        let rig = try await rig()
        try await rig.application.test(.router) { client in
            let seen = try await client.ask(.get, "/api/v1/tasks/held")
            #expect(
                seen.json["hold"] as? [String: String] == [
                    "reason": "approval", "detail": "the head is in a fork", "head_sha": ApprovalTests.sha,
                ])
            #expect(seen.text("status") == "pending" && seen.text("trust") == "untrusted")
            let listed = try await client.ask(.get, "/api/v1/tasks").json["tasks"] as? [[String: Any]]
            #expect(listed?.allSatisfy { $0["hold"] != nil } == true)

            let wrong = try await client.ask(
                .post, "/api/v1/tasks/held/approve", #"{"head_sha":"\#(String(repeating: "b", count: 40))"}"#)
            #expect(wrong.status == 409 && wrong.text("message")?.contains(ApprovalTests.sha) == true, "\(wrong)")
            #expect(try await client.ask(.post, "/api/v1/tasks/held/approve", "[").status == 400)
            #expect(try await client.ask(.post, "/api/v1/tasks/held/approve", token: nil).status == 401)
            #expect(try await rig.queue.contents() == [])

            let right = try await client.ask(
                .post, "/api/v1/tasks/held/approve", #"{"head_sha":"\#(ApprovalTests.sha)"}"#)
            #expect(right.status == 200 && right.text("status") == "pending", "\(right)")
            #expect(right.text("head_sha") == ApprovalTests.sha && right.text("id") == "held")
            let bare = try await client.ask(.post, "/api/v1/tasks/other/approve")
            #expect(bare.status == 200, "\(bare)")
            #expect(try await rig.queue.contents() == ["held", "other"])
            let after = try await client.ask(.get, "/api/v1/tasks/held")
            #expect(after.json["hold"] == nil && after.text("trust") == "untrusted")
            let again = try await client.ask(.post, "/api/v1/tasks/held/approve")
            #expect(
                again.status == 409
                    && again.text("message") == "task does not wait for an approval (status: pending)", "\(again)")
        }
    }

    @Test func onlyATaskThatWaitsCanBeApproved() async throws {
        let rig = APIRig()
        for status in TaskStatus.allCases { try await rig.insert(status.rawValue, status) }
        try await rig.insert("checking", .pending) { $0.hold = TaskHold(.trustCheck, isUnattended: true) }
        try await rig.application.test(.router) { client in
            let unknown = try await client.ask(.post, "/api/v1/tasks/gone/approve")
            #expect(unknown.status == 404)
            for id in TaskStatus.allCases.map(\.rawValue) + ["checking"] {
                #expect(try await client.ask(.post, "/api/v1/tasks/\(id)/approve").status == 409, "\(id)")
            }
        }
    }
}
