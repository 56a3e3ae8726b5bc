import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestKit
import Testing
import Vault

@testable import API

/// GitLab's signed deliveries, by the route.
@Suite struct SignedWebhookTests {
    /// What `standardwebhooks` 1.1.0 of PyPI, which knows nothing of us, makes of these:
    /// `Webhook(secret).sign(id, datetime.fromtimestamp(time, tz=timezone.utc), body)`.
    private enum Vector {
        static let secret = "whsec_Y29kZWZvcmdlLXNpZ25pbmcta2V5LW9mLWEtdGVzdCE="
        static let id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
        /// 45 seconds before the clock of `APIRig` begins.
        static let time = 1_767_323_000
        static let signature = "v1,koaEKewg7kU2pzpgfqNkfGcZW3f/pAXEuoGMbsDRNyY="
        static let body =
            #"{"object_kind":"merge_request","event_type":"merge_request","project":{"id":14,"#
            + #""git_http_url":"https://gitlab.com/acme/app.git"},"object_attributes":{"iid":42,"action":"open","#
            + #""title":"Add login – Žluť","draft":false,"source_branch":"feature/login","target_branch":"main","#
            + #""source_project_id":14,"target_project_id":14,"#
            + #""last_commit":{"id":"c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"}}}"# + "\n"
    }

    private func headers(
        id: String? = Vector.id, time: String? = "\(Vector.time)", signature: String? = Vector.signature
    ) -> HTTPFields {
        var headers = HTTPFields()
        headers[HTTPField.Name("X-Gitlab-Event")!] = "Merge Request Hook"
        headers[HTTPField.Name("webhook-id")!] = id
        headers[HTTPField.Name("webhook-timestamp")!] = time
        headers[HTTPField.Name("webhook-signature")!] = signature
        return headers
    }

    private func rig(_ secrets: [String] = [Vector.secret]) -> APIRig {
        var rig = APIRig()
        rig.gitlabSecrets = secrets
        return rig
    }

    @Test func aDeliveryThatSomebodyElsesLibrarySignedIsTaken() async throws {
        let rig = rig(["gl-secret", Vector.secret])
        try await rig.application.test(.router) { client in
            let answer = try await client.deliver(.gitlab, Array(Vector.body.utf8), headers: headers())
            #expect(answer.status == 201, "\(answer)")
            let task = try #require(try await rig.store.task(answer.text("task_id") ?? ""))
            #expect(task.prompt == "Review merge request !42: Add login – Žluť")
            #expect(task.repoURL == "https://gitlab.com/acme/app.git" && task.headSHA?.hasPrefix("c0c0") == true)
            let again = try await client.deliver(.gitlab, Array(Vector.body.utf8), headers: headers())
            #expect(again.status == 200 && again.text("status") == "deduplicated", "\(again)")
            // Another key of a rotation signed it as well.
            let both = "v1,AAAA \(Vector.signature)"
            let rotated = try await client.deliver(.gitlab, Array(Vector.body.utf8), headers: headers(signature: both))
            #expect(rotated.status == 200, "\(rotated)")
        }
    }

    @Test func whatIsNotSignedLikeThatIsNot() async throws {
        let rig = rig()
        let body = Array(Vector.body.utf8)
        try await rig.application.test(.router) { client in
            let wrong: [(String, HTTPFields, [UInt8])] = [
                ("another body", headers(), body.dropLast() + []),
                ("another id", headers(id: "msg_other"), body),
                ("another time", headers(time: "\(Vector.time + 1)"), body),
                ("no signature", headers(signature: nil), body), ("no time", headers(time: nil), body),
                ("no id", headers(id: nil), body),
                ("no version", headers(signature: "\(Vector.signature.dropFirst(3))"), body),
                ("unknown version", headers(signature: "v2" + Vector.signature.dropFirst(2)), body),
                ("plain token", Sender.gitlab.headers(body, secret: Vector.secret), body),
                ("no proof", [HTTPField.Name("X-Gitlab-Event")!: "Merge Request Hook"], body),
            ]
            for (what, headers, body) in wrong {
                let answer = try await client.deliver(.gitlab, body, headers: headers)
                #expect(answer.status == 401 && answer.text("message") == "invalid token", "\(what): \(answer)")
            }
            rig.clock.advance(by: .seconds(256))
            let late = try await client.deliver(.gitlab, body, headers: headers())
            #expect(late.status == 401, "replayed five minutes later: \(late)")
        }
        #expect(try await rig.store.list(status: nil, limit: 1, offset: 0).total == 0)
    }

    @Test func anotherSecretsSignatureIsNone() async throws {
        let other = "whsec_" + Data(repeating: 7, count: 32).base64EncodedString()
        try await rig([other]).application.test(.router) { client in
            let answer = try await client.deliver(.gitlab, Array(Vector.body.utf8), headers: headers())
            #expect(answer.status == 401, "\(answer)")
        }
    }
}

/// Every action that the forges document, in payloads with all their members.
@Suite struct WebhookActionTests {
    @Test(arguments: Sender.allCases)
    func eachActionIsTakenOrSaidNotToBe(_ sender: Sender) async throws {
        let rig = APIRig()
        let all = sender == .github ? WebhookFixture.githubActions : WebhookFixture.gitlabActions
        #expect(Set(sender.actions).isSubset(of: all))
        let url = sender == .github ? "https://github.com/acme/app.git" : "https://gitlab.com/acme/app.git"
        try await rig.application.test(.router) { client in
            for (index, action) in all.enumerated() {
                let fixture = WebhookFixture(action) {
                    $0.sha = String(repeating: String(index % 10), count: 40)
                    $0.number = index + 1
                    $0.repositoryURL = url
                }
                let answer = try await client.deliver(sender, fixture)
                guard sender.actions.contains(action) else {
                    let expected = ["status": "ignored", "reason": "action \(action) not handled"]
                    #expect(answer.status == 200 && answer.json as? [String: String] == expected, "\(answer)")
                    continue
                }
                #expect(answer.status == 201, "\(action): \(answer)")
                let task = try #require(try await rig.store.task(answer.text("task_id") ?? ""))
                #expect(task.config?.prNumber == index + 1 && task.headSHA == fixture.sha && task.repoURL == url)
                #expect(task.config?.sourceBranch == "feature/login" && task.config?.targetBranch == "main")
            }
        }
        #expect(try await rig.store.list(status: nil, limit: 100, offset: 0).total == sender.actions.count)
    }
}
