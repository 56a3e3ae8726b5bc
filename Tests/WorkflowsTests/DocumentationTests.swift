import Domain
import Foundation
import Settings
import Testing
import Workflows

/// What docs/workflows.md shows has to work as it stands there.
@Suite struct DocumentationTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs/workflows.md")

    /// As a client's definition is taken in.
    private func workflow(_ json: JSONValue) throws -> Workflow {
        Workflow(
            name: try #require(json["name"]?.stringValue),
            steps: try (json["steps"]?.arrayValue ?? []).map { step in
                WorkflowStep(
                    name: try #require(step["name"]?.stringValue), type: try #require(step["type"]?.stringValue),
                    config: step["config"] ?? nil)
            },
            parameters: try (json["parameters"]?.arrayValue ?? []).map { parameter in
                WorkflowParameter(
                    name: try #require(parameter["name"]?.stringValue), required: parameter["required"] == true,
                    default: parameter["default"]?.stringValue)
            }, createdAt: Timestamp(nanoseconds: 0))
    }

    @Test func theExampleIsAWorkflow() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let parts = text.components(separatedBy: "```")
        let example = try #require(parts.first { $0.hasPrefix("yaml\n") }).dropFirst(5)
        let workflow = try workflow(try YAMLDocument.json(String(example)))
        try WorkflowValidator.check(workflow)
        #expect(workflow.steps.map(\.name) == ["item", "work", "open_pr"])
        var context = TemplateContext(
            of: WorkflowRun(id: "r", workflow: workflow, params: [:], createdAt: workflow.createdAt), steps: [])
        context.steps = ["item": ["title": "Title", "text": "Text.", "files": ""]]
        let task = try TaskStepConfig(workflow.steps[1])
        #expect(try Template(task.prompt).render(context) == "Title\n\nText.\n")
        context.steps["item"]?["files"] = #"["a.c"]"#
        #expect(
            try Template(task.prompt).render(context) == "Title\n\nText.\n\nBegin with these files: [\"a.c\"]\n")
    }

    @Test func everyBuiltInAndItsParametersAreTold() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let rows = text.split(separator: "\n")
        for workflow in BuiltInWorkflows.all {
            let row = try #require(rows.first { $0.hasPrefix("| `\(workflow.name)` |") })
            for parameter in workflow.parameters {
                #expect(row.contains("`\(parameter.name)\(parameter.required ? "*" : "")`"), "\(parameter.name)")
            }
        }
    }
}
