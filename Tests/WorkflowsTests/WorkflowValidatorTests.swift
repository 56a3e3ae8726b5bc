import Domain
import Testing
import Workflows

@Suite struct WorkflowValidatorTests {
    private static let fetch = WorkflowStep(
        name: "get", type: "fetch", config: ["url": "https://h/{{.Params.id}}", "outputs": ["title": "$.title"]])
    private static let task = WorkflowStep(
        name: "fix", type: "task",
        config: ["repo_url": "{{.Params.repo}}", "prompt": "Fix {{.Steps.get.title}}"])
    private static let action = WorkflowStep(
        name: "open-pr", type: "action",
        config: ["kind": "create_pr", "task_step_ref": "fix", "title": "{{.Steps.fix.result}}"])

    private static func workflow(
        _ steps: [WorkflowStep] = [], _ parameters: [WorkflowParameter] = [], name: String = "w"
    ) -> Workflow {
        Workflow(name: name, steps: steps, parameters: parameters, createdAt: Timestamp(nanoseconds: 0))
    }

    private func problems(_ workflow: Workflow) -> [String: String] {
        do throws(CodeForgeError) {
            try WorkflowValidator.check(workflow)
            return [:]
        } catch {
            #expect(error.code == .invalidArgument)
            if let first = error.fields.first { #expect(error.message == "\(first.name): \(first.reason)") }
            return Dictionary(uniqueKeysWithValues: error.fields.map { ($0.name, $0.reason) })
        }
    }

    @Test func theExampleOfTheReferencePasses() throws {
        try WorkflowValidator.check(
            Self.workflow(
                [
                    WorkflowStep(
                        name: "fetch_data", type: "fetch",
                        config: [
                            "url": "https://api.example.com/data/{{.Params.item_id}}", "method": "GET",
                            "outputs": ["title": "$.title", "body": "$.body"],
                        ]),
                    WorkflowStep(
                        name: "fix_it", type: "task",
                        config: [
                            "repo_url": "{{.Params.repo_url}}",
                            "prompt": "Fix: {{.Steps.fetch_data.title}}\n\n{{.Steps.fetch_data.body}}",
                            "provider_key": "{{.Params.provider_key}}",
                        ]),
                    WorkflowStep(
                        name: "open_pr", type: "action",
                        config: [
                            "kind": "create_pr", "task_step_ref": "fix_it", "title": "fix: {{.Steps.fetch_data.title}}",
                        ]),
                ],
                [.init(name: "item_id", required: true), .init(name: "repo_url", required: true), .init(name: "key")],
                name: "my-workflow"))
    }

    @Test func emptyOnesAndUndeclaredParametersPass() throws {
        try WorkflowValidator.check(Self.workflow())
        try WorkflowValidator.check(Self.workflow([Self.fetch, Self.task, Self.action]))
    }

    @Test func theNameIsCheckedFirst() {
        for (name, message) in [("", "name is required"), ("a b", NameRule.message), ("ä", NameRule.message)] {
            let error = #expect(throws: CodeForgeError.self) {
                try WorkflowValidator.check(
                    Self.workflow([WorkflowStep(name: "", type: "", config: nil)], name: name))
            }
            #expect(error?.message == message && error?.fields.isEmpty == true)
        }
        #expect(problems(Self.workflow(name: String(repeating: "a", count: 256)))["name"] != nil)
    }

    /// A step of each kind with one member changed, and what is said of it.
    @Test(
        arguments: [
            ("fetch", "url", nil, "field is required"), ("fetch", "url", "", "field is required"),
            ("fetch", "url", 7, "must be a text"), ("fetch", "url", "ftp://h", "must be an http or https URL"),
            ("fetch", "url", "https://h/{{.Params.x", "line 1, column 11: '{{' is never closed: '}}' is missing"),
            ("fetch", "method", "BREW", "must be one of"), ("fetch", "key_name", ["a"], "must be a text"),
            ("fetch", "key_name", "{{.Nope}}", "unknown field '.Nope'"),
            ("fetch", "headers", "x", "must be an object"), ("fetch", "headers.Accept", 1, "must be a text"),
            ("fetch", "headers.a b", "x", "is not the name of a header"),
            ("fetch", "headers.X-Y", "{{end}}", "'end' without 'if'"),
            ("fetch", "outputs", ["$.x"], "must be an object"),
            ("fetch", "outputs.x", "x", "a JSONPath starts with '$'"),
            ("fetch", "outputs.a b", "$.x", "a template can't name it"), ("fetch", "outputs.x", true, "must be a text"),
            ("task", "repo_url", nil, "field is required"), ("task", "prompt", nil, "field is required"),
            ("task", "prompt", "{{.Steps.none.x}}", "line 1, column 3: there is no step 'none'"),
            ("task", "prompt", "{{.Steps.fix.result}}", "step 'fix' does not run before this one"),
            ("task", "prompt", "a\n{{.Steps.late.result}}", "line 2, column 3: step 'late' does not run before"),
            ("task", "prompt", "{{.Steps.get.body}}", "step 'get' has no output 'body'; there are title"),
            ("task", "task_type", "cook", "unknown task type: cook"), ("task", "cli", 1, "must be a text"),
            ("task", "access_token", "{{.Params}}", "a parameter is .Params.NAME"),
            ("task", "workspace_task_ref", "late", "step 'late' does not run before this one"),
            ("task", "workspace_task_ref", "get", "step 'get' is not a task"),
            ("task", "workspace_task_ref", "none", "there is no step 'none'"),
            ("task", "pr_number", "7", "must be an integer from 1"), ("task", "pr_number", -1, "must be an integer"),
            ("task", "timeout_seconds", .double(1.5), "must be an integer"),
            ("task", "max_budget_usd", "1", "must be a number"),
            ("task", "tools", "sentry", "must be a list of tools"), ("task", "tools", ["sentry"], "must be a list of"),
            ("task", "mcp_servers", [["name": 1]], "must be a list of MCP servers"),
            ("action", "kind", nil, "field is required"), ("action", "kind", "deploy", "unknown kind 'deploy'"),
            ("action", "task_step_ref", nil, "field is required"),
            ("action", "task_step_ref", "get", "step 'get' is not a task"),
            ("action", "task_step_ref", "open-pr", "does not run before"),
            ("action", "title", "{{.Steps.fix.branch}}", "there are task_id, status, result"),
            ("action", "description", "{{range}}", "'range' is not supported"),
            ("action", "title", [], "must be a text"),
        ] as [(String, String, JSONValue?, String)])
    func membersAreChecked(type: String, member: String, value: JSONValue?, reason: String) throws {
        var steps = [Self.fetch, Self.task, Self.action, Self.task]
        steps[3].name = "late"
        let index = try #require(["fetch", "task", "action"].firstIndex(of: type))
        guard case .object(var config) = steps[index].config else { return }
        let parts = member.split(separator: ".", maxSplits: 1).map(String.init)
        config[parts[0]] = parts.count == 1 ? value : .object([parts[1]: value ?? nil])
        steps[index].config = .object(config)
        if parts[0] == "outputs" {
            // Then nothing can be said of those who use them.
            steps = [steps[0]]
        }
        let problems = problems(Self.workflow(steps))
        #expect(Array(problems.keys) == ["steps[\(index)].config.\(member)"], "\(problems)")
        #expect(problems.values.first?.contains(reason) == true, "\(problems)")
    }

    @Test func whatIsHarmlessIsLeftAlone() throws {
        var steps = [Self.fetch, Self.task, Self.action]
        steps[1].config = [
            "repo_url": "r", "prompt": "p", "pr_number": 0, "tools": nil, "cli": "", "task_type": "{{.Params.t}}",
            "mcp_servers": [], "of_a_later_version": ["x"],
        ]
        steps[2].config = ["kind": "create_mr", "task_step_ref": "fix"]
        try WorkflowValidator.check(Self.workflow(steps))
    }

    @Test func stepsAreChecked() {
        let nameless = WorkflowStep(name: "", type: "", config: "text")
        var twin = Self.fetch
        twin.type = "sing"
        let found = problems(
            Self.workflow([Self.fetch, nameless, twin, WorkflowStep(name: "a b", type: "task", config: nil)]))
        #expect(found["steps[1].name"] == "field is required")
        #expect(found["steps[1].type"] == "field is required")
        #expect(found["steps[2].name"] == "there is another step 'get'")
        #expect(found["steps[2].type"]?.contains("unknown step type 'sing'; there are fetch, task, action") == true)
        #expect(found["steps[3].name"]?.contains("a template can't name it") == true)
        #expect(found["steps[3].config.prompt"] == "field is required")
        #expect(
            problems(Self.workflow([WorkflowStep(name: "x", type: "task", config: ["a"])]))["steps[0].config"] != nil)
    }

    @Test func parametersAreChecked() {
        let found = problems(
            Self.workflow([], [.init(name: "a"), .init(name: ""), .init(name: "a"), .init(name: "a.b")]))
        #expect(found.keys.sorted() == (1...3).map { "parameters[\($0)].name" })
        #expect(found["parameters[2].name"] == "there is another parameter 'a'")
    }

    @Test func thereAreBounds() throws {
        let steps = (0..<51).map { WorkflowStep(name: "s\($0)", type: "fetch", config: Self.fetch.config) }
        #expect(problems(Self.workflow(steps)).keys.sorted() == ["steps"])
        try WorkflowValidator.check(Self.workflow(Array(steps.dropLast())))
        let parameters = (0..<101).map { WorkflowParameter(name: "p\($0)") }
        #expect(problems(Self.workflow([], parameters)).keys.sorted() == ["parameters"])
        let headers = Dictionary(uniqueKeysWithValues: (0..<100).map { ("bad name \($0)", JSONValue.string("x")) })
        let many = (0..<50).map {
            WorkflowStep(name: "s\($0)", type: "fetch", config: ["url": "https://h", "headers": .object(headers)])
        }
        #expect(problems(Self.workflow(many)).count == 100)
    }
}

@Suite struct StepConfigTests {
    @Test func aFetchHasItsDefaults() throws {
        let config = try FetchConfig(
            WorkflowStep(
                name: "s", type: "fetch",
                config: [
                    "url": "https://h", "headers": ["B": "2", "A": "1", "C": nil], "outputs": ["y": "$.y", "x": "$"],
                    "key_name": "",
                ]))
        #expect(config.method == "GET" && config.keyName == nil)
        #expect(config.headers.map(\.name) == ["A", "B"] && config.outputs.map(\.path) == ["$", "$.y"])
        let post = WorkflowStep(name: "s", type: "fetch", config: ["url": "https://h", "method": "post"])
        #expect(try FetchConfig(post).method == "POST")
    }

    @Test func aTaskHasAllItsMembers() throws {
        let config = try TaskStepConfig(
            WorkflowStep(
                name: "s", type: "task",
                config: [
                    "repo_url": "r", "prompt": "p", "task_type": "plan", "provider_key": "k", "access_token": "t",
                    "cli": "codex", "ai_model": "m", "source_branch": "a", "target_branch": "b",
                    "output_mode": "post_comments", "workspace_task_ref": "w", "pr_number": 7,
                    "tools": [["name": "sentry", "config": ["auth_token": "x"]]], "tool_key_ref": "kk",
                    "mcp_servers": [["name": "m", "args": ["1"]]], "timeout_seconds": 60, "max_turns": 3,
                    "max_budget_usd": 2,
                ]))
        #expect(config.repoURL == "r" && config.prompt == "p" && config.taskType == "plan" && config.providerKey == "k")
        #expect(config.accessToken == "t" && config.cli == "codex" && config.aiModel == "m")
        #expect(config.sourceBranch == "a" && config.targetBranch == "b" && config.outputMode == "post_comments")
        #expect(config.workspaceTaskRef == "w" && config.prNumber == 7 && config.toolKeyRef == "kk")
        #expect(config.tools == [ToolRequest(name: "sentry", config: ["auth_token": "x"])])
        #expect(config.mcpServers == [MCPServer(name: "m", args: ["1"])])
        #expect(config.timeoutSeconds == 60 && config.maxTurns == 3 && config.maxBudgetUSD == 2)
    }

    @Test func whatIsWrongIsThrownWithAllMembers() throws {
        let step = WorkflowStep(name: "s", type: "action", config: ["kind": "x", "title": 1])
        let error = #expect(throws: CodeForgeError.self) { try ActionConfig(step) }
        #expect(error?.fields.map(\.name) == ["config.kind", "config.task_step_ref", "config.title"])
        #expect(error?.message.hasPrefix("config.kind: unknown kind 'x'") == true)
    }
}
