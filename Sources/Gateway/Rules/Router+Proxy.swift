import Domain

/// The proxy: hosts are compared with the profile's list before any name is looked up.
extension Router {
    /// Where a tunnel leads.
    struct TunnelTarget: Sendable, Equatable {
        var host: HTTPURL.Host
        var port: UInt16

        /// The canonical `host:port`.
        var authority: String { "\(host):\(port)" }
    }

    private static let proxyMethods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    /// Whether a request is one to a proxy.
    static func isProxied(_ head: RequestHead) -> Bool {
        head.method == "CONNECT" || head.target.prefix(8).lowercased().hasPrefix("http:")
            || head.target.prefix(8).lowercased().hasPrefix("https:")
    }

    /// The authority of a `CONNECT`, when the profile allows it.
    func tunnelTarget(of head: RequestHead) throws(Refusal) -> TunnelTarget {
        guard !policy.egress.isEmpty else { throw Refusal.proxy }
        guard head.framing == .none else { throw Refusal.malformed("a CONNECT has a body") }
        guard let authority = try? HTTPURL.Authority(head.target), let port = authority.port else {
            throw Refusal.malformed("the target of a CONNECT is host:port")
        }
        if let field = head.headers.first(where: { $0.name == "host" }) {
            guard let host = try? HTTPURL.Authority(field.value), host.host == authority.host, host.port ?? port == port
            else { throw Refusal.malformed("Host differs from the target") }
        }
        guard policy.egress.permits(authority.host, port: port, usual: 443) else {
            throw Refusal.egress("\(authority.host):\(port)")
        }
        return TunnelTarget(host: authority.host, port: port)
    }

    /// A plain `http` request in absolute form, when the profile allows its host.
    func proxied(_ head: RequestHead) throws(Refusal) -> Destination {
        guard !policy.egress.isEmpty else { throw Refusal.proxy }
        guard let url = try? HTTPURL(head.target) else { throw Refusal.malformed("the target is no plain URL") }
        guard !url.isSecure else { throw Refusal.malformed("https goes through CONNECT") }
        guard let field = head.headers.first(where: { $0.name == "host" }),
            let host = try? HTTPURL.Authority(field.value), host.host == url.host, host.port ?? 80 == url.port
        else { throw Refusal.malformed("Host differs from the target") }
        guard policy.egress.permits(url.host, port: url.port, usual: 80) else { throw Refusal.egress(url.authority) }
        guard Router.proxyMethods.contains(head.method) else {
            throw Refusal.method(Router.proxyMethods.sorted().joined(separator: ", "))
        }
        guard head.framing == .none || !["GET", "HEAD"].contains(head.method) else {
            throw Refusal.malformed("a \(head.method) has a body")
        }
        return Destination(
            route: .egress,
            template: url.origin + url.path,
            url: url.description,
            headers: RequestFilter.proxyHeaders(head.headers),
            maxBodyBytes: policy.maxPackBytes,
            isMetered: false
        )
    }
}
