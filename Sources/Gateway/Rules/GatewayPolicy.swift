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

    /// A tool server behind HTTP (MCP, "Streamable HTTP"), as `/mcp/NAME`.
    package struct MCPServer: Sendable {
        /// `http(s)://host[:port]/path[?query]`: the one endpoint.
        package var url: String
        /// Added to each request, instead of what the client sends under these names.
        package var headers: HeaderList

        package init(url: String, headers: HeaderList = [:]) {
            self.url = url
            self.headers = headers
        }
    }

    /// `nil`: the profile does not allow this route.
    package var anthropic: Model?
    package var openai: Model?
    package var git: Git?
    /// By name: 1…64 of `A-Z a-z 0-9 . _ -`, not starting with a dot.
    package var mcp: [String: MCPServer] = [:]
    /// Hosts that the proxy serves; empty: there is no proxy.
    package var egress = EgressList()
    /// Which addresses upstreams may have.
    package var addresses: AddressRule
    package var limits = SandboxProfile.GatewayLimits()
    /// What a model request may have the provider do by itself.
    package var modelTools = SandboxProfile.ModelTools.client

    /// Request line and headers together.
    package var maxHeaderBytes = 64 * 1024
    /// Request body of a model route.
    package var maxBodyBytes = 32 * 1024 * 1024
    /// Bodies of model requests that are held at a time, for what `modelTools` asks of them: this memory is outside the
    /// sandbox's own limit.
    package var maxHeldBytes = 64 * 1024 * 1024
    /// Request body of the git route (a pushed pack) and of the proxy.
    package var maxPackBytes = 1024 * 1024 * 1024
    /// From the first byte of a request, or from the connection, to the end of its head.
    package var headerTimeout: Duration = .seconds(15)
    /// Longest silence of the client, while it sends a body, takes an answer or keeps a connection.
    package var idleTimeout: Duration = .seconds(120)
    /// Longest silence of an upstream; models think for minutes before they answer.
    package var upstreamIdleTimeout: Duration = .seconds(600)
    /// Longest silence of a tunnel, both ways together.
    package var tunnelIdleTimeout: Duration = .seconds(600)

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

extension GatewayPolicy.MCPServer: CustomStringConvertible, CustomReflectable {
    package var description: String { "MCPServer(\(headers.fields.count) headers)" }
    package var customMirror: Mirror { Mirror(self, children: ["headers": "***"]) }
}

extension GatewayPolicy.Git: CustomStringConvertible, CustomReflectable {
    package var description: String { "Git(\(token == nil ? "no token" : "token set"))" }
    package var customMirror: Mirror { Mirror(self, children: ["token": token == nil ? "nil" : "***"]) }
}
