package import Domain

/// What a new workflow must satisfy, so that a mistake is told when it is written and not in the middle of a run.
package enum WorkflowValidator {
    package static let mostSteps = 50
    package static let mostParameters = 100

    /// Steps and parameters may be none. Members nobody knows are left alone, undeclared parameters may be used.
    ///
    /// - Throws: `.invalidArgument`; `fields` has what is wrong by place, as `steps[1].config.url`, 100 of it at most, the
    ///   message the first.
    package static func check(_ workflow: Workflow) throws(CodeForgeError) {
        guard !workflow.name.isEmpty else { throw CodeForgeError(.invalidArgument, "name is required") }
        try NameRule.check(workflow.name)
        var check = WorkflowCheck(workflow)
        check.run()
        guard let first = check.problems.first else { return }
        throw CodeForgeError(
            .invalidArgument, "\(first.name): \(first.reason)", fields: Array(check.problems.prefix(mostProblems)))
    }

    /// An answer with all mistakes of a hostile definition would be larger than itself.
    private static let mostProblems = 100
}

/// Goes through a workflow once, front to back.
private struct WorkflowCheck {
    private let workflow: Workflow
    /// The first step of each name.
    private let places: [String: Int]
    /// Steps before the one at hand.
    private var earlier: [String: Step] = [:]
    private(set) var problems: [(name: String, reason: String)] = []
    private var refused: Set<String> = []

    /// Longest name of anything, in bytes.
    private static let longestName = 255

    private struct Step {
        var kind: WorkflowStep.Kind?
        /// `nil`: not known, for its definition is wrong.
        var outputs: [String]?
    }

    init(_ workflow: Workflow) {
        self.workflow = workflow
        places = Dictionary(workflow.steps.enumerated().map { ($0.element.name, $0.offset) }) { first, _ in first }
    }

    mutating func run() {
        if workflow.name.utf8.count > WorkflowCheck.longestName { refuse("name", "exceeds maximum length") }
        if workflow.steps.count > WorkflowValidator.mostSteps {
            refuse("steps", "there may be \(WorkflowValidator.mostSteps) at most")
        } else {
            for (index, step) in workflow.steps.enumerated() { check(step, at: index) }
        }
        if workflow.parameters.count > WorkflowValidator.mostParameters {
            refuse("parameters", "there may be \(WorkflowValidator.mostParameters) at most")
        } else {
            checkParameters()
        }
    }

    /// Each place once: an answer has them as the members of an object.
    private mutating func refuse(_ name: String, _ reason: String) {
        if refused.insert(name).inserted { problems.append((name, reason)) }
    }

    private mutating func checkParameters() {
        var names: Set<String> = []
        for (index, parameter) in workflow.parameters.enumerated() {
            let place = "parameters[\(index)].name"
            checkName(parameter.name, place)
            if !names.insert(parameter.name).inserted, !parameter.name.isEmpty {
                refuse(place, "there is another parameter '\(parameter.name)'")
            }
        }
    }

    private mutating func checkName(_ name: String, _ place: String) {
        if name.isEmpty {
            refuse(place, "field is required")
        } else if name.utf8.count > WorkflowCheck.longestName {
            refuse(place, "exceeds maximum length")
        } else if !TemplateName.accepts(name) {
            refuse(place, "a template can't name it: use letters, digits, - and _")
        }
    }

    // MARK: Steps

    private mutating func check(_ step: WorkflowStep, at index: Int) {
        let place = "steps[\(index)]"
        checkName(step.name, place + ".name")
        if earlier[step.name] != nil, !step.name.isEmpty {
            refuse(place + ".name", "there is another step '\(step.name)'")
        }
        var outputs: [String]?
        switch step.kind {
        case .fetch:
            if let config = read(FetchConfig.self, step, place) { outputs = config.outputs.map(\.name) }
        case .task:
            _ = read(TaskStepConfig.self, step, place)
            outputs = TaskStepConfig.outputs
        case .action:
            _ = read(ActionConfig.self, step, place)
            outputs = ActionConfig.outputs
        case nil:
            let kinds = WorkflowStep.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            refuse(
                place + ".type",
                step.type.isEmpty ? "field is required" : "unknown step type '\(step.type)'; there are \(kinds)")
        }
        if earlier[step.name] == nil { earlier[step.name] = Step(kind: step.kind, outputs: outputs) }
    }

    /// - Returns: `nil` when members of it are wrong.
    private mutating func read<Config: StepConfig>(
        _ type: Config.Type, _ step: WorkflowStep, _ place: String
    ) -> Config? {
        var reader = StepConfigReader(step.config)
        let config = Config(reading: &reader)
        for problem in reader.problems { refuse("\(place).\(problem.name)", problem.reason) }
        for (member, name) in config.taskReferences { checkTask(name, "\(place).config.\(member)") }
        for (member, text) in config.templates { checkTemplate(text, "\(place).config.\(member)") }
        return reader.problems.isEmpty ? config : nil
    }

    private mutating func checkTask(_ name: String, _ place: String) {
        guard let step = earlier[name] else { return refuse(place, missing(name)) }
        if step.kind != nil, step.kind != .task { refuse(place, "step '\(name)' is not a task") }
    }

    private mutating func checkTemplate(_ text: String, _ place: String) {
        let template: Template
        do throws(TemplateError) {
            template = try Template(text)
        } catch {
            return refuse(place, "\(error)")
        }
        for reference in template.references {
            guard case .output(let name, let output) = reference.field else { continue }
            let reason: String
            if let step = earlier[name] {
                guard let outputs = step.outputs, !outputs.contains(output) else { continue }
                let known = outputs.isEmpty ? "it has none" : "there are " + outputs.joined(separator: ", ")
                reason = "step '\(name)' has no output '\(output)'; \(known)"
            } else {
                reason = missing(name)
            }
            // The first is enough: a text may read the same thing many times.
            return refuse(place, "\(reference.position.error(reason))")
        }
    }

    private func missing(_ name: String) -> String {
        places[name] == nil ? "there is no step '\(name)'" : "step '\(name)' does not run before this one"
    }
}
