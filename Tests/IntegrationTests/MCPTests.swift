import Domain
import Foundation
import RedisMessaging
import ServerKit
import TestKit
import Testing

/// MCP servers of a task: what its CLI is told, with a program in the place of Claude Code that tells it back.
@Suite(.serialized) struct MCPTests {
    /// What the program saw.
    private struct Seen {
        var arguments: String
        var file: JSONValue
        var kind: String
        var errors: String

        init(_ task: JSONValue) throws {
            try #require(task["status"] == "completed", "\(task)")
            let text = task["result"]?.stringValue ?? ""
            let json = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
            func member(_ name: String) -> String { json[name]?.stringValue ?? "" }
            arguments = member("arguments")
            file = (try? JSONDecoder().decode(JSONValue.self, from: Data(member("file").utf8))) ?? .null
            kind = member("kind")
            errors = member("errors")
        }

        var servers: JSONValue? { file["mcpServers"] }
    }

    private static let program = """
        #!/bin/bash
        arguments="$*" file=$(cat .mcp.json 2>&1) kind=$(stat -c '%A %F' .mcp.json 2>&1)
        if [[ $2 == attack ]]; then
            echo '{}' > .mcp.json; rm -f .mcp.json; mv .mcp.json x; ln -sf /etc/passwd .mcp.json; chmod 777 .mcp.json
            umount .mcp.json
        fi 2>/tmp/errors
        jq -cn --arg arguments "$arguments" --arg file "$file" --arg kind "$kind" \\
            --arg errors "$(cat /tmp/errors 2>/dev/null)" \\
            '{type: "result", subtype: "success", result: ({$arguments, $file, $kind, $errors} | tojson)}'
        """

    private func withServer(_ body: (ServerFixture) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        let program = directory.file("claude")
        try MCPTests.program.write(toFile: program, atomically: false, encoding: .utf8)
        chmod(directory.path, 0o755)
        chmod(program, 0o755)
        try await ServerFixture.with(
            ["CODEFORGE_CLI__DEFAULT": "claude-code", "CODEFORGE_CLI__CLAUDE_CODE__PATH": program], body)
    }

    private let own: JSONValue = [
        [
            "name": "inside", "command": "python3", "package": "some-server", "args": ["-v"],
            "env": ["TOKEN": "environment-secret"],
        ],
        ["name": "team", "transport": "http", "url": "https://h.example/mcp", "headers": ["X-Key": "header-secret"]],
    ]

    private let expected: JSONValue = [
        "inside": ["command": "python3", "args": ["some-server", "-v"], "env": ["TOKEN": "environment-secret"]],
        "team": ["type": "http", "url": "http://127.0.0.1:61999/mcp/team"],
    ]

    private let unchanged: JSONValue = [
        "files_created": 0, "files_modified": 0, "files_deleted": 0, "diff_stats": "+0 -0",
    ]

    private func refusals(_ server: ServerFixture, _ id: String) async throws -> [JSONValue] {
        try await server.frames(id).filter { $0.name == "mcp_server_refused" }.map { $0.data["data"] ?? .null }
    }

    @Test func theCLIIsToldOfTheServersAndTheRepositoryIsNot() async throws {
        try await withServer { server in
            let id = try await server.create(
                "attack", repo: try server.makeRepository(), config: ["mcp_servers": own])
            var task = try await server.finished(id)
            var seen = try Seen(task)
            #expect(seen.arguments.contains("bypassPermissions --mcp-config /workspace/.mcp.json --model "), "\(seen)")
            #expect(seen.servers == expected)
            #expect(seen.kind == "-rw-r--r-- regular file")
            #expect(seen.errors.split(separator: "\n").count == 6, "each attempt failed: \(seen.errors)")
            #expect(task["changes_summary"] == unchanged, "\(task)")
            let listed = try server.inWorkspace(of: id, "ls -A")
            #expect(listed == ".git\nREADME.md\n")
            #expect(try await refusals(server, id) == [])
            #expect(task["config"]?["mcp_servers"]?.arrayValue?.first?["env"] == ["TOKEN": "***"])

            let answer = try await server.request("POST", "/api/v1/tasks/\(id)/instruct", ["prompt": "again"])
            #expect(answer.status == 200)
            task = try await server.wait(id, for: "completed", "failed")
            seen = try Seen(task)
            #expect(seen.servers == expected, "the values are there for a follow-up")
            let audit = try await server.request("GET", "/api/v1/tasks/\(id)?include=audit").json["audit"]?.arrayValue
            let records = (audit ?? []).filter { $0["kind"] == "mcp" }.map {
                "\($0["name"]?.stringValue ?? "") \($0["verdict"]?.stringValue ?? "")"
                    + " \($0["detail"]?["transport"]?.stringValue ?? "")"
            }
            #expect(Set(records) == ["inside allowed stdio", "team allowed http"], "\(records)")

            // In the clear nothing of it stays in the database, in Redis' file or in the run's directory. (The
            // environment does here, as the program told it.)
            let found = try server.shell(
                """
                cd '\(server.directory)/data'; ls runs/\(id)
                grep -rlaE 'header-secret' *.db* redis runs || true
                """)
            #expect(!found.contains("mcp.json") && !found.contains("/"), "\(found)")
        }
    }

    @Test func aFileOfTheRepositoryIsUsedAsItIsUnlessThereAreServers() async throws {
        let tracked = #"{"mcpServers": {"theirs": {"command": "true"}}}"#
        try await withServer { server in
            let repository = try server.makeRepository([".mcp.json": tracked, "README.md": "hello\n"])
            let without = try await server.create("look", repo: repository)
            var seen = try Seen(try await server.finished(without))
            #expect(seen.arguments.contains(" --mcp-config /workspace/.mcp.json "))
            #expect(seen.servers == ["theirs": ["command": "true"]])

            let with = try await server.create("attack", repo: repository, config: ["mcp_servers": own])
            let task = try await server.finished(with)
            seen = try Seen(task)
            #expect(seen.servers == expected)
            #expect(task["changes_summary"] == unchanged, "\(task)")
            #expect(try server.inWorkspace(of: with, "cat .mcp.json") == tracked)
        }
    }

    @Test func withoutServersThereIsNoFileAndNoArgument() async throws {
        try await withServer { server in
            let repository = try server.makeRepository()
            let id = try await server.create("look", repo: repository)
            let seen = try Seen(try await server.finished(id))
            #expect(!seen.arguments.contains("mcp"))
            #expect(seen.file == .null)
            // A CLI that knows no servers gets no file with values in it.
            let shell = try await server.create(
                "ls -A", repo: repository, config: ["cli": "shell", "mcp_servers": own])
            #expect(try await server.finished(shell)["result"]?.stringValue?.contains(".mcp.json") == false)
        }
    }

    @Test func registeredServersComeFirstAndToolsLast() async throws {
        try await withServer { server in
            for body in [
                ["name": "shared", "command": "python3", "package": "global"],
                ["name": "team", "command": "python3", "package": "global"],
                ["name": "git", "command": "python3", "package": "global"],
            ] as [JSONValue] {
                #expect(try await server.request("POST", "/api/v1/mcp/servers", body).status == 201)
            }
            let repository = try server.makeRepository()
            let id = try await server.create(
                "look", repo: repository, config: ["mcp_servers": own, "tools": [["name": "git"]]])
            let servers = try Seen(try await server.finished(id)).servers
            #expect(servers?["shared"]?["args"] == ["global"])
            #expect(servers?["team"]?["type"] == "http")
            // The tool takes the server's place; what it starts by is not in the image.
            #expect(servers?["git"] == nil)
            #expect(
                try await refusals(server, id) == [
                    ["name": "git", "transport": "stdio", "reason": "the image has no program npx"]
                ])

            // A wrong tool takes the other tools with it, and nothing else.
            let wrong = try await server.create(
                "look", repo: repository, config: ["tools": [["name": "playwright"], ["name": "sentry"]]])
            let seen = try Seen(try await server.finished(wrong))
            #expect(seen.servers?["playwright"] == nil && seen.servers?["shared"] != nil)
            #expect(
                try await refusals(server, wrong) == [
                    ["name": "sentry", "reason": "all tools are left out: auth_token is required"]
                ])
        }
    }

    @Test func whatCannotBeServedIsLeftOutAndSaidSo() async throws {
        try await withServer { server in
            let id = try await server.create(
                "look", repo: try server.makeRepository(),
                config: [
                    "mcp_servers": [
                        ["name": "a b", "transport": "http", "url": "https://h.example/"],
                        ["name": "file", "transport": "http", "url": "file:///etc/passwd"],
                        [
                            "name": "split", "transport": "http", "url": "https://h.example/",
                            "headers": ["X": "a\r\nY: b"],
                        ],
                        ["name": "good", "command": "python3", "package": "p"],
                        ["name": "absent", "package": "p"], ["name": "there", "command": "/opt/x"],
                    ],
                    "tools": [["name": "playwright"]],
                ])
            let seen = try Seen(try await server.finished(id))
            #expect(
                seen.servers == [
                    "good": ["command": "python3", "args": ["p"]], "there": ["command": "/opt/x", "args": []],
                ])
            let reasons = try await refusals(server, id).compactMap { $0["reason"]?.stringValue }
            #expect(
                reasons == [
                    "the name is malformed", "the URL starts with neither http:// nor https://",
                    "a header is malformed", "the image has no program npx", "the image has no program npx",
                ])
            #expect(try await refusals(server, id).last?["name"] == "playwright")
        }
    }

    @Test(arguments: ["ln -s /etc/passwd .mcp.json", "mkdir .mcp.json; touch .mcp.json/x"])
    func aRepositoryCannotLeadTheFileElsewhere(plant: String) async throws {
        try await withServer { server in
            let url = try server.makeRepository()
            try server.shell(
                """
                set -e; cd '\(server.directory)'; git clone -q '\(url)' plant; cd plant; \(plant); git add -A
                git -c user.name=t -c user.email=t@t commit -qm plant; git push -q
                """)
            let id = try await server.create("look", repo: url, config: ["mcp_servers": own])
            let seen = try Seen(try await server.finished(id))
            #expect(!seen.arguments.contains("--mcp-config"))
            let reasons = try await refusals(server, id).compactMap { $0["reason"]?.stringValue }
            #expect(reasons == Array(repeating: ".mcp.json in the repository is not a file", count: 2))
        }
    }
}
