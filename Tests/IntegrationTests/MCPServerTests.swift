import Domain
import Foundation
import RedisMessaging
import ServerKit
import TestKit
import Testing

/// Real MCP servers, called by the real Claude Code: the official time server inside the sandbox, and one of the SDK
/// behind the gateway. Claude Code has the model look for such a tool before it may call it.
@Suite(.serialized) struct MCPServerTests {
    /// A server of the SDK over streamable HTTP that wants a secret header.
    private final class TeamServer: Sendable {
        let secret = "team-secret-\(UUID().uuidString)"
        let url: String
        private let process: ChildProcess

        init(_ packages: String) async throws {
            let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
            process = try ChildProcess(
                BuiltProducts.root + "/scripts/lib/mcp-http-server", [secret],
                environment: ["PYTHONPATH": packages + "/outside", "PYTHONDONTWRITEBYTECODE": "1", "PATH": path])
            url = try await process.output(matching: #"http://127\.0\.0\.1:\d+/mcp"#)
        }

        var authority: String { String(url.dropFirst("http://".count).prefix { $0 != "/" }) }

        /// `METHOD STATUS` of each request.
        var requests: [String] {
            process.output.split(separator: "\n").map(String.init).filter { $0.firstMatch(of: /^[A-Z]+ \d+$/) != nil }
        }
    }

    private static func packages() throws -> String {
        try HostRepository.shell("'\(BuiltProducts.root)/scripts/lib/mcp-packages'")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func aServerInsideTheSandboxIsCalled() async throws {
        let packages = try MCPServerTests.packages()
        let model = try await ModelFixture(
            """
            scenarios:
              - turns:
                  - tool: {name: ToolSearch, input: {query: 'select:mcp__time__get_current_time', max_results: 1}}
                  - tool: {name: mcp__time__get_current_time, input: {timezone: Asia/Kathmandu}}
                  - say: "{result}"
            """)
        let profiles = try TemporaryDirectory()
        try Data("extends: code\nmounts: [{source: \(packages)/inside, target: /opt/mcp}]\n".utf8)
            .write(to: URL(fileURLWithPath: profiles.file("tools.yaml")))
        chmod(profiles.file("tools.yaml"), 0o644)
        let settings = [
            "CODEFORGE_SANDBOX__PROFILES_DIR": profiles.path,
            "CODEFORGE_SANDBOX__PROFILES__TASK_TYPES": #"{"code":"tools"}"#,
        ]
        try await ServerFixture.with(model.settings.merging(settings) { $1 }) { server in
            let id = try await server.create(
                "What time is it?", repo: try server.makeRepository(),
                config: [
                    "cli": "claude-code",
                    "mcp_servers": [
                        [
                            "name": "time", "command": "python3", "package": "-m",
                            "args": ["mcp_server_time", "--local-timezone", "UTC"], "env": ["PYTHONPATH": "/opt/mcp"],
                        ]
                    ],
                ])
            let task = try await server.finished(id, seconds: 90)
            let result = task["result"]?.stringValue ?? ""
            #expect(result.contains("Asia/Kathmandu") && result.contains("+05:45"), "\(task)")
            #expect(task["changes_summary"]?["files_created"] == 0, "\(task)")
            let calls = try await server.frames(id).filter {
                $0.data["data"]?["type"] == "tool_use"
                    && "\($0.data)".contains("string(\"mcp__time__get_current_time\")")
            }
            #expect(calls.count == 1)
        }
    }

    /// Out of the image `mcp`, by the names they have there: nothing of the host is shown to the sandbox.
    @Test func serversOfAnImageAreCalled() async throws {
        let images = try BuiltProducts.images()
        try #require(
            FileManager.default.fileExists(atPath: images + "/mcp/rootfs/usr/local/bin/mcp-server-git"),
            "the image mcp is missing in \(images): run scripts/setup test")
        let model = try await ModelFixture(
            """
            scenarios:
              - turns:
                  - tool: {name: ToolSearch, input: {query: 'select:mcp__time__get_current_time,mcp__git__git_log', max_results: 2}}
                  - tool: {name: mcp__time__get_current_time, input: {timezone: Asia/Kathmandu}}
                  - tool: {name: mcp__git__git_log, input: {repo_path: /workspace, max_count: 1}}
                  - run: uvx --version
                  - say: "{result}"
            """)
        try await ServerFixture.with(model.settings.merging(["CODEFORGE_SANDBOX__IMAGE": "mcp"]) { $1 }) { server in
            let id = try await server.create(
                "What happened when?", repo: try server.makeRepository(),
                config: [
                    "cli": "claude-code",
                    "mcp_servers": [
                        ["name": "time", "command": "mcp-server-time", "package": "--local-timezone", "args": ["UTC"]],
                        [
                            "name": "git", "command": "mcp-server-git", "package": "--repository",
                            "args": ["/workspace"],
                        ],
                    ],
                ])
            let task = try await server.finished(id, seconds: 120)
            #expect(task["result"]?.stringValue?.hasPrefix("uvx ") == true, "\(task)")
            let said = try model.bodies()
            #expect(said.contains("+05:45"), "the time server answered")
            #expect(said.contains("Commit: ") && said.contains("Message: "), "the git server answered")
            #expect(task["changes_summary"]?["files_created"] == 0, "\(task)")
        }
    }

    @Test func aServerBehindTheGatewayIsCalledWithAHeaderTheSandboxNeverSees() async throws {
        let team = try await TeamServer(try MCPServerTests.packages())
        let model = try await ModelFixture(
            """
            scenarios:
              - turns:
                  - tool: {name: ToolSearch, input: {query: 'select:mcp__team__count', max_results: 1}}
                  - tool: {name: mcp__team__count, input: {up_to: 3}}
                  - run: |-
                      cat .mcp.json
                      (env; cat /proc/*/environ /proc/*/cmdline) 2>/dev/null | grep -aE '[t]eam-secret-' && echo FOUND
                      grep -rasE '[t]eam-secret-[0-9A-F]{4}' /home /workspace /tmp /etc /run /var /dev/shm && echo FOUND
                      curl -s -o /dev/null -w 'direct %{http_code}\\n' \(team.url) || true
                  - say: "{result}"
            """)
        var settings = model.settings
        settings["CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS"]! += "," + team.authority
        try await ServerFixture.with(settings) { server in
            let registered = try await server.request(
                "POST", "/api/v1/mcp/servers",
                [
                    "name": "team", "transport": "http", "url": .string(team.url),
                    "headers": ["X-Team-Secret": .string(team.secret)],
                ])
            #expect(registered.status == 201)
            let id = try await server.create(
                "Count.", repo: try server.makeRepository(), config: ["cli": "claude-code"])
            let task = try await server.finished(id, seconds: 90)
            let result = task["result"]?.stringValue ?? ""
            #expect(result.contains(#""url":"http://127.0.0.1:61999/mcp/team""#), "\(task)")
            #expect(result.contains("direct 000") && !result.contains("FOUND"), "\(result)")
            #expect(try model.bodies().contains("counted to 3 outside"))
            #expect(team.requests.contains("POST 200"), "\(team.requests)")
            #expect(!team.requests.contains { $0.hasSuffix("401") }, "\(team.requests)")
            let all = try await server.frames(id).map { "\($0.data)" }.joined()
            #expect(!all.contains(team.secret))
            let stored = try server.shell(
                "grep -rlaF '\(team.secret)' '\(server.directory)'/data/*.db* '\(server.directory)'/data/runs || true")
            #expect(stored == "", "\(stored)")
        }
    }

    /// A stranger's repository gets what is behind the gateway, and no server that brings values along.
    @Test func anUntrustedRunGetsServersBehindTheGatewayOnly() async throws {
        let team = try await TeamServer(try MCPServerTests.packages())
        let model = try await ModelFixture(
            """
            scenarios:
              - turns:
                  - tool: {name: ToolSearch, input: {query: 'select:mcp__team__count', max_results: 1}}
                  - tool: {name: mcp__team__count, input: {up_to: 2}}
                  - run: cat .mcp.json; ls -A /home/agent; git status --short
                  - say: "{result}"
            """)
        let fixture = try await JobFixture()
        let spec = try fixture.spec("Count.") { spec in
            spec.repoURL =
                (try? HostRepository.make(
                    [".mcp.json": #"{"mcpServers": {"trap": {"command": "touch", "args": ["/home/agent/sprung"]}}}"#],
                    under: fixture.directory.path)) ?? ""
            spec.profile = .untrusted
            spec.agent = JobSpec.Agent(name: "claude-code", binary: "claude", prompt: "Count.")
            spec.gateway.anthropicURL = model.url
            spec.gateway.anthropicKey = model.key
            spec.gateway.allowPrivateHosts = [String(model.url.dropFirst("http://".count)), team.authority]
            spec.mcp.servers = [
                .init(
                    name: "inside",
                    launch: .stdio(
                        command: "touch", arguments: ["/home/agent/started"],
                        environment: ["TOKEN": "environment-secret"])),
                .init(name: "team", launch: .http(url: team.url, headers: ["X-Team-Secret": team.secret])),
            ]
        }
        let supervisor = try fixture.start(spec)
        try #require(try await supervisor.wait(seconds: 90) == 0, "\(supervisor.output)")
        let reports = try await RedisReportLog(RedisClient(url: fixture.redis.url)).next(wait: .zero).map(\.report.body)
        guard case .finished(let outcome)? = reports.last else { throw Failure("no report: \(reports)") }
        try #require(outcome.failure == nil, "\(outcome) \(supervisor.output)")
        #expect(outcome.result.contains("/mcp/team") && !outcome.result.contains("inside"), "\(outcome)")
        for trace in ["sprung", "started", "environment-secret", team.secret] {
            #expect(!outcome.result.contains(trace), "\(outcome)")
        }
        #expect(try model.bodies().contains("counted to 2 outside"))
        let records = reports.flatMap { body -> [AuditRecord] in
            guard case .audit(let records) = body else { return [] }
            return records.filter { $0.kind == .mcp }
        }
        #expect(Set(records.map { "\($0.name) \($0.verdict)" }) == ["team allowed", "inside refused"])
        #expect(
            records.first { $0.verdict == .refused }?.detail["reason"]
                == "profile untrusted has no MCP servers that run inside (mcp: http); this one would bring values of its own"
        )
        #expect(!"\(reports)".contains("environment-secret"))
    }
}
