/// A webhook's delivery as it came in.
package struct WebhookDelivery: Sendable {
    package var provider: GitProvider
    package var headers: HeaderList
    package var body: [UInt8]

    package init(provider: GitProvider, headers: HeaderList, body: [UInt8]) {
        self.provider = provider
        self.headers = headers
        self.body = body
    }
}

/// Tells whether a delivery comes from who knows the secret.
package protocol WebhookVerifier: Sendable {
    /// Whether there is a secret to know.
    func isConfigured(for provider: GitProvider) -> Bool

    /// Takes the same time wherever the given proof differs from the right one.
    func accepts(_ delivery: WebhookDelivery, now: Timestamp) -> Bool
}

/// Reads what forges send.
package protocol WebhookReader: Sendable {
    /// - Throws: `.invalidArgument` for what is no payload of that forge's pull or merge requests.
    func read(_ body: [UInt8], from provider: GitProvider) throws(CodeForgeError) -> PullRequestEvent
}

/// Remembers for a while what was delivered.
package protocol DeliveryMarks: Sendable {
    /// - Parameter seconds: ≥ 1.
    /// - Returns: Whether it was not there; it stays as it is otherwise.
    func add(_ mark: DeliveryMark, seconds: Int) async throws(CodeForgeError) -> Bool

    /// From now on.
    func keep(_ mark: DeliveryMark, seconds: Int) async throws(CodeForgeError)

    func remove(_ mark: DeliveryMark) async throws(CodeForgeError)
}

/// One state of one pull request.
package struct DeliveryMark: Sendable, Hashable {
    package var repositoryURL: String
    package var number: Int
    package var sha: String

    package init(repositoryURL: String, number: Int, sha: String) {
        self.repositoryURL = repositoryURL
        self.number = number
        self.sha = sha
    }
}
