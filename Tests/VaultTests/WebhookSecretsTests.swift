import Domain
import Foundation
import Testing

@testable import Vault

@Suite struct WebhookSecretsTests {
    private let body = Array(#"{"action":"opened"}"#.utf8)
    private let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

    private func accepts(
        _ secrets: WebhookSecrets, _ provider: GitProvider, _ headers: HeaderList, _ body: [UInt8]? = nil
    ) -> Bool {
        secrets.accepts(WebhookDelivery(provider: provider, headers: headers, body: body ?? self.body), now: now)
    }

    private func signature(_ secret: String, _ body: [UInt8]) -> String {
        "sha256=" + Digests.hmacSHA256Hex(key: secret, body)
    }

    /// The example of GitHub's documentation, "Validating webhook deliveries".
    @Test func gitHubsExampleHolds() throws {
        let secrets = try WebhookSecrets(github: ["It's a Secret to Everybody"], gitlab: [])
        let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        let hello = Array("Hello, World!".utf8)
        #expect(accepts(secrets, .github, ["x-hub-signature-256": right], hello))
        #expect(!accepts(secrets, .github, ["x-hub-signature-256": right], hello + [0x20]))
        for wrong in [
            "", "sha256=", String(right.dropFirst(7)), right.uppercased(), "sha1=" + right.dropFirst(7), right + "0",
        ] {
            #expect(!accepts(secrets, .github, ["x-hub-signature-256": wrong], hello), "\(wrong)")
        }
        #expect(!accepts(secrets, .github, [:], hello))
        #expect(
            !accepts(secrets, .github, ["x-hub-signature-256": right, "X-Hub-Signature-256": right], hello), "twice")
        #expect(!accepts(secrets, .gitlab, ["x-hub-signature-256": right], hello))
    }

    @Test func eachOfSeveralSecretsHolds() throws {
        let secrets = try WebhookSecrets(github: ["old", "new"], gitlab: ["one", "two"])
        for (secret, expected) in [("old", true), ("new", true), ("other", false), ("", false), ("old,new", false)] {
            #expect(accepts(secrets, .github, ["X-Hub-Signature-256": signature(secret, body)]) == expected)
        }
        for (token, expected) in [("one", true), ("two", true), ("three", false), ("on", false), ("", false)] {
            #expect(accepts(secrets, .gitlab, ["X-Gitlab-Token": token]) == expected)
        }
    }

    @Test func withoutASecretNothingHolds() throws {
        let secrets = try WebhookSecrets(github: [""], gitlab: [])
        for provider in [GitProvider.github, .gitlab] {
            #expect(!secrets.isConfigured(for: provider))
            #expect(!accepts(secrets, provider, ["X-Hub-Signature-256": signature("", body), "X-Gitlab-Token": ""]))
        }
    }

    private func signed(
        _ key: [UInt8], id: String = "msg_1", time: String = "1700000000", version: String = "v1"
    ) -> HeaderList {
        let digest = Digests.hmacSHA256(key: key, Array("\(id).\(time).".utf8) + body)
        return [
            "webhook-id": id, "webhook-timestamp": time,
            "webhook-signature": "\(version),\(Data(digest).base64EncodedString())",
        ]
    }

    @Test func gitLabsSignaturesHoldForFiveMinutes() throws {
        let key = [UInt8](repeating: 7, count: 32)
        let secret = "whsec_" + Data(key).base64EncodedString()
        let secrets = try WebhookSecrets(github: [], gitlab: ["plain", secret])
        #expect(accepts(secrets, .gitlab, signed(key)))
        #expect(accepts(secrets, .gitlab, ["X-Gitlab-Token": "plain"]))
        #expect(!accepts(secrets, .gitlab, ["X-Gitlab-Token": secret]), "a signing secret is no token")
        for (seconds, expected) in [(-300, true), (300, true), (-301, false), (301, false)] {
            #expect(accepts(secrets, .gitlab, signed(key, time: "\(1_700_000_000 + seconds)")) == expected)
        }
        for time in ["", "+1700000000", "1700000000.0", "nan", "1e9", "99999999999999999999"] {
            #expect(!accepts(secrets, .gitlab, signed(key, time: time)), "\(time)")
        }
        #expect(!accepts(secrets, .gitlab, signed(key, version: "v1a")))
        #expect(!accepts(secrets, .gitlab, signed([UInt8](repeating: 8, count: 32))))
        #expect(!accepts(secrets, .gitlab, signed(key), body + [0x20]))
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            var headers = signed(key)
            headers.remove(name)
            #expect(!accepts(secrets, .gitlab, headers), "\(name)")
            headers = signed(key)
            headers.set(name, "x")
            #expect(!accepts(secrets, .gitlab, headers), "\(name)")
        }
        var several = signed(key)
        several.set("webhook-signature", "v1,AAAA v2,x \(several["webhook-signature"] ?? "")")
        #expect(accepts(secrets, .gitlab, several))
    }

    @Test(arguments: ["whsec_", "whsec_%%%", "whsec_AAAA"])
    func aMalformedSigningSecretIsRefused(_ secret: String) {
        #expect(throws: CodeForgeError.self) { try WebhookSecrets(github: [], gitlab: [secret]) }
    }

    @Test func theyAreNotShown() throws {
        let secrets = try WebhookSecrets(github: ["hunter2"], gitlab: ["hunter3"])
        var dumped = ""
        dump(secrets, to: &dumped)
        #expect(!"\(secrets)\(dumped)".contains("hunter"))
    }
}
