import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import API

@Suite struct MCPTests {
    private let path = "/api/v1/mcp/servers"

    @Test func aServerComesBackAsItWasRegistered() async throws {
        try await APIRig().application.test(.router) { client async throws in
            #expect(try await client.ask(.get, path).body == #"{"servers":[]}"# + "\n")
            let answer = try await client.ask(
                .post, path,
                #"""
                {"name":"z-1","package":"@a/b","command":"npx","args":["--transport","stdio"],"env":{"K":"xxx"},
                 "headers":null,"unknown":1}
                """#)
            #expect(answer.status == 201)
            #expect(answer.body == #"{"name":"z-1","message":"MCP server registered"}"# + "\n")
            let http = #"{"name":"A_2","transport":"http","url":"https://h.example/mcp","headers":{"H":"yyy"}}"#
            #expect(try await client.ask(.post, path, http).status == 201)
            #expect(try await client.ask(.post, path, #"{"name":"m","transport":"","package":"p"}"#).status == 201)
            let servers = try #require(try await client.ask(.get, path).json["servers"] as? [[String: Any]])
            #expect(servers.map { $0["name"] as? String } == ["z-1", "A_2", "m"])
            #expect(
                servers.map { Set($0.keys) } == [
                    ["name", "transport", "command", "package", "args", "env", "created_at"],
                    ["name", "transport", "url", "headers", "created_at"],
                    ["name", "transport", "package", "created_at"],
                ])
            #expect(servers.map { $0["transport"] as? String } == ["stdio", "http", "stdio"])
            #expect(servers[0]["env"] as? [String: String] == ["K": "xxx"])
            #expect(servers[0]["args"] as? [String] == ["--transport", "stdio"])
            #expect(servers[1]["headers"] as? [String: String] == ["H": "yyy"])
            #expect((servers[0]["created_at"] as? String)?.hasSuffix("Z") == true)
        }
    }

    @Test(arguments: [
        ("{}", "name is required"), (#"{"name":""}"#, "name is required"), (#"{"name":null}"#, "name is required"),
        (
            #"{"name":"a b"}"#, "name must contain only alphanumeric characters, hyphens, and underscores"
        ),
        (#"{"name":"é"}"#, "name must contain only alphanumeric characters, hyphens, and underscores"),
        (#"{"name":"a","transport":"sse","url":"u"}"#, "transport must be 'stdio' or 'http'"),
        (#"{"name":"a","transport":"HTTP","url":"u"}"#, "transport must be 'stdio' or 'http'"),
        (#"{"name":"a","transport":"http","package":"p"}"#, "url is required for http transport"),
        (#"{"name":"a","transport":"http","url":""}"#, "url is required for http transport"),
        (#"{"name":"a","url":"https://h"}"#, "package is required for stdio transport"),
        (#"{"name":"a","transport":"stdio","package":""}"#, "package is required for stdio transport"),
        ("", "invalid JSON body"), ("[]", "invalid JSON body"), (#"{"name":1}"#, "invalid JSON body"),
        (#"{"name":"a","package":"p","env":{"K":1}}"#, "invalid JSON body"),
        (#"{"name":"a","package":"p","args":"x"}"#, "invalid JSON body"),
    ]) func aWrongServerIsRefused(body: String, message: String) async throws {
        try await APIRig().application.test(.router) { client async throws in
            let answer = try await client.ask(.post, path, body)
            #expect(answer.status == 400)
            #expect(answer.text("error") == "Bad Request")
            #expect(answer.text("message") == message)
            #expect(try await client.ask(.get, path).body == #"{"servers":[]}"# + "\n")
        }
    }

    @Test func aNameIsTakenUntilItIsDeleted() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let body = #"{"name":"a","package":"p"}"#
            #expect(try await client.ask(.post, path, body).status == 201)
            let second = try await client.ask(.post, path, body)
            #expect(second.status == 409)
            #expect(second.text("error") == "Conflict")
            #expect(second.text("message") == "MCP server 'a' already exists")
            let deleted = try await client.ask(.delete, path + "/a")
            #expect(deleted.status == 200)
            #expect(deleted.body == #"{"message":"MCP server deleted"}"# + "\n")
            let gone = try await client.ask(.delete, path + "/a")
            #expect(gone.status == 404)
            #expect(gone.text("message") == "MCP server 'a' not found")
            #expect(
                try await client.ask(.delete, path + "/b%20c").text("message") == "MCP server 'b c' not found")
            #expect(try await client.ask(.post, path, body).status == 201)
        }
    }

    @Test func nobodyGetsInWithoutAToken() async throws {
        try await APIRig().application.test(.router) { client async throws in
            for (method, uri) in [
                (.get, path), (.post, path), (.delete, path + "/a"), (.get, "/api/v1/tools"), (.post, "/api/v1/tools"),
                (.get, "/api/v1/tools/catalog"), (.get, "/api/v1/tools/git"), (.delete, "/api/v1/tools/x"),
            ] as [(HTTPRequest.Method, String)] {
                #expect(try await client.ask(method, uri, token: nil).status == 401, "\(method) \(uri)")
            }
        }
    }

    @Test func aServerThatCannotBeOpenedIsNamed() async throws {
        let rig = APIRig()
        rig.mcpServers.fail(with: CodeForgeError(.unavailable, "MCP server 'a' can't be opened"))
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.get, path)
            #expect(answer.status == 503)
            #expect(answer.text("message") == "MCP server 'a' can't be opened")
        }
    }
}

@Suite struct ToolTests {
    private let path = "/api/v1/tools"

    @Test func theCatalogIsTheFiveBuiltIns() async throws {
        try await APIRig().application.test(.router) { client async throws in
            _ = try await client.ask(.post, path, #"{"name":"mine","type":"mcp"}"#)
            let tools = try #require(try await client.ask(.get, path + "/catalog").json["tools"] as? [[String: Any]])
            #expect(tools.map { $0["name"] as? String } == ["sentry", "jira", "git", "github", "playwright"])
            #expect(tools.allSatisfy { $0["builtin"] as? Bool == true && $0["type"] as? String == "mcp" })
            let launches = tools.map { [$0["mcp_command"] as? String, $0["mcp_package"] as? String] }
            #expect(
                launches == [
                    ["npx", "@sentry/mcp-server"], ["uvx", "mcp-atlassian"], ["npx", "@cyanheads/git-mcp-server"],
                    ["npx", "@modelcontextprotocol/server-github"], ["npx", "@playwright/mcp"],
                ])
            #expect(
                tools.map { $0["capabilities"] as? [String] } == [
                    ["error-tracking", "issues"], ["issue-tracking", "project-management"], ["version-control", "git"],
                    ["github", "issues", "pull-requests"], ["browser", "testing", "automation"],
                ])
            let fields = tools.map { tool in
                (tool["required_config"] as? [[String: Any]] ?? []).map { field in
                    #expect(Set(field.keys) == ["name", "description", "type", "env_var", "sensitive"])
                    return "\(field["name"] ?? "") \(field["type"] ?? "") \(field["env_var"] ?? "")"
                        + " \(field["sensitive"] as? Bool ?? false)"
                }
            }
            #expect(
                fields == [
                    ["auth_token secret SENTRY_AUTH_TOKEN true"],
                    [
                        "url url JIRA_URL false", "username string JIRA_USERNAME false",
                        "api_token secret JIRA_API_TOKEN true",
                    ], [], ["token secret GITHUB_PERSONAL_ACCESS_TOKEN true"], [],
                ])
            for absent in ["optional_config", "mcp_args", "version"] {
                #expect(tools.allSatisfy { $0[absent] == nil }, "\(absent)")
            }
        }
    }

    @Test func aToolComesBackAsItWasRegistered() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let answer = try await client.ask(
                .post, path,
                #"""
                {"name":"my-tool","type":"custom","description":"d","version":"2","mcp_package":"p","mcp_command":"npx",
                 "mcp_args":["-x"],"required_config":[{"name":"api_key","type":"secret","env_var":"K","sensitive":true}],
                 "optional_config":[{"name":"o"}],"capabilities":["c"],"builtin":true,"created_at":"x"}
                """#)
            #expect(answer.status == 201)
            #expect(answer.body == #"{"name":"my-tool","message":"tool registered"}"# + "\n")
            let tool = try await client.ask(.get, path + "/my-tool").json
            #expect(tool["builtin"] as? Bool == false)
            #expect(tool["mcp_transport"] as? String == "stdio")
            #expect(tool["version"] as? String == "2")
            let field = try #require((tool["required_config"] as? [[String: Any]])?.first)
            #expect(Set(field.keys) == ["name", "description", "type", "env_var", "sensitive"])
            #expect(
                ((tool["optional_config"] as? [[String: Any]])?.first?.keys).map(Set.init) == Set(field.keys))

            #expect(try await client.ask(.post, path, #"{"name":"bare","type":"builtin"}"#).status == 201)
            let bare = try await client.ask(.get, path + "/bare").json
            #expect(Set(bare.keys) == ["name", "type", "description", "builtin", "created_at", "mcp_transport"])
            let all = try #require(try await client.ask(.get, path).json["tools"] as? [[String: Any]])
            #expect(
                all.map { $0["name"] as? String } == [
                    "sentry", "jira", "git", "github", "playwright", "my-tool", "bare",
                ])
            #expect(all.allSatisfy { $0["mcp_transport"] != nil && $0["created_at"] != nil })
        }
    }

    @Test(arguments: [
        ("{}", "name and type are required"), (#"{"name":"a"}"#, "name and type are required"),
        (#"{"type":"mcp"}"#, "name and type are required"),
        (#"{"name":"a/b","type":"mcp"}"#, "name must contain only alphanumeric characters, hyphens, and underscores"),
        (#"{"name":"a","type":"MCP"}"#, "type must be 'mcp', 'builtin', or 'custom'"),
        (#"{"name":"catalog","type":"mcp"}"#, "name 'catalog' is reserved"), ("nope", "invalid JSON body"),
        (#"{"name":"a","type":"mcp","required_config":[1]}"#, "invalid JSON body"),
        (#"{"name":"a","type":"mcp","required_config":[{"sensitive":"yes"}]}"#, "invalid JSON body"),
        (#"{"name":"a","type":"mcp","mcp_args":{}}"#, "invalid JSON body"),
    ]) func aWrongToolIsRefused(body: String, message: String) async throws {
        try await APIRig().application.test(.router) { client async throws in
            let answer = try await client.ask(.post, path, body)
            #expect(answer.status == 400)
            #expect(answer.text("message") == message)
        }
    }

    @Test func namesAreTakenByToolsAndBuiltIns() async throws {
        try await APIRig().application.test(.router) { client async throws in
            #expect(try await client.ask(.post, path, #"{"name":"a","type":"mcp"}"#).status == 201)
            for name in ["a", "git"] {
                let answer = try await client.ask(.post, path, #"{"name":"\#(name)","type":"mcp"}"#)
                #expect(answer.status == 409)
                #expect(answer.text("message") == "tool '\(name)' already exists in scope 'global'")
            }
        }
    }

    @Test func onlyToolsOfClientsCanBeDeleted() async throws {
        try await APIRig().application.test(.router) { client async throws in
            _ = try await client.ask(.post, path, #"{"name":"a","type":"mcp"}"#)
            let deleted = try await client.ask(.delete, path + "/a")
            #expect(deleted.status == 200)
            #expect(deleted.body == #"{"message":"tool deleted"}"# + "\n")
            for method in [HTTPRequest.Method.delete, .get] {
                let gone = try await client.ask(method, path + "/a")
                #expect(gone.status == 404)
                #expect(gone.text("message") == "tool 'a' not found")
            }
            let builtIn = try await client.ask(.delete, path + "/sentry")
            #expect(builtIn.status == 400)
            #expect(builtIn.text("message") == "built-in tool 'sentry' cannot be deleted")
            #expect(try await client.ask(.get, path + "/sentry").json["builtin"] as? Bool == true)
        }
    }
}
