import ArgumentParser
import Client
import Domain

/// What a task is asked to do.
struct PromptOptions: ParsableArguments {
    @Option(help: "What to do; for the shell CLI, the script.")
    var prompt: String?
    @Option(name: [.customShort("f"), .customLong("file")], help: "File that says it; - is standard input.")
    var file: String?
    @Argument(help: ArgumentHelp("- reads it from standard input.", valueName: "-"))
    var source: String?

    func validate() throws {
        if let source, source != "-" { throw ValidationError("'\(source)' is not expected here; - is standard input") }
        guard [prompt, file, source].compactMap(\.self).count == 1 else {
            throw ValidationError("say what to do with one of --prompt TEXT, -f FILE and - (standard input)")
        }
    }

    /// - Throws: `.invalidArgument` when it can't be read, or is empty.
    var text: String {
        get throws(CodeForgeError) {
            let text: String
            if let prompt { text = prompt } else { text = try Input.text(file ?? "-") }
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw CodeForgeError(.invalidArgument, "the prompt is empty")
            }
            return text
        }
    }
}

extension TaskCommand {
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a task and follow it to its end.",
            discussion: """
                Prints progress, what the agent says, its tool calls in a line each, the result, changes, tokens and \
                duration. Ctrl-C leaves the task running and says how to cancel it; a second one ends the command. With \
                --json every event is one line of JSON, its id included.

                The token for git is CODEFORGE_ACCESS_TOKEN, or in the file that CODEFORGE_ACCESS_TOKEN_FILE or \
                --access-token-file names; the AI provider's key likewise CODEFORGE_AI_API_KEY, \
                CODEFORGE_AI_API_KEY_FILE, --ai-key-file. Neither is taken from the command line, which others can see.

                Exit status: 0 it completed, 1 it failed, 124 it timed out, 130 it was cancelled (or a second Ctrl-C).

                Examples:
                  codeforge task run --repo https://github.com/user/repo.git --prompt 'Fix the failing tests'
                  git log -1 --format=%B | codeforge task run --repo https://github.com/user/repo.git --type review -
                  codeforge task run --repo https://github.com/user/repo.git --cli shell -f build.sh --json | jq .event
                  id=$(codeforge task run --repo https://github.com/user/repo.git -f todo.md --detach)
                  codeforge task run --repo https://github.com/user/repo.git --type pr_review --pr-number 42 \
                --key hub --output-mode post_comments --max-budget-usd 2.50 --prompt 'Mind the locking'
                """)

        @Option(help: "URL of the repository.")
        var repo: String
        @OptionGroup var prompt: PromptOptions
        @Option(help: "\(TaskType.allCases.map(\.rawValue).joined(separator: ", ")). Default: code.")
        var type: String?
        @Option(help: "claude-code, codex or shell. Default: the service's.")
        var cli: String?
        @Option(help: "Model. Default: the service's for that CLI.")
        var model: String?
        @Option(help: "Seconds the CLI may run, from 1.")
        var timeout: Int?
        @Option(help: "Branch to start from.")
        var branch: String?
        @Option(help: "Branch a pull request is to be merged into.")
        var target: String?
        @Option(help: "Name of a registered key for git; see `codeforge keys`.")
        var key: String?
        @Option(help: "Number of the pull request; for --type pr_review.")
        var prNumber: Int?
        @Option(help: "post_comments has a review posted to the pull request. Default: api_only.")
        var outputMode: String?
        @Option(help: "Turns the agent may take, from 1. Claude Code only.")
        var maxTurns: Int?
        @Option(name: .customLong("max-budget-usd"), help: "US dollars the agent may spend. Claude Code only.")
        var maxBudgetUSD: Double?
        @Option(help: "Task whose workspace is used: its id, or the beginning of it.")
        var workspaceTask: String?
        @Option(help: "URL that is told when the run ended.")
        var callbackURL: String?
        @Option(name: .customLong("tool"), help: "Name of a tool the CLI gets; may be repeated. See `codeforge tools`.")
        var tools: [String] = []
        @Option(help: "File that holds the token for git.")
        var accessTokenFile: String?
        @Option(help: "File that holds the AI provider's key.")
        var aiKeyFile: String?
        @Option(help: "Names this request: sent again with the same key it makes no second task.")
        var idempotencyKey: String?
        @Flag(help: "Print the task's id and end; the task runs.")
        var detach = false
        @Flag(help: "Print JSON: each event in a line; with --detach the answer.")
        var json = false
        @OptionGroup var options: ServiceOptions

        func validate() throws {
            if let type, TaskType(rawValue: type) == nil { throw ValidationError("unknown type '\(type)'") }
            if let timeout, timeout < 1 { throw ValidationError("--timeout must be 1 or more") }
            if let prNumber, prNumber < 1 { throw ValidationError("--pr-number must be 1 or more") }
            if let outputMode, !["post_comments", "api_only"].contains(outputMode) {
                throw ValidationError("--output-mode is post_comments or api_only")
            }
            if let maxTurns, maxTurns < 1 { throw ValidationError("--max-turns must be 1 or more") }
            if let maxBudgetUSD, !(maxBudgetUSD > 0 && maxBudgetUSD.isFinite) {
                throw ValidationError("--max-budget-usd must be more than 0")
            }
            if let idempotencyKey {
                guard (1...255).contains(idempotencyKey.utf8.count),
                    idempotencyKey.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
                else { throw ValidationError("--idempotency-key must be 1 to 255 printable ASCII characters") }
            }
        }

        func run() async throws {
            try await reporting {
                let api = try options.client()
                var workspace: String?
                if let workspaceTask { workspace = try await Resource.tasks.id(workspaceTask, api) }
                let body = try body(workspace: workspace)
                var headers: HeaderList = [:]
                if let idempotencyKey { headers.append("idempotency-key", idempotencyKey) }
                let answer = try await api.send("POST", Resource.tasks.path, body, headers: headers)
                guard let id = answer["id"]?.stringValue else {
                    throw CodeForgeError(.unavailable, "the service does not say which task it made")
                }
                if detach {
                    if json { printJSON(answer) } else { say(id) }
                    return
                }
                complain("task \(id)")
                try await TaskFollower().follow(id, api, json: json)
            }
        }

        private func body(workspace: String?) throws(CodeForgeError) -> JSONValue {
            func secret(_ file: String?, _ option: String, _ name: String) throws(CodeForgeError) -> JSONValue? {
                let text: String?
                if let file {
                    text = try SecretText.file(file, for: option)
                } else {
                    text = try SecretText.environment(name)
                }
                return text.map { .string($0) }
            }
            func text(_ text: String?) -> JSONValue? { text.map { .string($0) } }
            func number(_ number: Int?) -> JSONValue? { number.map { .int(Int64($0)) } }
            let names = tools.map { JSONValue.object(["name": .string($0)]) }
            let config = JSONValue.members(
                ("cli", text(cli)), ("ai_model", text(model)), ("timeout_seconds", number(timeout)),
                ("source_branch", text(branch)), ("target_branch", text(target)), ("pr_number", number(prNumber)),
                ("output_mode", text(outputMode)), ("max_turns", number(maxTurns)),
                ("max_budget_usd", maxBudgetUSD.map { .double($0) }), ("workspace_task_id", text(workspace)),
                ("tools", names.isEmpty ? nil : .array(names)),
                ("ai_api_key", try secret(aiKeyFile, "--ai-key-file", "CODEFORGE_AI_API_KEY")))
            return .members(
                ("repo_url", .string(repo)), ("prompt", .string(try prompt.text)), ("task_type", text(type)),
                ("provider_key", text(key)), ("callback_url", text(callbackURL)),
                ("access_token", try secret(accessTokenFile, "--access-token-file", "CODEFORGE_ACCESS_TOKEN")),
                ("config", config.members.isEmpty ? nil : config))
        }
    }

    struct Stream: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a task's events, from the first on, until its run ends.",
            discussion: """
                A connection that breaks is made anew after the last event. Exit status and Ctrl-C as with `task run`.

                Examples:
                  codeforge task stream 77a2
                  codeforge task stream --after 1772131090277-0 --json 77a2
                """)

        @Argument(help: "Id, or the beginning of one.")
        var id: String
        @OptionGroup var stream: StreamOptions

        func run() async throws { try await stream.follow(id, TaskFollower()) }
    }

    struct Instruct: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a follow-up to a task that completed, and follow it.",
            discussion: """
                It goes on in the same workspace and conversation. Exit status and Ctrl-C as with `task run`.

                Examples:
                  codeforge task instruct 77a2 --prompt 'Also add unit tests'
                  codeforge task instruct 77a2 -f more.md --detach
                """)

        @Argument(help: "Id, or the beginning of one.")
        var id: String
        @OptionGroup var prompt: PromptOptions
        @OptionGroup var following: FollowOptions

        func run() async throws {
            let body: JSONValue = ["prompt": .string(try reportingNow { try prompt.text })]
            try await following.post("instruct", to: id, body)
        }
    }

    struct Review: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have a CLI review what a task changed, and show what it says.",
            discussion: """
                Exit status and Ctrl-C as with `task run`; the verdict does not change it.

                Examples:
                  codeforge task review 77a2
                  codeforge task review 77a2 --cli codex --detach
                """)

        @Argument(help: "Id, or the beginning of one.")
        var id: String
        @Option(help: "claude-code or codex. Default: the task's own.")
        var cli: String?
        @Option(help: "Model. Default: the task's own.")
        var model: String?
        @OptionGroup var following: FollowOptions

        func run() async throws {
            let body = JSONValue.members(("cli", cli.map { .string($0) }), ("model", model.map { .string($0) }))
            try await following.post("review", to: id, body)
        }
    }
}

extension TaskCommand {
    struct PostReview: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "post-review", abstract: "Post a task's review to its pull or merge request.",
            discussion: """
                With the token or key of the task. Each call posts it once more.

                Examples:
                  codeforge task post-review 77a2
                  codeforge task post-review 77a2 --pr-number 42
                """)

        @Argument(help: "Id, or the beginning of one.")
        var id: String
        @Option(help: "Number of the request. Default: the task's own, then the one it opened.")
        var prNumber: Int?
        @OptionGroup var output: AnswerOptions

        func validate() throws {
            if let prNumber, prNumber < 1 { throw ValidationError("--pr-number must be 1 or more") }
        }

        func run() async throws {
            let body = JSONValue.members(("pr_number", prNumber.map { .int(Int64($0)) }))
            try await output.post("post-review", to: id, of: .tasks, body, patience: .seconds(600)) { answer in
                // GitLab names no place of its own for it.
                if let url = answer["review_url"]?.stringValue, !url.isEmpty { say(url) }
                complain("posted to \(answer.text("pr_number")), \(answer.text("comments_posted")) comments at lines")
            }
        }
    }
}

/// For what begins another run of a task.
struct FollowOptions: ParsableArguments {
    @Flag(help: "Do not wait for its end.")
    var detach = false
    @Flag(help: "Print JSON: each event in a line; with --detach the answer.")
    var json = false
    @OptionGroup var service: ServiceOptions

    func post(_ action: String, to text: String, _ body: JSONValue) async throws {
        let api = try service.client()
        try await reporting {
            let id = try await Resource.tasks.id(text, api)
            let last = detach ? nil : try await lastEvent(of: id, api)
            let answer = try await api.send("POST", Resource.tasks.path(id, "/" + action), body)
            if detach {
                if json { printJSON(answer) } else { say("\(id) \(answer.text("status"))") }
                return
            }
            try await TaskFollower().follow(id, api, after: last, json: json)
        }
    }

    /// The id of the last event of a task whose run has ended; `nil` when none is kept.
    private func lastEvent(of id: String, _ api: APIClient) async throws(CodeForgeError) -> String? {
        let status = try await api.get(Resource.tasks.path(id))["status"]?.stringValue
        guard status.flatMap({ TaskStatus(rawValue: $0) })?.isFinished == true else { return nil }
        var last: String?
        try await api.follow(Resource.tasks.path(id, "/stream")) { event in
            if let id = event.id { last = id }
            return true
        }
        return last
    }
}
