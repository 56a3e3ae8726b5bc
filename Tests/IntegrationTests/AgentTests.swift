import Domain
import Foundation
import ServerKit
import Testing

/// The real Claude Code and the real Codex, in real sandboxes, against the scripted model.
@Suite(.serialized) struct AgentTests {
    static let agents = ["claude-code", "codex"]

    private func config(_ cli: String) -> [String: JSONValue] { ["cli": .string(cli)] }

    @Test(arguments: agents)
    func aTaskFixesARepositoryBehindAPassword(cli: String) async throws {
        let git = try await GitFixture()
        let script = try String(
            contentsOfFile: BuiltProducts.root + "/scripts/lib/sample-scenario.yaml", encoding: .utf8)
        let model = try await ModelFixture(script)
        var settings = model.settings
        settings["CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS"]! += "," + git.url.dropFirst("http://".count)
        settings["CODEFORGE_GIT__PROVIDER_DOMAINS"] = #"{"127.0.0.1":"gitlab"}"#
        try await ServerFixture.with(settings) { server in
            let id = try await server.create(
                "The tests fail. Fix the bug.", repo: git.repository, config: config(cli),
                extra: ["access_token": .string(git.password)])
            let task = try await server.finished(id)
            #expect(task["status"] == "completed", "\(task)")
            #expect(task["result"]?.stringValue?.hasPrefix("Fixed: ") == true)
            #expect(task["usage"]?["input_tokens"]?.intValue ?? 0 > 0)
            #expect(task["usage"]?["output_tokens"]?.intValue ?? 0 > 0)
            #expect(task["changes_summary"]?["files_modified"] == 1)
            #expect(task["changes_summary"]?["diff_stats"] == "+1 -1")

            let frames = try await server.frames(id)
            let kinds = frames.compactMap { frame -> String? in
                guard frame.data["type"] == "stream" else { return nil }
                #expect(frame.name == "output")
                #expect(frame.data["data"]?["cli"]?.stringValue == cli)
                return frame.data["data"]?["type"]?.stringValue
            }
            let expected: Set =
                cli == "codex"
                ? ["system", "text", "tool_result", "result"]
                : ["system", "text", "thinking", "tool_use", "tool_result", "result"]
            #expect(Set(kinds) == expected)
            #expect(kinds.last == "result")
            // 401 is what a request without the gateway's key would have got.
            #expect(try Set(model.statuses()) == [200])
        }
        try await git.stop()
    }

    @Test(arguments: agents)
    func aFollowUpResumesTheConversationOfTheCLI(cli: String) async throws {
        let model = try await ModelFixture()
        try await ServerFixture.with(model.settings) { server in
            let id = try await server.create(
                "scripted:echo one", repo: try server.makeRepository(), config: config(cli))
            let first = try await server.finished(id)
            #expect(first["result"] == "Prompt 1 was: scripted:echo one")
            let answer = try await server.request(
                "POST", "/api/v1/tasks/\(id)/instruct", ["prompt": "scripted:echo two"])
            #expect(answer.status == 200)
            try await Task.sleep(for: .milliseconds(100))
            // The number is the model's: it saw the first prompt too, and the second came without a history around it.
            let second = try await server.finished(id)
            #expect(second["result"] == "Prompt 2 was: scripted:echo two")
            // Of the last run alone: the model was asked as often, and each answer costs the same.
            for name in ["input_tokens", "output_tokens"] {
                #expect(second["usage"]?[name] == first["usage"]?[name], "\(first["usage"] ?? .null) \(second)")
            }
        }
    }

    @Test(arguments: agents)
    func anOverloadedModelIsAskedAgain(cli: String) async throws {
        let model = try await ModelFixture()
        try await ServerFixture.with(model.settings) { server in
            let id = try await server.create(
                "scripted:overload", repo: try server.makeRepository(), config: config(cli))
            #expect(try await server.finished(id)["result"] == "The model is free again.")
            #expect(try model.statuses().filter { $0 == 529 }.count == 2)
        }
    }

    @Test(arguments: agents)
    func aRefusingModelFailsTheTaskWithItsWords(cli: String) async throws {
        let model = try await ModelFixture()
        try await ServerFixture.with(model.settings) { server in
            let id = try await server.create("scripted:fail", repo: try server.makeRepository(), config: config(cli))
            let task = try await server.finished(id)
            #expect(task["status"] == "failed")
            let error = task["error"]?.stringValue ?? ""
            let label = cli == "codex" ? "codex" : "claude"
            #expect(error.hasPrefix("CLI execution failed: \(label) CLI exited with code 1: "), "\(error)")
            #expect(error.contains("scripted failure"), "\(error)")
        }
    }

    /// The agent itself looks for the key wherever it can: environments, argument lists, files, memory it may read.
    @Test(arguments: agents)
    func theKeyIsNowhereInTheSandbox(cli: String) async throws {
        let model = try await ModelFixture(
            """
            scenarios:
              - turns:
                  - run: |-
                      pattern='[m]odel-key-[0-9A-F]{8}-'
                      (env; cat /proc/*/environ /proc/*/cmdline; mount) 2>/dev/null | grep -aE "$pattern" && echo FOUND
                      grep -rasE "$pattern" /home /workspace /tmp /etc /run /var /dev/shm && echo FOUND
                      echo "looked at $(cat /proc/*/environ 2>/dev/null | wc -c) bytes"
                  - say: "{result}"
            """)
        try await ServerFixture.with(model.settings) { server in
            let id = try await server.create("Look.", repo: try server.makeRepository(), config: config(cli))
            let result = try await server.finished(id)["result"]?.stringValue ?? ""
            #expect(result.contains("looked at "), "\(result)")
            #expect(!result.contains("looked at 0 bytes"), "\(result)")
            #expect(!result.contains("FOUND"), "\(result)")
        }
    }

    @Test func severalConversationsGoOnAtOnce() async throws {
        let model = try await ModelFixture()
        try await ServerFixture.with(model.settings) { server in
            let repo = try server.makeRepository()
            var ids: [String] = []
            for cli in ["claude-code", "codex", "claude-code"] {
                ids.append(try await server.create("Note \(ids.count)", repo: repo, config: config(cli)))
            }
            for (number, id) in ids.enumerated() {
                let task = try await server.finished(id)
                #expect(task["result"] == "I wrote SCRIPTED.md and looked at it.", "\(task)")
                #expect(task["changes_summary"]?["files_created"] == 1)
                let content = try server.inWorkspace(of: id, "cat SCRIPTED.md")
                #expect(content == "Written for: Note \(number)\n")
            }
        }
    }
}
