package import Domain

/// What a template's fields stand for.
package struct TemplateContext: Sendable {
    /// `.Params.name`
    package var params: [String: String]
    /// `.Steps.step.output`
    package var steps: [String: [String: String]]
    /// `.RunID`
    package var runID: String

    package init(params: [String: String], steps: [String: [String: String]], runID: String) {
        self.params = params
        self.steps = steps
        self.runID = runID
    }

    /// That of a run: a declared parameter nobody gave a value is empty.
    ///
    /// - Parameter steps: Of those that completed.
    package init(of run: WorkflowRun, steps: [RunStep]) {
        let declared = run.workflow.parameters.map { ($0.name, $0.default ?? "") }
        self.init(
            params: run.params.merging(declared) { given, _ in given },
            steps: Dictionary(steps.map { ($0.name, $0.result) }) { $1 }, runID: run.id)
    }
}
