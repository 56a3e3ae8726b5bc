import Domain
import Engine
import Hummingbird

/// MCP servers that every task gets.
struct MCPRoutes: Sendable {
    private let servers: MCPService
    private let body: BodyReader

    init(_ dependencies: APIDependencies) {
        servers = dependencies.mcp
        body = BodyReader(limit: dependencies.maxBodyBytes)
    }

    var routes: [Route] {
        [
            Route(.post, "/api/v1/mcp/servers", "Register an MCP server", handler: register),
            // It tells what is secret in them.
            Route(.get, "/api/v1/mcp/servers", "List MCP servers", access: .admin) { _, _ in try await list() },
            Route(.delete, "/api/v1/mcp/servers/{name}", "Delete an MCP server", handler: remove),
        ]
    }

    @Sendable private func register(_ request: Request, _ context: APIContext) async throws -> Response {
        let name = try await servers.register(body.decode(MCPServer.self, from: request))
        return .json(.created) { json in
            json.member("name", name)
            json.member("message", "MCP server registered")
        }
    }

    private func list() async throws -> Response {
        let all = try await servers.servers()
        return .json { json in
            json.name("servers")
            json.beginArray()
            for registered in all {
                let server = registered.server
                json.beginObject()
                json.member("name", server.name ?? "")
                json.member("transport", server.effectiveTransport)
                json.member(ifAny: "command", server.command)
                json.member(ifAny: "package", server.package)
                json.member(ifAny: "args", server.args ?? [])
                json.member(ifAny: "env", server.env)
                json.member(ifAny: "url", server.url)
                json.member(ifAny: "headers", server.headers)
                json.member("created_at", registered.createdAt)
                json.endObject()
            }
            json.endArray()
        }
    }

    @Sendable private func remove(_ request: Request, _ context: APIContext) async throws -> Response {
        try await servers.remove(context.decoded("name"))
        return .json { $0.member("message", "MCP server deleted") }
    }
}
