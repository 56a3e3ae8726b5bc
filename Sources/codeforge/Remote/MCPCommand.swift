import ArgumentParser
import Client
import Domain
import FoundationEssentials

extension Resource {
    static let servers = Resource("servers", at: "/api/v1/mcp/servers")
    static let tools = Resource("tools", at: "/api/v1/tools")
}

struct MCPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp", abstract: "Look after the MCP servers every CLI is told of.",
        discussion: """
            \(exitStatuses)

            Examples:
              codeforge mcp add context7 --server https://mcp.context7.com/mcp --header CONTEXT7_API_KEY
              codeforge mcp ls
              codeforge mcp rm context7
            """,
        subcommands: [Add.self, List.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register an MCP server.",
            discussion: """
                Values of variables and headers are taken from this command's own environment, for others can see its \
                command line: --env NAME sends NAME=$NAME, --header 'X-Key=VARIABLE' sends `X-Key: $VARIABLE`. Or give \
                the whole definition as JSON with -f.

                Examples:
                  codeforge mcp add files --package @modelcontextprotocol/server-filesystem --arg /workspace
                  codeforge mcp add context7 --server https://mcp.context7.com/mcp --header 'Authorization=C7_TOKEN'
                  codeforge mcp add docs -f definition.json
                """)

        @Argument(help: "Name: letters, digits, - and _.")
        var name: String
        @Option(help: "URL of a server that speaks HTTP.")
        var server: String?
        @Option(help: "Package or program of a server in the sandbox.")
        var package: String?
        @Option(help: "What starts the package: npx, uvx, … Default: npx.")
        var command: String?
        @Option(name: .customLong("arg"), parsing: .unconditionalSingleValue, help: "Argument for it; may be repeated.")
        var arguments: [String] = []
        @Option(help: "Variable it gets, by name; may be repeated.")
        var env: [String] = []
        @Option(help: "NAME or NAME=VARIABLE: header the gateway adds; may be repeated.")
        var header: [String] = []
        @Option(name: [.customShort("f"), .customLong("file")], help: "Definition as JSON; - is standard input.")
        var file: String?
        @OptionGroup var output: AnswerOptions

        func validate() throws {
            try checkName(name)
            guard [server, package, file].compactMap(\.self).count == 1 else {
                throw ValidationError("give one of --server URL, --package NAME and -f FILE")
            }
        }

        func run() async throws { try await output.register(name, in: .servers, definition) }

        private func definition() throws(CodeForgeError) -> JSONValue {
            if let file { return try named(name, try Input.json(file)) }
            return .members(
                ("name", .string(name)), ("transport", server == nil ? "stdio" : "http"),
                ("url", server.map { .string($0) }), ("package", package.map { .string($0) }),
                ("command", command.map { .string($0) }),
                ("args", arguments.isEmpty ? nil : .array(arguments.map { .string($0) })),
                ("env", try values(env)), ("headers", try values(header)))
        }

        private func values(_ names: [String]) throws(CodeForgeError) -> JSONValue? {
            var values: [String: JSONValue] = [:]
            for text in names {
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard let name = parts.first, let variable = parts.last,
                    let value = ProcessInfo.processInfo.environment[variable]
                else {
                    throw CodeForgeError(.invalidArgument, "'\(text)': there is no such variable in the environment")
                }
                values[name] = .string(value)
            }
            return values.isEmpty ? nil : .object(values)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the MCP servers.",
            discussion: """
                Values of variables and headers are shown as *** unless --reveal is given with --json.

                Examples:
                  codeforge mcp ls
                  codeforge mcp ls --json --reveal | jq '.servers[0].headers'
                """)

        @Flag(help: "Print JSON.")
        var json = false
        @Flag(help: "With --json: also values of variables and headers.")
        var reveal = false
        @OptionGroup var options: ServiceOptions

        func run() async throws {
            try await reporting {
                let answer = try await options.client().get(Resource.servers.path)
                let servers = answer.list("servers")
                if json { return printJSON(reveal ? answer : ["servers": .array(servers.map(masked))]) }
                TextTable.show(
                    servers,
                    [
                        .text("NAME", "name"), .text("TRANSPORT", "transport"), .moment("CREATED", "created_at"),
                        .text("SERVER", summary),
                    ])
            }
        }

        private func summary(_ server: JSONValue) -> String {
            let package = [server["command"]?.plain ?? "npx", server.text("package")]
            let what = server["url"]?.plain ?? (package + server.list("args").map(\.plain)).joined(separator: " ")
            let secrets = ["env", "headers"].flatMap { server[$0]?.members.map { "\($0.key)=***" } ?? [] }
            return ([what] + secrets).joined(separator: " ")
        }

        private func masked(_ server: JSONValue) -> JSONValue {
            guard case .object(var members) = server else { return server }
            for name in ["env", "headers"] {
                if case .object(let values)? = members[name] {
                    members[name] = .object(values.mapValues { _ in "***" })
                }
            }
            return .object(members)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Delete MCP servers; runs that have them keep them.",
            discussion: "Examples:\n  codeforge mcp rm context7")

        @Argument(help: "Names of servers.")
        var names: [String]
        @OptionGroup var options: ServiceOptions

        func validate() throws { try names.forEach(checkName) }

        func run() async throws { try await remove(names, from: .servers, options) }
    }
}

/// A definition under the name the command line gives.
private func named(_ name: String, _ definition: JSONValue) throws(CodeForgeError) -> JSONValue {
    guard case .object(var members) = definition else {
        throw CodeForgeError(.invalidArgument, "a definition must be a JSON object")
    }
    members["name"] = .string(name)
    return .object(members)
}

struct ToolsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tools", abstract: "Look after the tools tasks can ask for.",
        discussion: """
            \(exitStatuses)

            Examples:
              codeforge tools ls
              codeforge task run --repo https://github.com/user/repo.git --tool playwright --prompt 'Test the form'
            """,
        subcommands: [List.self, Show.self, Add.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the tools, built-in ones first.",
            discussion: "Examples:\n  codeforge tools ls\n  codeforge tools ls --json | jq -r '.tools[].name'")

        @OptionGroup var output: AnswerOptions

        func run() async throws {
            try await output.list(
                .tools,
                [
                    .text("NAME", "name"), .text("TYPE", "type"),
                    .text("BUILT IN") { $0["builtin"] == true ? "yes" : "no" },
                    .text("NEEDS") { tool in
                        tool.list("required_config").map { $0.text("name") }.joined(separator: " ").filled ?? "-"
                    },
                    .text("DESCRIPTION", "description"),
                ])
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a tool: what it is, and what it has to be told.",
            discussion: """
                Examples:
                  codeforge tools show sentry
                  codeforge tools show sentry --json | jq .required_config
                """)

        @Argument(help: "Name of the tool.")
        var name: String
        @OptionGroup var output: AnswerOptions

        func validate() throws { try checkName(name) }

        func run() async throws {
            try await output.show(name, of: .tools) { tool in
                for (name, value) in tool.members where name != "required_config" && name != "optional_config" {
                    let list = value.arrayValue.map { $0.map(\.plain).joined(separator: " ") }
                    say(name + String(repeating: " ", count: max(1, 16 - name.count)) + (list ?? value.plain))
                }
                for group in ["required_config", "optional_config"] {
                    for field in tool.list(group) {
                        say("\(group)  \(field.text("name")) (\(field.text("type"))): \(field.text("description"))")
                    }
                }
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a tool.",
            discussion: """
                Its definition is JSON, as the API takes it: type, description, mcp_package, required_config …

                Examples:
                  codeforge tools add my-tool -f my-tool.json
                  echo '{"type": "mcp", "mcp_package": "my-mcp-server"}' | codeforge tools add my-tool -f -
                """)

        @Argument(help: "Name: letters, digits, - and _.")
        var name: String
        @Option(name: [.customShort("f"), .customLong("file")], help: "Definition as JSON; - is standard input.")
        var file: String
        @OptionGroup var output: AnswerOptions

        func validate() throws { try checkName(name) }

        func run() async throws {
            try await output.register(name, in: .tools) { () throws(CodeForgeError) in
                try named(name, try Input.json(file))
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Delete tools; built-in ones stay.",
            discussion: "Examples:\n  codeforge tools rm my-tool"
        )

        @Argument(help: "Names of tools.")
        var names: [String]
        @OptionGroup var options: ServiceOptions

        func validate() throws { try names.forEach(checkName) }

        func run() async throws { try await remove(names, from: .tools, options) }
    }
}
