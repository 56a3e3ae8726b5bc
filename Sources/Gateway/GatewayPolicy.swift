package import Domain

/// What one task may reach through its gateway, with the credentials that are added on the way.
package struct GatewayPolicy: Sendable {
    /// A model API.
    package struct Model: Sendable {
        /// `https://host[:port][/prefix]`, with or without the `/v1` that the requests bring along.
        package var baseURL: String
        /// The real key; `nil` makes the route answer that none is configured.
        package var apiKey: String?

        package init(baseURL: String, apiKey: String?) {
            self.baseURL = baseURL
            self.apiKey = apiKey
        }
    }

    /// The one repository that git may reach.
    package struct Git: Sendable {
        /// `http(s)://host[:port]/path`, exactly as clients inside ask for it after `/git/`.
        package var repositoryURL: String
        /// Such as `x-access-token` (GitHub) or `oauth2` (GitLab); the token's default when `nil` is the former.
        package var username: String?
        /// `nil` sends no credential.
        package var token: String?
        package var allowPush: Bool

        package init(repositoryURL: String, username: String? = nil, token: String? = nil, allowPush: Bool = false) {
            self.repositoryURL = repositoryURL
            self.username = username
            self.token = token
            self.allowPush = allowPush
        }
    }

    /// `nil`: the profile does not allow this route.
    package var anthropic: Model?
    package var openai: Model?
    package var git: Git?
    /// Which addresses upstreams may have.
    package var addresses: AddressRule

    /// Connections at a time.
    package var maxConnections = 64
    /// Request line and headers together.
    package var maxHeaderBytes = 64 * 1024
    /// Request body of a model route.
    package var maxBodyBytes = 32 * 1024 * 1024
    /// Request body of the git route: a pushed pack.
    package var maxPackBytes = 1024 * 1024 * 1024
    package var requestsPerMinute = 200
    /// From the first byte of a request, or from the connection, to the end of its head.
    package var headerTimeout: Duration = .seconds(15)
    /// Longest silence of the client, while it sends a body, takes an answer or keeps a connection.
    package var idleTimeout: Duration = .seconds(120)
    /// Longest silence of an upstream; models think for minutes before they answer.
    package var upstreamIdleTimeout: Duration = .seconds(600)

    package init(
        anthropic: Model? = nil,
        openai: Model? = nil,
        git: Git? = nil,
        addresses: AddressRule = .publicOnly
    ) {
        self.anthropic = anthropic
        self.openai = openai
        self.git = git
        self.addresses = addresses
    }
}

/// Secrets never show in a log by accident.
extension GatewayPolicy.Model: CustomStringConvertible, CustomReflectable {
    package var description: String { "Model(\(apiKey == nil ? "no key" : "key set"))" }
    package var customMirror: Mirror { Mirror(self, children: ["apiKey": apiKey == nil ? "nil" : "***"]) }
}

extension GatewayPolicy.Git: CustomStringConvertible, CustomReflectable {
    package var description: String { "Git(\(token == nil ? "no token" : "token set"))" }
    package var customMirror: Mirror { Mirror(self, children: ["token": token == nil ? "nil" : "***"]) }
}
