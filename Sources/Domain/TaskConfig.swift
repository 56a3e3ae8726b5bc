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

/// A catalog tool a task asks for.
public struct ToolRequest: Sendable, Hashable, Codable {
    public var name: String?
    public var config: [String: String]?

    public init(name: String?, config: [String: String]? = nil) {
        self.name = name
        self.config = config
    }
}

extension TaskConfig {
    /// What stands for a value that is kept elsewhere.
    public static let mask = "***"

    /// Whether servers or tools carry values that may be secrets.
    public var holdsSecrets: Bool {
        (mcpServers ?? []).contains { $0.env?.isEmpty == false || $0.headers?.isEmpty == false }
            || (tools ?? []).contains { $0.config?.isEmpty == false }
    }

    /// The same without these values.
    public var masked: TaskConfig {
        func masked(_ values: [String: String]?) -> [String: String]? { values?.mapValues { _ in TaskConfig.mask } }
        var config = self
        config.mcpServers = mcpServers?.map { server in
            var server = server
            server.env = masked(server.env)
            server.headers = masked(server.headers)
            return server
        }
        config.tools = tools?.map { ToolRequest(name: $0.name, config: masked($0.config)) }
        return config
    }
}
