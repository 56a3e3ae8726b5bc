package import Domain

/// A task that a step creates and waits for.
package struct TaskStepConfig: Sendable {
    /// Outputs every task step has.
    package static let outputs = ["task_id", "status", "result"]

    // Templates.
    package var repoURL: String
    package var prompt: String
    package var taskType: String?
    package var providerKey: String?
    package var accessToken: String?
    package var cli: String?
    package var aiModel: String?
    package var sourceBranch: String?
    package var targetBranch: String?
    package var outputMode: String?
    /// Template. Name of the key whose token every listed tool gets as `auth_token`.
    package var toolKeyRef: String?

    /// An earlier task step, in whose workspace this one works.
    package var workspaceTaskRef: String?
    /// From 1.
    package var prNumber: Int?
    package var tools: [ToolRequest]?
    package var mcpServers: [MCPServer]?
    /// From 1.
    package var timeoutSeconds: Int?
    /// From 1.
    package var maxTurns: Int?
    /// Above 0.
    package var maxBudgetUSD: Double?

    /// - Throws: `.invalidArgument`; `fields` has everything that is wrong.
    package init(_ step: WorkflowStep) throws(CodeForgeError) { self = try TaskStepConfig.read(step) }
}

extension TaskStepConfig: StepConfig {
    init(reading reader: inout StepConfigReader) {
        repoURL = reader.requiredText("repo_url")
        prompt = reader.requiredText("prompt")
        taskType = reader.text("task_type")
        if let taskType, !Template.isOne(taskType), TaskType(rawValue: taskType) == nil {
            reader.refuse("task_type", "unknown task type: \(taskType)")
        }
        providerKey = reader.text("provider_key")
        accessToken = reader.text("access_token")
        cli = reader.text("cli")
        aiModel = reader.text("ai_model")
        sourceBranch = reader.text("source_branch")
        targetBranch = reader.text("target_branch")
        outputMode = reader.text("output_mode")
        toolKeyRef = reader.text("tool_key_ref")
        workspaceTaskRef = reader.text("workspace_task_ref")
        prNumber = reader.count("pr_number")
        tools = reader.list("tools", "tools: a name each, and a config of texts")
        mcpServers = reader.list("mcp_servers", "MCP servers")
        timeoutSeconds = reader.count("timeout_seconds")
        maxTurns = reader.count("max_turns")
        maxBudgetUSD = reader.amount("max_budget_usd")
    }

    var templates: [(member: String, text: String)] {
        [
            ("repo_url", repoURL), ("prompt", prompt), ("task_type", taskType ?? ""),
            ("provider_key", providerKey ?? ""), ("access_token", accessToken ?? ""), ("cli", cli ?? ""),
            ("ai_model", aiModel ?? ""), ("source_branch", sourceBranch ?? ""), ("target_branch", targetBranch ?? ""),
            ("output_mode", outputMode ?? ""), ("tool_key_ref", toolKeyRef ?? ""),
        ]
    }

    var taskReferences: [(member: String, step: String)] {
        workspaceTaskRef.map { [("workspace_task_ref", $0)] } ?? []
    }
}
