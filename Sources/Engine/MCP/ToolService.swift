package import Domain

/// The registry of tools: those that come with CodeForge, and those of clients.
package struct ToolService: Sendable {
    private let store: any ToolStore
    private let clock: any WallClock

    package init(store: any ToolStore, clock: any WallClock) {
        self.store = store
        self.clock = clock
    }

    /// - Throws: `.invalidArgument` for the first thing that is wrong, `.conflict` for a name that is taken.
    package func register(_ tool: Tool) async throws(CodeForgeError) {
        guard !tool.name.isEmpty, !tool.type.isEmpty else {
            throw CodeForgeError(.invalidArgument, "name and type are required")
        }
        try NameRule.check(tool.name)
        guard Tool.types.contains(tool.type) else {
            throw CodeForgeError(.invalidArgument, "type must be 'mcp', 'builtin', or 'custom'")
        }
        // Its own page would be the catalog's.
        guard tool.name != "catalog" else {
            throw CodeForgeError(.invalidArgument, "name 'catalog' is reserved")
        }
        let taken = CodeForgeError(.conflict, "tool '\(tool.name)' already exists in scope 'global'")
        guard ToolCatalog.tool(named: tool.name) == nil else { throw taken }
        var tool = tool
        if tool.transport.isEmpty { tool.transport = "stdio" }
        do {
            try await store.insert(tool, at: clock.now().wholeMilliseconds)
        } catch {
            throw error.code == .conflict ? taken : error
        }
    }

    /// Those that come with CodeForge, then the others in the order of their creation.
    package func tools() async throws(CodeForgeError) -> [RegisteredTool] {
        ToolCatalog.builtIn + (try await store.tools())
    }

    /// - Throws: `.notFound`.
    package func tool(_ name: String) async throws(CodeForgeError) -> RegisteredTool {
        guard let tool = try await find(name) else { throw ToolService.unknown(name) }
        return tool
    }

    /// - Throws: `.notFound`; `.invalidArgument` for one that comes with CodeForge.
    package func remove(_ name: String) async throws(CodeForgeError) {
        guard ToolCatalog.tool(named: name) == nil else {
            throw CodeForgeError(.invalidArgument, "built-in tool '\(name)' cannot be deleted")
        }
        guard try await store.remove(name) else { throw ToolService.unknown(name) }
    }

    private func find(_ name: String) async throws(CodeForgeError) -> RegisteredTool? {
        if let tool = ToolCatalog.tool(named: name) { return tool }
        return try await store.tool(name)
    }

    private static func unknown(_ name: String) -> CodeForgeError {
        CodeForgeError(.notFound, "tool '\(name)' not found")
    }
}
