/// MCP servers that every task gets. Definitions are sealed: any part of one may hold a secret.
public protocol MCPServerStore: Sendable {
    /// - Throws: `.conflict` when the name is taken.
    func insert(_ server: MCPServer, named name: String, at time: Timestamp) async throws(CodeForgeError)

    /// In the order of their creation.
    ///
    /// - Throws: `.unavailable` naming a server that can't be opened with the present encryption key.
    func servers() async throws(CodeForgeError) -> [RegisteredMCPServer]

    /// - Returns: Whether it was there.
    func remove(_ name: String) async throws(CodeForgeError) -> Bool
}

/// Tools that clients registered; those that come with CodeForge are in `ToolCatalog`.
public protocol ToolStore: Sendable {
    /// - Throws: `.conflict` when the name is taken.
    func insert(_ tool: Tool, at time: Timestamp) async throws(CodeForgeError)

    /// In the order of their creation.
    func tools() async throws(CodeForgeError) -> [RegisteredTool]

    func tool(_ name: String) async throws(CodeForgeError) -> RegisteredTool?

    /// - Returns: Whether it was there.
    func remove(_ name: String) async throws(CodeForgeError) -> Bool
}
