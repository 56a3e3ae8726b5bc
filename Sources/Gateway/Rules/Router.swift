import Domain

/// Where a request goes, or why nowhere. Pure: a request's method, target and headers in, a decision out.
///
/// Paths are compared as they were sent and upstream URLs are put together from the policy and a closed set of paths,
/// so no encoding, dot segment or second slash has a meaning anywhere.
struct Router: Sendable {
    struct Destination: Sendable {
        var route: GatewayDecision.Route
        /// For the audit.
        var template: String
        var url: String
        /// What the request carries on, credentials last.
        var headers: HeaderList
        var maxBodyBytes: Int
        /// Whether the answer counts tokens.
        var isMetered: Bool
        /// The API whose request the body is, where it has to be looked through before any of it goes out.
        var inspected: ModelBody.API?
    }

    let policy: GatewayPolicy
    private let anthropic: String?
    private let openai: String?
    private let git: (prefix: String, url: String, credential: String?)?
    let mcp: [String: MCPEndpoint]
    /// Texts that must never reach the client.
    let secrets: [[UInt8]]

    /// - Throws: `.invalidArgument` for a malformed URL, user name, token or key in the policy.
    init(_ policy: GatewayPolicy) throws(CodeForgeError) {
        self.policy = policy
        anthropic = try policy.anthropic.map { model throws(CodeForgeError) in try Router.base(model, "anthropic") }
        openai = try policy.openai.map { model throws(CodeForgeError) in try Router.base(model, "openai") }
        var secrets = [policy.anthropic?.apiKey, policy.openai?.apiKey, policy.git?.token].compactMap { $0 }
        git = try policy.git.map { repository throws(CodeForgeError) in
            let url = try HTTPURL(repository.repositoryURL)
            guard url.query == nil, url.path.utf8.count > 1, !url.path.hasSuffix("/") else {
                throw CodeForgeError(.invalidArgument, "gateway: the repository's URL needs a path and no query")
            }
            // The name in front of the credential is this side's choice, so that a client cannot move the token.
            let credential = try repository.token.map { token throws(CodeForgeError) in
                let user = repository.username ?? "x-access-token"
                guard !user.contains(":"), Router.isPrintable(user), Router.isPrintable(token) else {
                    throw CodeForgeError(.invalidArgument, "gateway: the git user name or token is malformed")
                }
                return Base64.encode(Array("\(user):\(token)".utf8))
            }
            return ("/git/" + url.authority + url.path, url.description, credential)
        }
        mcp = try Router.endpoints(policy.mcp)
        if let credential = git?.credential { secrets.append(credential) }
        secrets += Router.secrets(of: policy.mcp)
        self.secrets = secrets.filter { $0.utf8.count >= Scrubber.minimumSecretBytes }.map { Array($0.utf8) }
    }

    private static func base(_ model: GatewayPolicy.Model, _ route: String) throws(CodeForgeError) -> String {
        let url = try HTTPURL(model.baseURL)
        guard url.query == nil, model.apiKey.map(isPrintable) ?? true else {
            throw CodeForgeError(.invalidArgument, "gateway: the \(route) base URL or key is malformed")
        }
        var path = Substring(url.path)
        while path.hasSuffix("/") { path.removeLast() }
        // Clients inside always say "/v1/…"; a base URL may have been given with it.
        if path.hasSuffix("/v1") { path.removeLast(3) }
        return url.origin + path
    }

    private static func isPrintable(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// The route a request names, also when it is refused then.
    static func route(of head: RequestHead) -> GatewayDecision.Route {
        isProxied(head) ? .egress : route(of: head.target)
    }

    private static func route(of target: String) -> GatewayDecision.Route {
        for route in [GatewayDecision.Route.anthropic, .openai, .git, .mcp]
        where target.hasPrefix("/\(route.rawValue)/") {
            return route
        }
        return .none
    }

    func destination(of head: RequestHead) throws(Refusal) -> Destination {
        if Router.isProxied(head) { return try proxied(head) }
        guard head.target.hasPrefix("/"), !head.target.hasPrefix("//") else { throw Refusal.proxy }
        let mark = head.target.firstIndex(of: "?")
        let path = String(head.target[..<(mark ?? head.target.endIndex)])
        let query = mark.map { String(head.target[head.target.index(after: $0)...]) }
        guard !head.target.contains("#"), !head.target.contains("\\") else {
            throw Refusal.malformed("the target has a fragment or a backslash")
        }
        switch Router.route(of: head.target) {
        case .anthropic:
            return try model(head, path, query, .anthropic, policy.anthropic, anthropic)
        case .openai:
            return try model(head, path, query, .openai, policy.openai, openai)
        case .git: return try repository(head, path, query)
        case .mcp: return try toolServer(head, path, query)
        case .egress, .none: throw Refusal.notFound
        }
    }

    // MARK: - Models

    private static let anthropicPaths = [
        "/v1/messages": "POST", "/v1/messages/count_tokens": "POST", "/v1/models": "GET", "/v1/models/{id}": "GET",
    ]
    private static let openaiPaths = [
        "/v1/responses": "POST", "/v1/responses/compact": "POST", "/v1/chat/completions": "POST", "/v1/models": "GET",
        "/v1/models/{id}": "GET",
    ]

    private func model(
        _ head: RequestHead,
        _ path: String,
        _ query: String?,
        _ route: GatewayDecision.Route,
        _ model: GatewayPolicy.Model?,
        _ base: String?
    ) throws(Refusal) -> Destination {
        guard let model, let base else { throw Refusal.notAllowed(route) }
        let rest = String(path.dropFirst(route.rawValue.count + 1))
        var template = rest
        if rest.hasPrefix("/v1/models/"), Router.isModelID(rest.dropFirst(11)) { template = "/v1/models/{id}" }
        let paths = route == .anthropic ? Router.anthropicPaths : Router.openaiPaths
        guard let method = paths[template] else { throw Refusal.endpoint(route) }
        guard head.method == method else { throw Refusal.method(method) }
        guard let key = model.apiKey else { throw Refusal.noKey(route) }
        guard method == "POST" || head.framing == .none else { throw Refusal.malformed("a GET has a body") }
        var headers = RequestFilter.modelHeaders(head.headers)
        let isInspected = method == "POST" && policy.modelTools == .client
        if isInspected {
            // Looked through as it is, read as it is: neither packed nor in another charset (UTF-7 hides keys in ASCII).
            guard headers.all("content-encoding").allSatisfy({ $0.lowercased() == "identity" }) else {
                throw Refusal.modelRequest("Content-Encoding")
            }
            headers.remove("content-encoding")
            headers.set("content-type", "application/json")
        }
        if route == .anthropic {
            headers.append("x-api-key", key)
        } else {
            headers.append("authorization", "Bearer " + key)
        }
        return Destination(
            route: route,
            template: template,
            url: base + rest + (query.map { "?" + $0 } ?? ""),
            headers: headers,
            maxBodyBytes: policy.maxBodyBytes,
            isMetered: method == "POST" && template != "/v1/messages/count_tokens",
            inspected: isInspected ? (route == .anthropic ? .anthropic : .openai) : nil
        )
    }

    private static func isModelID(_ text: Substring) -> Bool {
        (1...128).contains(text.utf8.count) && !text.hasPrefix(".")
            && text.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x3A, 0x5F: true
                default: false
                }
            }
    }

    // MARK: - Git

    private func repository(_ head: RequestHead, _ path: String, _ query: String?) throws(Refusal) -> Destination {
        guard let git, let allowPush = policy.git?.allowPush else { throw Refusal.notAllowed(.git) }
        guard let rest = Router.drop(git.prefix, from: path) else { throw Refusal.otherRepository }
        let isPush: Bool
        let method: String
        switch (rest, query) {
        case ("/info/refs", "service=git-upload-pack"): (method, isPush) = ("GET", false)
        case ("/info/refs", "service=git-receive-pack"): (method, isPush) = ("GET", true)
        case ("/git-upload-pack", nil): (method, isPush) = ("POST", false)
        case ("/git-receive-pack", nil): (method, isPush) = ("POST", true)
        default: throw Refusal.endpoint(.git)
        }
        guard head.method == method else { throw Refusal.method(method) }
        guard !isPush || allowPush else { throw Refusal.pushRefused }
        guard method == "POST" || head.framing == .none else { throw Refusal.malformed("a GET has a body") }
        var headers = RequestFilter.gitHeaders(head.headers)
        if let credential = git.credential { headers.append("authorization", "Basic " + credential) }
        return Destination(
            route: .git,
            template: "{repository}" + rest,
            url: git.url + rest + (query.map { "?" + $0 } ?? ""),
            headers: headers,
            maxBodyBytes: policy.maxPackBytes,
            isMetered: false
        )
    }

    /// The rest of `path` behind the repository; only the host's letters have no case.
    private static func drop(_ prefix: String, from path: String) -> String? {
        let start = path.prefix(prefix.count)
        guard let slash = prefix.dropFirst(5).firstIndex(of: "/") else { return nil }
        let host = prefix[..<slash]
        guard start.count == prefix.count, start.prefix(host.count).lowercased() == host.lowercased(),
            start.dropFirst(host.count) == prefix[slash...]
        else { return nil }
        return String(path.dropFirst(prefix.count))
    }
}
