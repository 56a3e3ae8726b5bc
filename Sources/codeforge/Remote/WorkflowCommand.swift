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

/// Workflows and runs as the service tells of them.
struct WorkflowClient {
    let api: APIClient

    /// Runs that are looked through for the beginning of an id: as many as the service lists.
    private static let newest = 100

    init(_ options: ServiceOptions) throws { api = try options.client() }

    static func path(_ name: String, _ rest: String = "") -> String {
        "/api/v1/workflows/" + PercentEncoding.encoded(name) + rest
    }

    static func runPath(_ id: String, _ rest: String = "") -> String {
        "/api/v1/workflow-runs/" + PercentEncoding.encoded(id) + rest
    }

    func run(_ id: String) async throws(CodeForgeError) -> JSONValue { try await api.get(WorkflowClient.runPath(id)) }

    /// The newest runs, those of one workflow or of all.
    func runs(of workflow: String? = nil) async throws(CodeForgeError) -> [JSONValue] {
        let query = workflow.map { "?workflow=" + PercentEncoding.encoded($0) } ?? ""
        return try await api.get("/api/v1/workflow-runs" + query)["runs"]?.arrayValue ?? []
    }

    /// The id of the one of the newest runs that begins with `text`; a whole id is taken as it is.
    ///
    /// - Throws: `.conflict` when there are several, `.notFound` when there is none.
    func id(_ text: String) async throws(CodeForgeError) -> String {
        if text.utf8.count == 36 { return text }
        let ids = try await runs().compactMap { $0["id"]?.stringValue }
        guard let id = try SandboxClient.pick(text, among: ids, of: "runs") else {
            throw CodeForgeError(.notFound, "none of the newest \(WorkflowClient.newest) runs begins with '\(text)'")
        }
        return id
    }
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

        @Flag(help: "Print JSON.")
        var json = false
        @OptionGroup var options: ServiceOptions

        func run() async throws {
            try await reporting {
                let answer = try await options.client().get("/api/v1/workflows")
                if json { return printJSON(answer) }
                var table = TextTable([
                    .text("NAME"), .text("BUILT-IN"), .text("STEPS"), .text("PARAMETERS"), .text("DESCRIPTION"),
                ])
                for workflow in answer["workflows"]?.arrayValue ?? [] {
                    table.add([
                        workflow.text("name"), workflow["builtin"] == true ? "yes" : "no",
                        (workflow["steps"]?.arrayValue ?? []).map { $0.text("name") }.joined(separator: " "),
                        (workflow["parameters"]?.arrayValue ?? []).map { parameter in
                            parameter.text("name") + (parameter["required"] == true ? "*" : "")
                        }.joined(separator: " "),
                        workflow.text("description"),
                    ])
                }
                Terminal.show(table.lines(width: Terminal.size?.width))
            }
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
        @Flag(help: "Print JSON.")
        var json = false
        @OptionGroup var options: ServiceOptions

        func validate() throws { try checkName(name) }

        func run() async throws {
            try await reporting {
                let workflow = try await options.client().get(WorkflowClient.path(name))
                if json { return printJSON(workflow) }
                say(WorkflowText.sheet(workflow).joined(separator: "\n"))
            }
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
        @Flag(help: "Print JSON.")
        var json = false
        @OptionGroup var options: ServiceOptions

        func run() async throws {
            try await reporting {
                let definition = try definition()
                let answer = try await options.client().send("POST", "/api/v1/workflows", definition)
                if json { printJSON(answer) } else { say("\(definition.text("name")) created") }
            }
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
            for (index, parameter) in (definition["parameters"]?.arrayValue ?? []).enumerated() {
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

        func run() async throws { try await remove(names, below: "/api/v1/workflows/", options) }
    }
}
