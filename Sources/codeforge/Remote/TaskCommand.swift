import ArgumentParser
import Client
import Domain
import Glibc

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

/// Tasks as the service tells of them.
struct TaskClient {
    let api: APIClient

    /// Tasks that are looked through for the beginning of an id: one page.
    private static let newest = 200

    init(_ options: ServiceOptions) throws { api = try options.client() }

    /// The id of the one of the newest tasks that begins with `text`; a whole id is taken as it is.
    ///
    /// - Throws: `.conflict` when there are several, `.notFound` when there is none.
    func id(_ text: String) async throws(CodeForgeError) -> String {
        if text.utf8.count == 36 { return text }
        let list = try await api.get("/api/v1/tasks?limit=\(TaskClient.newest)")
        let ids = (list["tasks"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
        guard let id = try SandboxClient.pick(text, among: ids, of: "tasks") else {
            throw CodeForgeError(.notFound, "none of the newest \(TaskClient.newest) tasks begins with '\(text)'")
        }
        return id
    }

    static func path(_ id: String, _ rest: String = "") -> String {
        "/api/v1/tasks/" + PercentEncoding.encoded(id) + rest
    }

    func task(_ id: String, _ query: String = "") async throws(CodeForgeError) -> JSONValue {
        try await api.get(TaskClient.path(id, query))
    }

    /// The tasks, newest first.
    ///
    /// - Parameter limit: How many at most.
    func tasks(status: String?, limit: Int) async throws(CodeForgeError) -> (tasks: [JSONValue], total: Int64) {
        var tasks: [JSONValue] = []
        var total: Int64 = 0
        repeat {
            var query = "?limit=\(min(limit - tasks.count, TaskClient.newest))&offset=\(tasks.count)"
            if let status { query += "&status=" + PercentEncoding.encoded(status) }
            let page = try await api.get("/api/v1/tasks" + query)
            let more = page["tasks"]?.arrayValue ?? []
            tasks += more
            total = page["total"]?.intValue ?? 0
            if more.isEmpty { break }
        } while tasks.count < limit && tasks.count < total
        return (tasks, total)
    }
}

/// How a task's run ended, as a shell sees it.
enum TaskEnd: Int32 {
    case completed = 0
    case failed = 1
    case timedOut = 124
    case cancelled = 130

    /// - Parameter task: The task's record; the words are those the service itself writes.
    init(_ task: JSONValue) {
        let error = task["error"]?.stringValue ?? ""
        switch task["status"]?.stringValue {
        case "failed" where error == "canceled by user" || error == "review canceled by user": self = .cancelled
        case "failed" where error.hasPrefix("task timed out after ") || error.hasPrefix("review timed out after "):
            self = .timedOut
        case "failed": self = .failed
        default: self = .completed
        }
    }
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
        @Flag(help: "Print JSON.")
        var json = false
        @OptionGroup var options: ServiceOptions

        func validate() throws {
            guard limit >= 1 else { throw ValidationError("--limit must be 1 or more") }
            if let status, TaskStatus(rawValue: status) == nil { throw ValidationError("unknown status '\(status)'") }
        }

        func run() async throws {
            try await reporting {
                let (tasks, total) = try await TaskClient(options).tasks(status: status, limit: limit)
                if json { return printJSON(["tasks": .array(tasks), "total": .int(total)]) }
                var table = TextTable([
                    .text("ID"), .text("STATUS"), .text("TYPE"), .text("CREATED"), .text("REPOSITORY"), .text("PROMPT"),
                ])
                for task in tasks {
                    let words = task.text("prompt").split(whereSeparator: \.isWhitespace).joined(separator: " ")
                    table.add([
                        task.text("id"), task.text("status"), task.text("task_type"), task.moment("created_at"),
                        task.text("repo_url"), words,
                    ])
                }
                Terminal.show(table.lines(width: Terminal.size?.width))
                if tasks.count < total { complain("\(total - Int64(tasks.count)) more: --limit shows them") }
            }
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
        @Flag(help: "Print JSON.")
        var json = false
        @OptionGroup var options: ServiceOptions

        func run() async throws {
            try await reporting {
                let client = try TaskClient(options)
                let task = try await client.task(try await client.id(id), iterations ? "?include=iterations" : "")
                if json { return printJSON(task) }
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
            try await reporting {
                let client = try TaskClient(options)
                let query = iteration.map { "?iteration=\($0)" } ?? ""
                try await DiffText.show(client.api, TaskClient.path(try await client.id(id), "/diff" + query))
            }
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
        @Flag(help: "Print JSON.")
        var json = false
        @OptionGroup var options: ServiceOptions

        func run() async throws {
            try await reporting {
                let client = try TaskClient(options)
                let id = try await client.id(id)
                let body = JSONValue.members(("head_sha", headSHA.map { .string($0) }))
                let answer = try await client.api.send("POST", TaskClient.path(id, "/approve"), body)
                if json {
                    printJSON(answer)
                } else {
                    say("\(id) \(answer.text("status")) at \(answer.text("head_sha"))")
                }
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel tasks that run; they fail within seconds.",
            discussion: "Examples:\n  codeforge task cancel 77a2")

        @Argument(help: "Ids, or the beginnings of them.")
        var ids: [String]
        @Flag(help: "Print JSON, one line for each.")
        var json = false
        @OptionGroup var options: ServiceOptions

        func run() async throws {
            let client = try reportingNow { try TaskClient(options) }
            try await forEach(ids) { text throws(CodeForgeError) in
                let id = try await client.id(text)
                let answer = try await client.api.send("POST", TaskClient.path(id, "/cancel"))
                if json { printJSON(answer) } else { say("\(id) \(answer.text("status"))") }
            }
        }
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
        @Flag(help: "Print JSON.")
        var json = false
        @OptionGroup var options: ServiceOptions

        func run() async throws {
            try await reporting {
                let client = try TaskClient(options)
                let body = JSONValue.members(
                    ("title", title.map { .string($0) }), ("description", description.map { .string($0) }),
                    ("target_branch", target.map { .string($0) }))
                let answer = try await client.api.send(
                    "POST", TaskClient.path(try await client.id(id), "/create-pr"), body, patience: .seconds(3600))
                if json { return printJSON(answer) }
                say(answer.text("pr_url"))
                complain("branch \(answer.text("branch"))")
            }
        }
    }
}

/// Acts on each, whatever becomes of the others.
///
/// - Throws: The exit status of the last failure.
func forEach(_ names: [String], _ act: (String) async throws(CodeForgeError) -> Void) async throws {
    var failure: ExitCode?
    for name in names {
        do throws(CodeForgeError) {
            try await act(name)
        } catch {
            failure = error.reported
        }
    }
    if let failure { throw failure }
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
