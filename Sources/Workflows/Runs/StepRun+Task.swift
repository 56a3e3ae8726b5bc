import Domain
import Engine
import Logging

/// Runs a task.
extension StepRun {
    /// Longest `result` among the outputs, in bytes of UTF-8.
    private static let resultBytes = 2000

    mutating func runTask() async throws(StepFailure) -> [String: String] {
        if let id = record.taskID, try await look(at: id) != nil {
            try await assign(id)
        } else {
            let draft = try await draft()
            let id = record.taskID ?? parts.tasks.makeID()
            try await assign(id)
            let tasks = parts.tasks
            _ = try await retrying { () throws(CodeForgeError) in try await tasks.create(draft, as: id) }
        }
        let task = try await settled(record.taskID ?? "") { $0.isSettled }
        guard task.status != .failed else { throw .failed("task \(task.id) failed: \(task.error ?? "")") }
        return [
            "task_id": task.id, "status": task.status.rawValue,
            "result": Truncation.cut(task.result ?? "", utf8: StepRun.resultBytes),
        ]
    }

    private func look(at id: String) async throws(StepFailure) -> CodeTask? {
        try await retrying { () throws(CodeForgeError) in try await parts.record.task(id) }
    }

    /// Waits until a task is as wanted.
    func settled(_ id: String, _ isWanted: (CodeTask) -> Bool) async throws(StepFailure) -> CodeTask {
        try await parts.record.watching(id) { waker throws(StepFailure) in
            while true {
                guard let task = try await look(at: id) else { throw .failed("task \(id) not found") }
                if isWanted(task) { return task }
                await waker.wait(atMost: rules.pollInterval)
                if Task.isCancelled { throw .interrupted }
            }
        }
    }

    private func draft() async throws(StepFailure) -> TaskDraft {
        let config = try StepRun.read { () throws(CodeForgeError) in try TaskStepConfig(step) }
        guard let repository = try render(config.repoURL, "repo_url").filled else {
            throw .failed("repo_url is empty")
        }
        guard let prompt = try render(config.prompt, "prompt").filled else { throw .failed("prompt is empty") }
        var settings = TaskConfig()
        settings.cli = renderIfAny(config.cli)
        settings.aiModel = renderIfAny(config.aiModel)
        settings.sourceBranch = renderIfAny(config.sourceBranch)
        settings.targetBranch = renderIfAny(config.targetBranch)
        settings.outputMode = renderIfAny(config.outputMode)
        settings.prNumber = config.prNumber
        settings.timeoutSeconds = config.timeoutSeconds
        settings.maxTurns = config.maxTurns
        settings.maxBudgetUSD = config.maxBudgetUSD
        settings.mcpServers = config.mcpServers
        settings.tools = try await tools(config)
        if let reference = config.workspaceTaskRef?.filled {
            settings.workspaceTaskID = try task(of: reference, "workspace_task_ref")
        }
        var draft = TaskDraft(
            repoURL: repository, prompt: prompt, taskType: renderIfAny(config.taskType),
            providerKey: renderIfAny(config.providerKey), workflowRunID: run.id, config: settings,
            secrets: TaskSecrets(accessToken: renderIfAny(config.accessToken)))
        draft.trace = run.trace
        return draft
    }

    /// The tools, each with the token of the key that `tool_key_ref` names where the step says nothing else.
    private func tools(_ config: TaskStepConfig) async throws(StepFailure) -> [ToolRequest]? {
        guard var tools = config.tools, let name = renderIfAny(config.toolKeyRef) else { return config.tools }
        for index in tools.indices where tools[index].config?["auth_token"] == nil {
            do throws(CodeForgeError) {
                let key = try await parts.credentials.key(named: name, forTool: tools[index].name)
                tools[index].config = (tools[index].config ?? [:]).merging(["auth_token": key.token]) { $1 }
            } catch {
                if error.code == .cancelled { throw .interrupted }
                Logger.current.warning(
                    "key of a tool not used",
                    metadata: ["run.id": "\(run.id)", "key": "\(name)", "error": "\(error.message)"])
            }
        }
        return tools
    }
}
