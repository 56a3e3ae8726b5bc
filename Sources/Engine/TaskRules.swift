package import Domain

/// What a new task must satisfy.
package struct TaskRules: Sendable {
    /// Longest prompt, in Unicode scalars.
    package static let maximumPromptScalars = 102_400

    /// Names a task may ask for in `config.cli`.
    package var registeredCLIs: Set<String>
    package var makeID: @Sendable () -> String
    /// Whether a URL is one, by the API's rule; kept out of here because parsing one needs Foundation.
    package var isURL: @Sendable (String) -> Bool

    package init(
        registeredCLIs: Set<String>, makeID: @escaping @Sendable () -> String,
        isURL: @escaping @Sendable (String) -> Bool
    ) {
        self.registeredCLIs = registeredCLIs
        self.makeID = makeID
        self.isURL = isURL
    }

    /// Checks a draft in the order of the API: members together first, then task type, pull request, CLI.
    ///
    /// - Returns: The task's type.
    /// - Throws: `.invalidArgument`; the message names the first failing member, `fields` all of them.
    package func validate(_ draft: TaskDraft) throws(CodeForgeError) -> TaskType {
        var fields: [(name: String, reason: String)] = []
        if draft.repoURL.isEmpty {
            fields.append(("repo_url", "field is required"))
        } else if !isURL(draft.repoURL) {
            fields.append(("repo_url", "must be a valid URL"))
        }
        if draft.prompt.isEmpty {
            fields.append(("prompt", "field is required"))
        } else if draft.prompt.unicodeScalars.count > TaskRules.maximumPromptScalars {
            fields.append(("prompt", "exceeds maximum length"))
        }
        if let url = draft.callbackURL, !url.isEmpty, !isURL(url) {
            fields.append(("callback_url", "must be a valid URL"))
        }
        try TaskRules.refuse(fields)

        let name = draft.taskType ?? ""
        guard let type = name.isEmpty ? .code : TaskType(rawValue: name) else {
            throw TaskRules.invalid("task_type", "unknown task type: \(name)")
        }
        if type == .prReview, (draft.config?.prNumber ?? 0) <= 0 {
            throw TaskRules.invalid("pr_number", "pr_number is required for pr_review tasks")
        }
        if let cli = draft.config?.cli, !cli.isEmpty, !registeredCLIs.contains(cli) {
            throw TaskRules.invalid("cli", "unknown CLI: \(cli)")
        }
        return type
    }

    private static func invalid(_ name: String, _ reason: String) -> CodeForgeError {
        CodeForgeError(.invalidArgument, "\(name): \(reason)", fields: [(name, reason)])
    }

    private static func refuse(_ fields: [(name: String, reason: String)]) throws(CodeForgeError) {
        guard let first = fields.first else { return }
        throw CodeForgeError(.invalidArgument, "\(first.name): \(first.reason)", fields: fields)
    }
}
