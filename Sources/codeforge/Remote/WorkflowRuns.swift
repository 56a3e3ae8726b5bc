import ArgumentParser
import Client
import Domain

extension WorkflowCommand {
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start a run of a workflow.",
            discussion: """
                Prints the run's id; with --follow its steps as they go, and at the end its outcome. Ctrl-C then leaves \
                the run going and says how to cancel it; a second one ends the command. With --follow --json every \
                event is one line of JSON, its id included.

                A value can come from a file (NAME=@FILE) or from standard input (NAME=-), without line ends after it: \
                for long ones, and for secrets, which others could see on the command line. NAME=@@x is the text @x.

                Exit status with --follow: 0 it completed, 1 it failed, 124 it timed out, 130 it was cancelled (or a \
                second Ctrl-C).

                Examples:
                  url=https://github.com/user/repo.git
                  codeforge workflow run github-issue-fixer -p repo_url=$url \\
                      -p issue_number=42 -p provider_key=hub --follow
                  codeforge workflow run code-review -p repo_url=$url -p prompt=@todo.md
                  id=$(codeforge workflow run triage -p item_id=7)
                """)

        @Argument(help: "Name of the workflow.")
        var name: String
        @Option(
            name: [.customShort("p"), .customLong("param")], parsing: .unconditionalSingleValue,
            help: ArgumentHelp("A parameter; may be repeated.", valueName: "NAME=VALUE"))
        var parameters: [String] = []
        @Flag(help: "Follow the run to its end.")
        var follow = false
        @Flag(help: "Print JSON: the answer; with --follow each event in a line.")
        var json = false
        @OptionGroup var options: ServiceOptions

        func validate() throws {
            try checkName(name)
            do throws(CodeForgeError) {
                _ = try ParameterText.all(parameters)
            } catch {
                throw ValidationError(error.message)
            }
        }

        func run() async throws {
            try await reporting {
                let body: JSONValue = ["params": .object(try values())]
                let api = try options.client()
                let answer = try await api.send("POST", Resource.workflows.path(name, "/run"), body)
                guard let id = answer["run_id"]?.stringValue else {
                    throw CodeForgeError(.unavailable, "the service does not say which run it started")
                }
                if !follow {
                    if json { printJSON(answer) } else { say(id) }
                    return
                }
                complain("run \(id)")
                try await RunFollower().follow(id, api, json: json)
            }
        }

        private func values() throws(CodeForgeError) -> [String: JSONValue] {
            var values: [String: JSONValue] = [:]
            for parameter in try ParameterText.all(parameters) {
                switch parameter.source {
                case .value(let value): values[parameter.name] = .string(value)
                case .file(let path): values[parameter.name] = .string(try text(of: path))
                case .standardInput: values[parameter.name] = .string(try text(of: "-"))
                }
            }
            return values
        }

        private func text(of path: String) throws(CodeForgeError) -> String {
            var text = try Input.text(path, upTo: 1 << 20)
            while text.last?.isNewline == true { text.removeLast() }
            return text
        }
    }

    struct Stream: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a run's events, from the first on, until it ends.",
            discussion: """
                A connection that breaks is made anew after the last event. Exit status and Ctrl-C as with \
                `workflow run --follow`.

                Examples:
                  codeforge workflow stream 550e
                  codeforge workflow stream --after 1772131090277-0 --json 550e
                """)

        @Argument(help: "Id of the run, or the beginning of one.")
        var id: String
        @OptionGroup var stream: StreamOptions

        func run() async throws { try await stream.follow(id, RunFollower()) }
    }

    struct Runs: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the newest 100 runs, newest first.",
            discussion: """
                Examples:
                  codeforge workflow runs
                  codeforge workflow runs --workflow triage --json | jq -r '.runs[0].id'
                """)

        @Option(help: "Only runs of this workflow.")
        var workflow: String?
        @OptionGroup var output: AnswerOptions

        func validate() throws { if let workflow { try checkName(workflow) } }

        func run() async throws {
            try await output.list(
                .runs, query: workflow.map { "?workflow=" + PercentEncoding.encoded($0) } ?? "",
                [
                    .text("ID", "id"), .text("WORKFLOW", "workflow_name"), .text("STATUS", "status"),
                    .moment("CREATED", "created_at"), .moment("FINISHED", "finished_at"), .text("ERROR", "error"),
                ])
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a run: its steps, what they gave, their tasks.",
            discussion: """
                Examples:
                  codeforge workflow status 550e
                  codeforge workflow show-run 550e --json | jq -r '.steps[].task_id // empty'
                """, aliases: ["show-run"])

        @Argument(help: "Id of the run, or the beginning of one.")
        var id: String
        @OptionGroup var output: AnswerOptions

        func run() async throws {
            try await output.show(id, of: .runs) { say(WorkflowText.run($0).joined(separator: "\n")) }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel runs, with the tasks they wait for.",
            discussion: "Examples:\n  codeforge workflow cancel 550e")

        @Argument(help: "Ids of runs, or the beginnings of them.")
        var ids: [String]
        @OptionGroup var each: EachOptions

        func run() async throws { try await each.post("cancel", to: ids, of: .runs) }
    }

    struct CancelAll: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cancel-all", abstract: "Cancel every run of a workflow that is not finished.",
            discussion: "Examples:\n  codeforge workflow cancel-all triage")

        @Argument(help: "Name of the workflow.")
        var name: String
        @OptionGroup var output: AnswerOptions

        func validate() throws { try checkName(name) }

        func run() async throws {
            let path = Resource.runs.path("cancel-all", "?workflow=" + PercentEncoding.encoded(name))
            try await output.show({ api throws(CodeForgeError) in try await api.send("POST", path) }) { answer in
                say(answer.text("message"))
            }
        }
    }
}
