import ArgumentParser
import Client
import Domain
import Settings

struct WorkflowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workflow", abstract: "Define workflows, run them, follow and cancel their runs.",
        discussion: """
            A workflow fetches data, has tasks run on it and opens pull requests. The beginning of a run's id is enough \
            where it fits one of the newest 100 runs.

            Exit status of what follows a run: 0 it completed, 1 it failed, 124 it timed out, 130 it was cancelled; of \
            everything: 2 wrong usage, 3 not found, 4 not authorized, 69 no answer.

            Examples:
              codeforge workflow ls
              codeforge workflow show github-issue-fixer
              codeforge workflow create -f triage.yaml
              codeforge workflow run triage -p item_id=7 --follow
              codeforge workflow runs --workflow triage
            """,
        subcommands: [
            List.self, Show.self, Create.self, Remove.self, Run.self, Stream.self, Runs.self, Status.self, Cancel.self,
            CancelAll.self,
        ])
}

extension Resource {
    static let workflows = Resource("workflows", at: "/api/v1/workflows")
    /// The newest 100, as many as the service lists.
    static let runs = Resource(
        "runs", at: "/api/v1/workflow-runs", id: "id", missing: "none of the newest 100 runs")
}

extension WorkflowCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List workflows, those that come with CodeForge first.",
            discussion: """
                Parameters that must be given are marked with *.

                Examples:
                  codeforge workflow ls
                  codeforge workflow ls --json | jq -r '.workflows[].name'
                """)

        @OptionGroup var output: AnswerOptions

        func run() async throws {
            try await output.list(
                .workflows,
                [
                    .text("NAME", "name"), .text("BUILT-IN") { $0["builtin"] == true ? "yes" : "no" },
                    .text("STEPS") { $0.list("steps").map { $0.text("name") }.joined(separator: " ") },
                    .text("PARAMETERS") { workflow in
                        workflow.list("parameters").map { parameter in
                            parameter.text("name") + (parameter["required"] == true ? "*" : "")
                        }.joined(separator: " ")
                    },
                    .text("DESCRIPTION", "description"),
                ])
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a workflow: its parameters, and what its steps do.",
            discussion: """
                What --json prints can be changed and given to `workflow create`, under another name.

                Examples:
                  codeforge workflow show github-issue-fixer
                  codeforge workflow show github-issue-fixer --json | jq '.name = "my-fixer"' > my-fixer.json
                """)

        @Argument(help: "Name of the workflow.")
        var name: String
        @OptionGroup var output: AnswerOptions

        func validate() throws { try checkName(name) }

        func run() async throws {
            try await output.show(name, of: .workflows) { say(WorkflowText.sheet($0).joined(separator: "\n")) }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Define a workflow.",
            discussion: """
                Its definition is YAML or JSON: name, description, steps and parameters, as docs/workflows.md has them. \
                What is wrong with it is told by place, all at once.

                Examples:
                  codeforge workflow create -f triage.yaml
                  codeforge workflow create -f - < triage.yaml
                """)

        @Option(
            name: [.customShort("f"), .customLong("file")], help: "Definition as YAML or JSON; - is standard input.")
        var file: String
        @OptionGroup var output: AnswerOptions

        func run() async throws {
            let definition: JSONValue = try reportingNow(definition)
            try await output.show({ api throws(CodeForgeError) in
                try await api.send("POST", Resource.workflows.path, definition)
            }) { _ in say("\(definition.text("name")) created") }
        }

        private func definition() throws(CodeForgeError) -> JSONValue {
            let shown = file == "-" ? "standard input" : file
            let text = try Input.text(file, upTo: YAMLDocument.longest)
            let definition: JSONValue
            do throws(CodeForgeError) {
                definition = try YAMLDocument.json(text)
            } catch {
                throw CodeForgeError(error.code, "\(shown): \(error.message)")
            }
            guard case .object = definition else {
                throw CodeForgeError(.invalidArgument, "\(shown): must be a mapping of name, steps and parameters")
            }
            // YAML reads 42 as a number, where the API wants a text.
            for (index, parameter) in definition.list("parameters").enumerated() {
                guard let value = parameter["default"], value != .null, value.stringValue == nil else { continue }
                throw CodeForgeError(
                    .invalidArgument, "\(shown): parameters[\(index)].default must be a text: put it in quotes")
            }
            return definition
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Delete workflows; built-in ones stay, and so do runs.",
            discussion: "Examples:\n  codeforge workflow rm triage")

        @Argument(help: "Names of workflows.")
        var names: [String]
        @OptionGroup var options: ServiceOptions

        func validate() throws { try names.forEach(checkName) }

        func run() async throws { try await remove(names, from: .workflows, options) }
    }
}
