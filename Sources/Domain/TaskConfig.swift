/// The `config` member of a task as the client sent it; defaults are not filled in here.
public struct TaskConfig: Sendable, Hashable, Codable {
    public var timeoutSeconds: Int?
    public var cli: String?
    public var aiModel: String?
    public var maxTurns: Int?
    public var sourceBranch: String?
    public var targetBranch: String?
    public var maxBudgetUSD: Double?
    public var workspaceTaskID: String?
    public var mcpServers: [MCPServer]?
    public var tools: [ToolRequest]?
    public var prNumber: Int?
    public var outputMode: String?

    public init() {}

    enum CodingKeys: String, CodingKey {
        case timeoutSeconds = "timeout_seconds"
        case cli
        case aiModel = "ai_model"
        case maxTurns = "max_turns"
        case sourceBranch = "source_branch"
        case targetBranch = "target_branch"
        case maxBudgetUSD = "max_budget_usd"
        case workspaceTaskID = "workspace_task_id"
        case mcpServers = "mcp_servers"
        case tools
        case prNumber = "pr_number"
        case outputMode = "output_mode"
    }
}

/// An MCP server a task brings with it.
public struct MCPServer: Sendable, Hashable, Codable {
    public var name: String?
    public var transport: String?
    public var package: String?
    public var command: String?
    public var args: [String]?
    public var env: [String: String]?
    public var url: String?
    public var headers: [String: String]?
}

/// A catalog tool a task asks for.
public struct ToolRequest: Sendable, Hashable, Codable {
    public var name: String?
    public var config: [String: String]?
}
