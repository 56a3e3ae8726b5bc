import Domain
import Engine
import Hummingbird

/// The registry of tools.
struct ToolRoutes: Sendable {
    private let tools: ToolService
    private let body: BodyReader

    init(_ dependencies: APIDependencies) {
        tools = dependencies.tools
        body = BodyReader(limit: dependencies.maxBodyBytes)
    }

    var routes: [Route] {
        [
            Route(.post, "/api/v1/tools", "Register a tool", handler: register),
            Route(.get, "/api/v1/tools", "List tools") { _, _ in ToolRoutes.list(try await tools.tools()) },
            Route(.get, "/api/v1/tools/catalog", "List the built-in tools") { _, _ in
                ToolRoutes.list(ToolCatalog.builtIn)
            },
            Route(.get, "/api/v1/tools/{name}", "Get a tool") { _, context in
                let tool = try await tools.tool(context.decoded("name"))
                return .json { ToolRoutes.write(tool, to: &$0) }
            },
            Route(.delete, "/api/v1/tools/{name}", "Delete a tool", handler: remove),
        ]
    }

    @Sendable private func register(_ request: Request, _ context: APIContext) async throws -> Response {
        let tool = try await body.decode(Tool.self, from: request)
        try await tools.register(tool)
        return .json(.created) { json in
            json.member("name", tool.name)
            json.member("message", "tool registered")
        }
    }

    @Sendable private func remove(_ request: Request, _ context: APIContext) async throws -> Response {
        try await tools.remove(context.decoded("name"))
        return .json { $0.member("message", "tool deleted") }
    }

    private static func list(_ tools: [RegisteredTool]) -> Response {
        .json { json in
            json.name("tools")
            json.beginArray()
            for tool in tools {
                json.beginObject()
                write(tool, to: &json)
                json.endObject()
            }
            json.endArray()
        }
    }

    private static func write(_ registered: RegisteredTool, to json: inout JSONWriter) {
        let tool = registered.tool
        json.member("name", tool.name)
        json.member("type", tool.type)
        json.member("description", tool.description)
        json.member(ifAny: "version", tool.version)
        json.member(ifAny: "mcp_transport", tool.transport)
        json.member(ifAny: "mcp_url", tool.url)
        json.member(ifAny: "mcp_package", tool.package)
        json.member(ifAny: "mcp_command", tool.command)
        json.member(ifAny: "mcp_args", tool.args)
        write("required_config", tool.requiredConfig, to: &json)
        write("optional_config", tool.optionalConfig, to: &json)
        json.member(ifAny: "capabilities", tool.capabilities)
        json.member("builtin", registered.isBuiltIn)
        json.member("created_at", registered.createdAt)
    }

    private static func write(_ name: StaticString, _ fields: [ToolField], to json: inout JSONWriter) {
        guard !fields.isEmpty else { return }
        json.name(name)
        json.beginArray()
        for field in fields {
            json.beginObject()
            json.member("name", field.name)
            json.member("description", field.description)
            json.member("type", field.type)
            json.member("env_var", field.variable)
            json.member("sensitive", field.isSensitive)
            json.endObject()
        }
        json.endArray()
    }
}
