package import Domain

/// A task as a client asks for it, already known to be well-formed JSON.
package struct TaskDraft: Sendable {
    package var repoURL: String
    package var prompt: String
    /// As sent; empty or absent means `code`.
    package var taskType: String?
    package var providerKey: String?
    package var callbackURL: String?
    package var workflowRunID: String?
    package var config: TaskConfig?
    package var secrets: TaskSecrets
    /// The commit a pull request must be at; `nil`: any.
    package var headSHA: String?
    /// Whether a webhook asks, not a person.
    package var isUnattended = false
    /// Where its spans hang; `nil`: the request under way.
    package var trace: TraceContext?

    package init(
        repoURL: String, prompt: String, taskType: String? = nil, providerKey: String? = nil,
        callbackURL: String? = nil, workflowRunID: String? = nil, config: TaskConfig? = nil,
        secrets: TaskSecrets = TaskSecrets()
    ) {
        self.repoURL = repoURL
        self.prompt = prompt
        self.taskType = taskType
        self.providerKey = providerKey
        self.callbackURL = callbackURL
        self.workflowRunID = workflowRunID
        self.config = config
        self.secrets = secrets
    }
}
