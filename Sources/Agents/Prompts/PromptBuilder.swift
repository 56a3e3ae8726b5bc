package import Domain

/// Builds the prompt a CLI gets. A client's text goes in as it is; nothing in it is read as a placeholder.
package enum PromptBuilder {
    /// The longest history section, in characters (Unicode scalars).
    package static let historyLimit = 50_000

    /// The prompt of the run a task is in: of its current iteration, or of its review. A script is taken as it is,
    /// whatever the task's type: templates and history are prose.
    ///
    /// - Parameter earlier: All finished iterations, oldest first, failed ones too.
    package static func prompt(of task: CodeTask, cli: String, earlier: [Iteration]) -> String {
        if task.status == .reviewing { return codeReview(of: task) }
        if AgentCatalog.adapter(named: cli)?.provider == nil { return task.activePrompt }
        return task.iteration > 1 ? followUp(task.activePrompt, earlier: earlier) : firstPrompt(of: task)
    }

    /// The prompt of a task's first iteration: the client's own for `code`, else in the template of the task's type.
    package static func firstPrompt(of task: CodeTask) -> String {
        switch task.type {
        case .code: task.prompt
        case .plan: PromptTemplates.plan(task: task.prompt)
        case .review: PromptTemplates.review(focus: task.prompt)
        case .prReview:
            PromptTemplates.pullRequestReview(
                number: task.config?.prNumber ?? 0, target: task.config?.targetBranch.flatMap(\.nonEmpty) ?? "main",
                instructions: task.prompt)
        }
    }

    /// The prompt of a follow-up that no conversation of the CLI can be resumed for.
    ///
    /// - Parameter earlier: All finished iterations, oldest first, failed ones too.
    package static func followUp(_ prompt: String, earlier: [Iteration]) -> String {
        guard let history = history(earlier) else { return prompt }
        return history + "\n## Current instruction\n\n" + prompt
    }

    /// The prompt of a review of what a task did.
    package static func codeReview(of task: CodeTask) -> String { PromptTemplates.codeReview(context: task.prompt) }

    /// The newest iterations that fit; of one that does not fit by itself, its beginning.
    private static func history(_ iterations: [Iteration]) -> String? {
        guard !iterations.isEmpty else { return nil }
        let heading = "## Previous iterations\n"
        var room = historyLimit - heading.unicodeScalars.count - 80  // for the line that says what was left out
        var kept: [String] = []
        for iteration in iterations.reversed() {
            let section = section(iteration)
            let length = section.unicodeScalars.count
            guard length <= room else {
                if kept.isEmpty { kept.append(prefix(of: section, scalars: room - 4) + "...\n") }
                break
            }
            kept.append(section)
            room -= length
        }
        let dropped = iterations.count - kept.count
        let note = dropped == 0 ? "" : "\n(\(dropped) earlier \(dropped == 1 ? "iteration" : "iterations") left out.)\n"
        return heading + note + kept.reversed().joined()
    }

    private static func section(_ iteration: Iteration) -> String {
        var text = "\n### Iteration \(iteration.number) (\(iteration.status.rawValue))\n\n"
        text += "Prompt:\n\(iteration.prompt)\n"
        if let result = iteration.result.nonEmpty { text += "\nResult:\n\(shortened(result))\n" }
        if let error = iteration.error.nonEmpty { text += "\nError:\n\(shortened(error))\n" }
        return text
    }

    /// As results are shortened elsewhere: the first 2 000 characters.
    private static func shortened(_ text: String) -> String {
        let scalars = 2_000
        return text.unicodeScalars.count <= scalars ? text : prefix(of: text, scalars: scalars) + "..."
    }

    private static func prefix(of text: String, scalars: Int) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(max(0, scalars))))
    }
}
