import ArgumentParser
import Client
import Domain

struct TaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task", abstract: "Run tasks on the service, follow them, act on them.",
        discussion: """
            The beginning of a task's id is enough where it fits one of the newest 200 tasks.

            Exit status of what follows a task: 0 it completed, 1 it failed, 124 it timed out, 130 it was cancelled; of \
            everything: 2 wrong usage, 3 not found, 4 not authorized, 69 no answer.

            Examples:
              codeforge task run --repo https://github.com/user/repo.git --prompt 'Fix the failing tests'
              codeforge task ls --status running
              codeforge task diff 77a2 | git apply
              codeforge task instruct 77a2 --prompt 'Also add unit tests'
              codeforge task pr 77a2
            """,
        subcommands: [
            Run.self, List.self, Show.self, Stream.self, Instruct.self, Review.self, PostReview.self, Approve.self,
            Cancel.self, PullRequest.self, Diff.self,
        ])
}

extension Resource {
    /// Tasks the service lists at once.
    fileprivate static let page = 200

    static let tasks = Resource(
        "tasks", at: "/api/v1/tasks", id: "id", query: "?limit=\(page)", missing: "none of the newest \(page) tasks")
}

extension TaskCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List tasks, newest first.",
            discussion: """
                Examples:
                  codeforge task ls
                  codeforge task ls --status failed --limit 10
                  codeforge task ls --json | jq -r '.tasks[].id'
                """)

        @Option(help: "Only tasks in this status: \(TaskStatus.allCases.map(\.rawValue).joined(separator: ", ")).")
        var status: String?
        @Option(help: "How many at most, from 1.")
        var limit = 50
        @OptionGroup var output: AnswerOptions

        func validate() throws {
            guard limit >= 1 else { throw ValidationError("--limit must be 1 or more") }
            if let status, TaskStatus(rawValue: status) == nil { throw ValidationError("unknown status '\(status)'") }
        }

        func run() async throws {
            try await output.show(tasks) { answer in
                let tasks = answer.list("tasks")
                TextTable.show(
                    tasks,
                    [
                        .text("ID", "id"), .text("STATUS", "status"), .text("TYPE", "task_type"),
                        .moment("CREATED", "created_at"), .text("REPOSITORY", "repo_url"),
                        .text("PROMPT") {
                            $0.text("prompt").split(whereSeparator: \.isWhitespace).joined(separator: " ")
                        },
                    ])
                let more = (answer["total"]?.intValue ?? 0) - Int64(tasks.count)
                if more > 0 { complain("\(more) more: --limit shows them") }
            }
        }

        /// As many pages as it takes.
        private func tasks(_ api: APIClient) async throws(CodeForgeError) -> JSONValue {
            var tasks: [JSONValue] = []
            var total: Int64 = 0
            repeat {
                var query = "?limit=\(min(limit - tasks.count, Resource.page))&offset=\(tasks.count)"
                if let status { query += "&status=" + PercentEncoding.encoded(status) }
                let page = try await api.get(Resource.tasks.path + query)
                let more = page.list("tasks")
                tasks += more
                total = page["total"]?.intValue ?? 0
                if more.isEmpty { break }
            } while tasks.count < limit && tasks.count < total
            return ["tasks": .array(tasks), "total": .int(total)]
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a task.",
            discussion: """
                Examples:
                  codeforge task show 77a2
                  codeforge task show --iterations 77a2
                  codeforge task show --json 77a2 | jq .usage
                """)

        @Argument(help: "Id, or the beginning of one.")
        var id: String
        @Flag(help: "Also its finished iterations.")
        var iterations = false
        @OptionGroup var output: AnswerOptions

        func run() async throws {
            try await output.show(id, of: .tasks, iterations ? "?include=iterations" : "") { task in
                say(TaskText.sheet(task).joined(separator: "\n"))
            }
        }
    }

    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what a task changed, as git diff does.",
            discussion: """
                Coloured on a terminal unless NO_COLOR is set; there unprintable characters are shown as `?`. A pipe gets \
                every byte.

                Examples:
                  codeforge task diff 77a2
                  codeforge task diff --iteration 1 77a2 | git apply
                """)

        @Argument(help: "Id, or the beginning of one.")
        var id: String
        @Option(help: "Of this iteration; default: the latest that has one.")
        var iteration: Int?
        @OptionGroup var options: ServiceOptions

        func validate() throws {
            if let iteration, iteration < 1 { throw ValidationError("--iteration must be 1 or more") }
        }

        func run() async throws {
            try await DiffText.show(id, of: .tasks, query: iteration.map { "?iteration=\($0)" } ?? "", options)
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a task run that waits for an approval of somebody's code.",
            discussion: """
                It runs on the commit it is held at, which `task show` tells; name the one you looked at and a later \
                push can't slip in.

                Examples:
                  codeforge task show 77a2
                  codeforge task approve 77a2 --head-sha 1c7a2f0f4e9d8b3a6c5e7f1029384756aabbccdd
                """)

        @Argument(help: "Id, or the beginning of one.")
        var id: String
        @Option(help: "The commit you looked at; refused when the task is about another.")
        var headSHA: String?
        @OptionGroup var output: AnswerOptions

        func run() async throws {
            let body = JSONValue.members(("head_sha", headSHA.map { .string($0) }))
            try await output.post("approve", to: id, of: .tasks, body) { answer in
                say("\(answer.text("id")) \(answer.text("status")) at \(answer.text("head_sha"))")
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel tasks that run; they fail within seconds.",
            discussion: "Examples:\n  codeforge task cancel 77a2")

        @Argument(help: "Ids, or the beginnings of them.")
        var ids: [String]
        @OptionGroup var each: EachOptions

        func run() async throws { try await each.post("cancel", to: ids, of: .tasks) }
    }

    struct PullRequest: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pr", abstract: "Push what a task changed and open a pull or merge request.",
            discussion: """
                Waits until it is there. The work goes on when this is interrupted.

                Examples:
                  codeforge task pr 77a2
                  codeforge task pr 77a2 --title 'Fix auth tests' --target develop
                """)

        @Argument(help: "Id, or the beginning of one.")
        var id: String
        @Option(help: "Title, and the commit's subject; default: the beginning of the prompt.")
        var title: String?
        @Option(help: "Text of the request.")
        var description: String?
        @Option(help: "Branch to merge into; default: the task's target branch, else main.")
        var target: String?
        @OptionGroup var output: AnswerOptions

        func run() async throws {
            let body = JSONValue.members(
                ("title", title.map { .string($0) }), ("description", description.map { .string($0) }),
                ("target_branch", target.map { .string($0) }))
            try await output.post("create-pr", to: id, of: .tasks, body, patience: .seconds(3600)) { answer in
                say(answer.text("pr_url"))
                complain("branch \(answer.text("branch"))")
            }
        }
    }
}

extension JSONValue {
    /// An object of the members that are there.
    static func members(_ members: (name: String, value: JSONValue?)...) -> JSONValue {
        .object(Dictionary(members.compactMap { member in member.value.map { (member.name, $0) } }) { $1 })
    }

    /// A time to the second.
    func moment(_ name: String) -> String { self[name]?.stringValue.map { String($0.prefix(19)) + "Z" } ?? "-" }

    var members: [(key: String, value: JSONValue)] {
        if case .object(let members) = self { return members.sorted { $0.key < $1.key } }
        return []
    }
}
