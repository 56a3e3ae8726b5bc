import Domain
import TestKit
import Testing

@testable import Engine

@Suite struct MCPPlannerTests {
    private let servers = InMemoryMCPServerStore()
    private let tools = InMemoryToolStore()

    private func plan(_ own: [MCPServer] = [], tools requests: [ToolRequest] = []) async -> MCPPlan {
        var config = TaskConfig()
        var secrets = TaskSecrets()
        (config.mcpServers, config.tools) = (own, requests)
        (secrets.mcpServers, secrets.tools) = (own, requests)
        return await MCPPlanner(servers: servers, tools: tools).plan(config.masked, secrets)
    }

    private func register(_ server: MCPServer) async throws {
        try await servers.insert(server, named: server.name ?? "", at: Timestamp(nanoseconds: 0))
    }

    private func stdio(_ command: String, _ arguments: String..., environment: [String: String] = [:])
        -> MCPPlan.Server.Launch
    {
        .stdio(command: command, arguments: arguments, environment: environment)
    }

    // MARK: Merging and launching

    @Test func laterSourcesTakeThePlaceOfEarlierOnesByName() async throws {
        for name in ["one", "two", "git"] { try await register(MCPServer(name: name, package: "global-\(name)")) }
        let plan = await plan(
            [MCPServer(name: "two", package: "own"), MCPServer(name: "git", package: "own")],
            tools: [ToolRequest(name: "git")])
        #expect(plan.omissions == [])
        #expect(
            Dictionary(uniqueKeysWithValues: plan.servers.map { ($0.name, $0.launch) }) == [
                "one": stdio("npx", "-y", "global-one"), "two": stdio("npx", "-y", "own"),
                "git": stdio("npx", "-y", "@cyanheads/git-mcp-server"),
            ])
    }

    @Test(
        arguments: [
            (nil, "p", ["a", "b"], "npx", ["-y", "p", "a", "b"]), ("", "p", [], "npx", ["-y", "p"]),
            ("npx", "", ["p"], "npx", ["-y", "p"]), ("docker", "i", ["x"], "docker", ["run", "-i", "--rm", "i", "x"]),
            ("uvx", "p", ["x"], "uvx", ["p", "x"]), ("/opt/s", nil, ["", "x"], "/opt/s", ["", "x"]),
            ("python3", "-m", ["s"], "python3", ["-m", "s"]),
        ] as [(String?, String?, [String], String, [String])])
    func argumentsFollowTheCommand(
        _ command: String?, _ package: String?, _ args: [String], _ expected: String, _ arguments: [String]
    ) async {
        let plan = await plan([MCPServer(name: "s", package: package, command: command, args: args, env: ["K": "v"])])
        #expect(
            plan.servers.map(\.launch) == [
                .stdio(command: expected, arguments: arguments, environment: ["K": "v"])
            ])
    }

    @Test func anHTTPServerKeepsItsHeadersForTheGateway() async {
        let plan = await plan([
            MCPServer(name: "s", transport: "http", env: ["E": "x"], url: "https://h/mcp", headers: ["H": "v"])
        ])
        #expect(plan.servers.map(\.launch) == [.http(url: "https://h/mcp", headers: ["H": "v"])])
        #expect(plan.secrets == ["v"])
        #expect(!"\(plan)".contains("https://h/mcp"))
    }

    @Test func whatCannotBeAServerIsLeftOutAlone() async throws {
        try await register(MCPServer(name: "kept", package: "p"))
        let plan = await plan([
            MCPServer(name: nil, package: "p"), MCPServer(name: "u", transport: "http"),
            MCPServer(name: "t", transport: "sse", url: "https://h"),
        ])
        #expect(plan.servers.map(\.name) == ["kept"])
        #expect(plan.omissions.map(\.name) == ["", "u", "t"])
        #expect(plan.omissions.map(\.reason) == ["no name", "no url", "transport must be 'stdio' or 'http'"])
    }

    @Test func registeredServersThatCannotBeReadAreLeftOut() async {
        servers.fail(with: CodeForgeError(.unavailable, "another key"))
        let plan = await plan([MCPServer(name: "own", package: "p")])
        #expect(plan.servers.map(\.name) == ["own"])
        #expect(plan.omissions.map(\.reason) == ["the registered servers can't be read: another key"])
    }

    // MARK: Tools

    @Test func aToolsValuesBecomeEnvironmentOrHeaders() async throws {
        func field(_ name: String, _ variable: String) -> ToolField {
            ToolField(name: name, description: "", type: "string", variable: variable, isSensitive: false)
        }
        let fields = [field("a", "A"), field("silent", "")]
        try await tools.insert(
            Tool(
                name: "remote", transport: "http", url: "https://h/mcp", requiredConfig: fields,
                optionalConfig: [field("b", "B"), field("c", "C")]), at: Timestamp(nanoseconds: 0))
        let plan = await plan(tools: [
            ToolRequest(name: "sentry", config: ["auth_token": "t", "more": "x"]),
            ToolRequest(name: "remote", config: ["a": "1", "silent": "2", "b": "3", "c": ""]),
        ])
        #expect(
            plan.servers == [
                .init(
                    name: "sentry",
                    launch: stdio("npx", "-y", "@sentry/mcp-server", environment: ["SENTRY_AUTH_TOKEN": "t"])),
                .init(name: "remote", launch: .http(url: "https://h/mcp", headers: ["A": "1", "B": "3"])),
            ])
        #expect(plan.omissions == [])
    }

    @Test(
        arguments: [
            ("nobody", [:], "unknown tool"), ("sentry", [:], "auth_token is required"),
            ("sentry", ["auth_token": ""], "auth_token is required"),
            ("jira", ["url": "h", "username": "u", "api_token": "t"], "url is no url"),
            ("jira", ["url": "https://", "username": "u", "api_token": "t"], "url is no url"),
            ("jira", ["url": "mailto:x@y", "username": "u", "api_token": "t"], "url is no url"),
            ("typed", ["n": "1.5", "b": "true"], "n is no int"), ("typed", ["n": "1", "b": "yes"], "b is no bool"),
            ("typed", ["n": "1", "b": "1", "o": "x"], "o is no int"),
        ] as [(String, [String: String], String)])
    func oneWrongToolTakesAllOthersWithIt(name: String, values: [String: String], reason: String) async throws {
        try await insertTyped()
        let plan = await plan(
            [MCPServer(name: "own", package: "p")],
            tools: [ToolRequest(name: "git"), ToolRequest(name: name, config: values)])
        #expect(plan.servers.map(\.name) == ["own"])
        #expect(plan.omissions == [.init(name: name, reason: "all tools are left out: \(reason)")])
    }

    @Test func typedValuesPassInEitherSpelling() async throws {
        try await insertTyped()
        for value in ["true", "FALSE", "0", "1"] {
            let plan = await plan(tools: [ToolRequest(name: "typed", config: ["n": "-7", "b": value, "o": ""])])
            #expect(plan.omissions == [] && plan.servers.count == 1, "\(value)")
        }
    }

    @Test func aToolThatCannotBeLaunchedIsLeftOutAlone() async throws {
        let zero = Timestamp(nanoseconds: 0)
        try await tools.insert(Tool(name: "packless"), at: zero)
        try await tools.insert(Tool(name: "urlless", transport: "http"), at: zero)
        let plan = await plan(tools: ["packless", "urlless", "git"].map { ToolRequest(name: $0) })
        #expect(plan.servers.map(\.name) == ["git"])
        #expect(plan.omissions.map(\.reason) == ["no package", "no url"])
    }

    private func insertTyped() async throws {
        func field(_ name: String, _ type: String) -> ToolField {
            ToolField(name: name, description: "", type: type, variable: name, isSensitive: false)
        }
        try await tools.insert(
            Tool(
                name: "typed", package: "p", requiredConfig: [field("n", "int"), field("b", "bool")],
                optionalConfig: [field("o", "int")]), at: Timestamp(nanoseconds: 0))
    }

    // MARK: Secrets of a task

    @Test func valuesAreKeptBesideTheRecordAndComeBackForTheRun() async throws {
        let fixture = EngineFixture()
        var config = TaskConfig()
        config.mcpServers = [MCPServer(name: "s", package: "p", args: ["a"], env: ["K": "sec1"])]
        config.tools = [ToolRequest(name: "sentry", config: ["auth_token": "sec2"])]
        let task = try await fixture.service.create(
            TaskDraft(repoURL: "https://github.com/o/r", prompt: "p", config: config))
        let record = try #require(try await fixture.store.task(task.id)?.config)
        #expect(record.mcpServers?.first?.env == ["K": "***"] && record.mcpServers?.first?.args == ["a"])
        #expect(record.tools?.first?.config == ["auth_token": "***"])
        let launches = try await fixture.planner().plan(task).mcp.servers.map(\.launch)
        #expect(
            launches == [
                stdio("npx", "-y", "p", "a", environment: ["K": "sec1"]),
                stdio("npx", "-y", "@sentry/mcp-server", environment: ["SENTRY_AUTH_TOKEN": "sec2"]),
            ])

        try await fixture.secrets.expire(task.id, seconds: 0)
        let later = try await fixture.planner().plan(task).mcp
        #expect(later.servers == [])
        #expect(later.omissions.map(\.reason) == ["the task's servers and tools: their values are no longer kept"])
    }

    @Test func serversWithoutValuesNeedNothingBesideTheRecord() async throws {
        let fixture = EngineFixture()
        var config = TaskConfig()
        config.mcpServers = [MCPServer(name: "s", package: "p")]
        let task = try await fixture.service.create(
            TaskDraft(repoURL: "https://github.com/o/r", prompt: "p", config: config))
        #expect(try await fixture.secrets.secrets(of: task.id).isEmpty)
        #expect(try await fixture.planner().plan(task).mcp.servers.map(\.name) == ["s"])
    }
}
