import COpenSSL
package import Domain

/// The secrets webhooks prove themselves with.
///
/// GitHub signs the body (`X-Hub-Signature-256`). GitLab sends a plain token (`X-Gitlab-Token`), or signs as Standard
/// Webhooks has it when its secret begins with `whsec_`. Several secrets of a forge hold at the same time, so that one
/// can follow another.
///
/// Source: GitHub documentation, "Validating webhook deliveries"; GitLab documentation, "Webhooks"; Standard Webhooks
/// specification, version 1.0.
package struct WebhookSecrets: WebhookVerifier {
    /// How far the clock of who signed may be from ours, in seconds.
    package static let tolerance = 300.0
    private static let signingPrefix = "whsec_"

    private let github: [[UInt8]]
    private let gitlabTokens: [[UInt8]]
    private let gitlabKeys: [[UInt8]]

    /// - Throws: `.invalidArgument` for a `whsec_` secret that is none; the message does not repeat it.
    package init(github: [String], gitlab: [String]) throws(CodeForgeError) {
        self.github = github.filter { !$0.isEmpty }.map { Array($0.utf8) }
        var tokens: [[UInt8]] = []
        var keys: [[UInt8]] = []
        for secret in gitlab where !secret.isEmpty {
            guard secret.hasPrefix(WebhookSecrets.signingPrefix) else {
                tokens.append(Array(secret.utf8))
                continue
            }
            guard let key = Base64.decode(String(secret.dropFirst(WebhookSecrets.signingPrefix.count))), key.count >= 16
            else {
                throw CodeForgeError(
                    .invalidArgument,
                    "code_review.webhook_secrets.gitlab: what follows `whsec_` must be base64 of at least 16 bytes")
            }
            keys.append(key)
        }
        gitlabTokens = tokens
        gitlabKeys = keys
    }

    package func isConfigured(for provider: GitProvider) -> Bool {
        provider == .github ? !github.isEmpty : !(gitlabTokens.isEmpty && gitlabKeys.isEmpty)
    }

    package func accepts(_ delivery: WebhookDelivery, now: Timestamp) -> Bool {
        switch delivery.provider {
        case .github: acceptsGitHub(delivery)
        case .gitlab: acceptsToken(delivery) || acceptsSignature(delivery, now: now)
        }
    }

    private func acceptsGitHub(_ delivery: WebhookDelivery) -> Bool {
        guard let given = WebhookSecrets.single("X-Hub-Signature-256", delivery) else { return false }
        return WebhookSecrets.any(github) { secret in
            Digests.equal(given.utf8, "sha256=\(Digests.hex(Digests.hmacSHA256(key: secret, delivery.body)))".utf8)
        }
    }

    private func acceptsToken(_ delivery: WebhookDelivery) -> Bool {
        guard let given = WebhookSecrets.single("X-Gitlab-Token", delivery) else { return false }
        return WebhookSecrets.any(gitlabTokens) { Digests.equal(given.utf8, $0) }
    }

    private func acceptsSignature(_ delivery: WebhookDelivery, now: Timestamp) -> Bool {
        guard !gitlabKeys.isEmpty, let id = WebhookSecrets.single("webhook-id", delivery),
            let time = WebhookSecrets.single("webhook-timestamp", delivery),
            let signatures = WebhookSecrets.single("webhook-signature", delivery),
            // Digits alone: what is signed has one reading.
            (1...12).contains(time.utf8.count), time.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let seconds = Double(time),
            abs(Double(now.nanoseconds) / 1e9 - seconds) <= WebhookSecrets.tolerance
        else { return false }
        let message = Array("\(id).\(time).".utf8) + delivery.body
        return WebhookSecrets.any(gitlabKeys) { key in
            let right = "v1," + Base64.encode(Digests.hmacSHA256(key: key, message))
            return WebhookSecrets.any(signatures.split(separator: " ").prefix(8).map(String.init)) {
                Digests.equal($0.utf8, right.utf8)
            }
        }
    }

    /// The value of a header that must be there once.
    private static func single(_ name: String, _ delivery: WebhookDelivery) -> String? {
        let values = delivery.headers.all(name)
        guard values.count == 1, let value = values.first, !value.isEmpty else { return nil }
        return value
    }

    /// Tries all, whichever is right.
    private static func any<Element>(_ elements: [Element], _ isRight: (Element) -> Bool) -> Bool {
        var found = false
        for element in elements where isRight(element) { found = true }
        return found
    }
}

extension WebhookSecrets: CustomStringConvertible, CustomReflectable {
    package var description: String { "WebhookSecrets(***)" }
    /// Keeps the secrets out of `dump`.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
