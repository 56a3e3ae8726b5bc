package import Domain

extension JobPlanner {
    /// Plans commit and push of what is in a task's workspace, or with no `publication` the measuring of its changes.
    ///
    /// - Parameters:
    ///   - attempt: Unlike any other of the task's runs that publish.
    ///   - startedAt: When the time it may take begins.
    /// - Throws: `.conflict` when the workspace is a clone of another repository.
    package func publish(
        _ task: CodeTask, attempt: Int, _ publication: PublishSpec?, timeoutSeconds: Int, startedAt: Timestamp
    ) async throws(CodeForgeError) -> JobSpec {
        let owner = workspaceForm(workspacePath(of: task)) != nil ? task : try await workspaceOwner(of: task)
        guard owner.repoURL == task.repoURL else {
            throw CodeForgeError(
                .conflict, "the workspace of task \(task.id) is that of task \(owner.id), a clone of another repository"
            )
        }
        var spec = JobSpec(
            taskID: task.id, iteration: task.iteration, attempt: attempt, purpose: .publish, repoURL: task.repoURL,
            source: .existing, publication: publication, profile: demanding(configuration.profiles.git),
            gitProfile: demanding(configuration.profiles.git), requiredLayers: configuration.requiredLayers,
            paths: paths(of: task, workspaceOf: owner, isNew: false),
            agent: JobSpec.Agent(name: "git", binary: "git", prompt: ""),
            gateway: try await gateway(of: task, cli: "git", secrets: try await secrets.secrets(of: task.id)),
            limits: JobSpec.Limits(
                timeoutSeconds: timeoutSeconds, outputBytes: configuration.outputBytes,
                lineBytes: configuration.lineBytes, historyEntries: configuration.historyEntries),
            redis: configuration.redis, allowedLocalRoots: [], startedAt: startedAt)
        spec.allowMissing = configuration.allowMissing
        return spec
    }
}
