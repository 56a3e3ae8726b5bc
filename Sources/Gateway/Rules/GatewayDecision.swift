package import Domain

/// One request as the audit sees it. Holds no header, no query, no body, and nothing that a client chose freely but a
/// method and a path of limited length and alphabet.
package struct GatewayDecision: Sendable, Equatable {
    package enum Route: String, Sendable, Equatable {
        case anthropic, openai, git, mcp
        /// The proxy: a tunnel (`CONNECT`) or a plain `http` request to a name on the profile's list.
        case egress
        /// Whatever has no route: another path, or no HTTP at all.
        case none
    }

    /// When the request's head was complete, or the connection was refused.
    package var time: Timestamp
    package var route: Route
    package var method: String
    /// The template of an allowed path (`/v1/models/{id}`), otherwise the path or proxy target as it was asked for, cut
    /// to 200 bytes with every unusual byte replaced by `?`.
    package var target: String
    /// Whether policy let it through, also when it failed then.
    package var allowed: Bool
    /// Why it was refused or failed: `not_found`, `method_not_allowed`, `rate_limited` …; `ok` when it went through.
    package var reason: String
    /// For the operator alone: which budget was exceeded, which address was refused and why, the server name of a TLS
    /// client, what the transport said about a failed upstream. Holds no secret, yet names addresses.
    package var detail: String?
    /// Refusals since the last reported one that were too many to report one by one.
    package var suppressed: Int
    /// What the client was answered; 0 when it was gone before.
    package var status: Int
    /// Body bytes taken from the client.
    package var requestBytes: Int
    /// Body bytes passed to the client.
    package var responseBytes: Int
    package var milliseconds: Int
    /// As the model API reports it, tokens read from and written to its cache included; `nil` when it did not.
    package var inputTokens: Int?
    package var outputTokens: Int?

    package init(
        time: Timestamp,
        route: Route,
        method: String,
        target: String,
        allowed: Bool,
        reason: String,
        status: Int,
        requestBytes: Int = 0,
        responseBytes: Int = 0,
        milliseconds: Int = 0,
        inputTokens: Int? = nil,
        outputTokens: Int? = nil,
        detail: String? = nil,
        suppressed: Int = 0
    ) {
        self.time = time
        self.detail = detail
        self.suppressed = suppressed
        self.route = route
        self.method = method
        self.target = target
        self.allowed = allowed
        self.reason = reason
        self.status = status
        self.requestBytes = requestBytes
        self.responseBytes = responseBytes
        self.milliseconds = milliseconds
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}
