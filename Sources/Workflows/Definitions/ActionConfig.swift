package import Domain

/// What is done with a task's outcome: a pull or merge request, whichever the forge calls it.
package struct ActionConfig: Sendable {
    /// Names of the one action there is; both mean the same.
    package static let kinds = ["create_pr", "create_mr"]
    /// Outputs every action has.
    package static let outputs = ["pr_url", "pr_number", "branch"]

    package var kind: String
    /// An earlier task step.
    package var taskStepRef: String
    /// Template.
    package var title: String?
    /// Template.
    package var description: String?
    /// Template. `nil`: the task's own, else `main`.
    package var targetBranch: String?

    /// - Throws: `.invalidArgument`; `fields` has everything that is wrong.
    package init(_ step: WorkflowStep) throws(CodeForgeError) { self = try ActionConfig.read(step) }
}

extension ActionConfig: StepConfig {
    init(reading reader: inout StepConfigReader) {
        kind = reader.requiredText("kind")
        if !kind.isEmpty, !ActionConfig.kinds.contains(kind) {
            reader.refuse("kind", "unknown kind '\(kind)'; there are \(ActionConfig.kinds.joined(separator: ", "))")
        }
        taskStepRef = reader.requiredText("task_step_ref")
        title = reader.text("title")
        description = reader.text("description")
        targetBranch = reader.text("target_branch")
    }

    var templates: [(member: String, text: String)] {
        [("title", title ?? ""), ("description", description ?? ""), ("target_branch", targetBranch ?? "")]
    }

    var taskReferences: [(member: String, step: String)] {
        taskStepRef.isEmpty ? [] : [("task_step_ref", taskStepRef)]
    }
}
