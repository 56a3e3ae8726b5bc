import Domain

/// A "no" with its reason, as the client inside and the audit both get it.
struct Refusal: Error, Equatable {
    var status: Int
    /// Stable, for programs.
    var error: String
    /// For the agent, which should read why and stop trying.
    var message: String
    var headers: HeaderList = [:]
    /// For the audit only.
    var detail: String?

    static func == (a: Refusal, b: Refusal) -> Bool { a.status == b.status && a.error == b.error }

    static func malformed(_ reason: String) -> Refusal {
        Refusal(status: 400, error: "bad_request", message: "Not strict HTTP/1.1: \(reason).")
    }
    static let version = Refusal(status: 505, error: "http_version", message: "The gateway speaks HTTP/1.1 only.")
    static let upgrade = Refusal(status: 400, error: "upgrade_refused", message: "The gateway upgrades no connection.")
    static let headersTooLarge = Refusal(
        status: 431,
        error: "headers_too_large",
        message: "The request's headers are too large."
    )
    static func bodyTooLarge(_ limit: Int) -> Refusal {
        Refusal(status: 413, error: "body_too_large", message: "The body is longer than \(limit) bytes.")
    }
    static let slowHeaders = Refusal(
        status: 408,
        error: "request_timeout",
        message: "The request's headers took too long to arrive."
    )
    static let slowBody = Refusal(
        status: 408,
        error: "request_timeout",
        message: "The request's body took too long to arrive."
    )
    static let tooManyConnections = Refusal(
        status: 503,
        error: "too_many_connections",
        message: "The task has too many connections open.",
        headers: ["Retry-After": "1"]
    )
    static func rateLimited(seconds: Int) -> Refusal {
        Refusal(
            status: 429,
            error: "rate_limited",
            message: "Too many requests; try again in \(seconds) s.",
            headers: ["Retry-After": "\(seconds)"]
        )
    }

    static let proxy = Refusal(
        status: 403,
        error: "proxy_refused",
        message: "This sandbox has no network: the gateway is no proxy. Only its own routes are there."
    )
    static func egress(_ authority: String) -> Refusal {
        Refusal(
            status: 403,
            error: "egress_refused",
            message: "\(authority) is not among the hosts that the task's profile allows."
        )
    }
    static func hello(_ error: String, detail: String) -> Refusal {
        Refusal(status: 200, error: error, message: "", detail: detail)
    }
    static func budgetExceeded(_ which: String, limit: Int64) -> Refusal {
        Refusal(
            status: 403,
            error: "budget_exceeded",
            message: "The task's budget of \(limit) \(which) is used up; it gets no further requests.",
            detail: which
        )
    }
    static let notFound = Refusal(
        status: 404,
        error: "not_found",
        message: "The gateway has no such route; this request is not allowed."
    )
    static func notAllowed(_ route: GatewayDecision.Route) -> Refusal {
        Refusal(
            status: 403,
            error: "route_refused",
            message: "The task's profile does not allow /\(route.rawValue)."
        )
    }
    static func endpoint(_ route: GatewayDecision.Route) -> Refusal {
        Refusal(
            status: 403,
            error: "endpoint_refused",
            message: "This is not one of the allowed paths of /\(route.rawValue)."
        )
    }
    static func method(_ allowed: String) -> Refusal {
        Refusal(
            status: 405,
            error: "method_not_allowed",
            message: "This path takes \(allowed) only.",
            headers: ["Allow": allowed]
        )
    }
    static func noKey(_ route: GatewayDecision.Route) -> Refusal {
        Refusal(
            status: 403,
            error: "no_key",
            message: "No API key for /\(route.rawValue) is configured in the service; ask its operator to add one."
        )
    }
    /// - Parameter what: May be the client's words; cut and cleaned here.
    static func modelRequest(_ what: String) -> Refusal {
        let what = what.split(separator: " ").map { PlainText.start(of: $0, 80) }.joined(separator: " ")
        return Refusal(
            status: 403,
            error: "model_request_refused",
            message: "The task's profile allows no model request that has the provider act or load by itself: \(what). "
                + "Tools that run here and data within the request are allowed.",
            detail: what + " (gateway.model_tools)"
        )
    }
    static func modelRequestMalformed(_ why: String) -> Refusal {
        Refusal(
            status: 400,
            error: "model_request_malformed",
            message: "The body of a model request must be one JSON value with one reading: \(why).",
            detail: why + " (gateway.model_tools)"
        )
    }
    static let tooMuchAtOnce = Refusal(
        status: 503,
        error: "too_much_at_once",
        message: "The task's requests to models are too large together; try again when others are done.",
        headers: ["Retry-After": "1"]
    )
    static let otherRepository = Refusal(
        status: 403,
        error: "repository_refused",
        message: "Only the task's own repository can be reached."
    )
    static let pushRefused = Refusal(
        status: 403,
        error: "push_refused",
        message: "The task may read its repository but not push to it."
    )
}

extension Refusal {
    /// The answer to a failed transfer. The transport's message names addresses of networks that are none of the
    /// client's business.
    init(_ error: CodeForgeError) {
        switch error.code {
        case .timeout:
            self.init(status: 504, error: "upstream_timeout", message: "The upstream did not answer in time.")
        case .forbidden:
            self.init(
                status: 502,
                error: "address_refused",
                message: "The upstream's address is not allowed by the service's configuration."
            )
        default:
            self.init(status: 502, error: "upstream_unavailable", message: "The upstream cannot be reached.")
        }
        detail = error.message
    }
}
