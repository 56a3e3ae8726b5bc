package import Domain

/// Tool servers: one endpoint each (MCP specification 2025-06-18, "Streamable HTTP"), nothing below it.
extension Router {
    struct MCPEndpoint: Sendable {
        var url: String
        var headers: HeaderList
    }

    private static let methods: Set<String> = ["POST", "GET", "DELETE"]

    /// - Throws: `.invalidArgument` for a malformed name, URL or header; the message holds neither URL nor value.
    static func endpoints(_ servers: [String: GatewayPolicy.MCPServer]) throws(CodeForgeError) -> [String: MCPEndpoint]
    {
        var endpoints: [String: MCPEndpoint] = [:]
        for (name, server) in servers {
            do {
                endpoints[name] = try endpoint(name, server)
            } catch {
                throw CodeForgeError(
                    .invalidArgument, "gateway: MCP server \"\(name.prefix(64))\": \(error.message)")
            }
        }
        return endpoints
    }

    static func endpoint(
        _ name: String, _ server: GatewayPolicy.MCPServer
    ) throws(CodeForgeError) -> MCPEndpoint {
        guard isServerName(name) else { throw CodeForgeError(.invalidArgument, "the name is malformed") }
        let url = try HTTPURL(server.url)
        for field in server.headers {
            guard HeaderList.isValid(field), !RequestFilter.isHopByHop(field.name.lowercased()) else {
                throw CodeForgeError(.invalidArgument, "a header is malformed")
            }
        }
        return MCPEndpoint(url: url.description, headers: server.headers)
    }

    private static func isServerName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count) && !name.hasPrefix(".")
            && name.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }

    /// What of a server's headers must not reach the client: each value, and a credential behind its scheme.
    static func secrets(of servers: [String: GatewayPolicy.MCPServer]) -> [String] {
        servers.values.flatMap { server in
            server.headers.flatMap { [$0.value] + $0.value.split(separator: " ").dropFirst().map(String.init) }
        }
    }

    func toolServer(_ head: RequestHead, _ path: String, _ query: String?) throws(Refusal) -> Destination {
        guard !policy.mcp.isEmpty else { throw Refusal.notAllowed(.mcp) }
        let name = String(path.dropFirst("/mcp/".count))
        guard let endpoint = mcp[name], query == nil else { throw Refusal.endpoint(.mcp) }
        guard Router.methods.contains(head.method) else { throw Refusal.method("POST, GET, DELETE") }
        guard head.method == "POST" || head.framing == .none else {
            throw Refusal.malformed("a \(head.method) has a body")
        }
        var headers = RequestFilter.mcpHeaders(head.headers)
        for field in endpoint.headers { headers.remove(field.name) }
        for field in endpoint.headers { headers.append(field.name, field.value) }
        return Destination(
            route: .mcp,
            template: path,
            url: endpoint.url,
            headers: headers,
            maxBodyBytes: policy.maxBodyBytes,
            isMetered: false
        )
    }
}

extension GatewayPolicy.MCPServer {
    /// Whether the gateway can serve it under that name.
    ///
    /// - Throws: `.invalidArgument` for a malformed name, URL or header; the message holds neither URL nor value.
    package func check(name: String) throws(CodeForgeError) { _ = try Router.endpoint(name, self) }
}
