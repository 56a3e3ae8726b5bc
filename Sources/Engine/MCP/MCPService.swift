package import Domain

/// MCP servers that every task gets.
package struct MCPService: Sendable {
    private let store: any MCPServerStore
    private let clock: any WallClock

    package init(store: any MCPServerStore, clock: any WallClock) {
        self.store = store
        self.clock = clock
    }

    /// - Throws: `.invalidArgument` for the first thing that is wrong, `.conflict` for a name that is taken.
    package func register(_ server: MCPServer) async throws(CodeForgeError) -> String {
        let name = server.name ?? ""
        guard !name.isEmpty else { throw CodeForgeError(.invalidArgument, "name is required") }
        try NameRule.check(name)
        var server = server
        server.transport = server.effectiveTransport
        switch server.transport {
        case "http":
            guard server.url?.isEmpty == false else {
                throw CodeForgeError(.invalidArgument, "url is required for http transport")
            }
        case "stdio":
            guard server.package?.isEmpty == false else {
                throw CodeForgeError(.invalidArgument, "package is required for stdio transport")
            }
        default: throw CodeForgeError(.invalidArgument, "transport must be 'stdio' or 'http'")
        }
        do {
            try await store.insert(server, named: name, at: clock.now().wholeMilliseconds)
        } catch {
            guard error.code == .conflict else { throw error }
            throw CodeForgeError(.conflict, "MCP server '\(name)' already exists")
        }
        return name
    }

    package func servers() async throws(CodeForgeError) -> [RegisteredMCPServer] { try await store.servers() }

    /// - Throws: `.notFound`.
    package func remove(_ name: String) async throws(CodeForgeError) {
        guard try await store.remove(name) else {
            throw CodeForgeError(.notFound, "MCP server '\(name)' not found")
        }
    }
}

extension Timestamp {
    /// The precision of rows that clients register.
    var wholeMilliseconds: Timestamp { Timestamp(nanoseconds: milliseconds * 1_000_000) }
}
