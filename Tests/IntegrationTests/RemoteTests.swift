import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// What a user does at a shell, perhaps of another host: the built command, a real server, tasks of the shell CLI.
@Suite(.serialized) struct RemoteTests {
    private func codeforge(
        _ server: ServerFixture, _ arguments: String..., environment: [String: String] = [:]
    ) async throws -> (status: Int32, output: String) {
        try await Commands.run(server, arguments, environment: environment)
    }

    /// Runs a line of a shell, where `codeforge` is the command and `$3` a file of the test.
    private func shell(_ server: ServerFixture, _ line: String) throws -> String {
        let binary = try BuiltProducts.executable("codeforge")
        let exports = "CODEFORGE_URL=http://127.0.0.1:\(server.port) CODEFORGE_TOKEN=\(ServerFixture.token)"
        return try server.shell("export \(exports); codeforge() { '\(binary)' \"$@\"; }; \(line)")
    }

    private func json(_ text: some StringProtocol) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    @Test func aTaskIsRunLookedAtInstructedAndItsDiffApplies() async throws {
        try await ServerFixture.with { server in
            let repo = try server.makeRepository()
            let run = try await codeforge(
                server, "task", "run", "--repo", repo, "--prompt",
                #"echo more >> README.md; printf 'said\e[2J\n'; echo bad >&2"#)
            #expect(run.status == 0, "\(run)")
            for text in [
                "clone started", "cli started", "said?[2J\n", "! bad", "✓ completed", "1 modified", "+1 -0", "tokens",
            ] {
                #expect(run.output.contains(text), "'\(text)' in \(run.output)")
            }
            #expect(!run.output.contains("\u{1B}") && run.output.components(separatedBy: "said?").count == 2)
            let list = try json(try await codeforge(server, "task", "ls", "--status", "completed", "--json").output)
            let id = try #require(list["tasks"]?.arrayValue?.first?["id"]?.stringValue)
            let prefix = String(id.prefix(8))
            #expect(list["total"] == 1)
            let table = try await codeforge(server, "task", "ls")
            #expect(table.output.hasPrefix("ID") && table.output.contains(id) && table.output.contains("completed"))

            let diff = try await codeforge(server, "task", "diff", prefix)
            #expect(diff.status == 0 && diff.output.contains("\n+more\n") && !diff.output.contains("\u{1B}"), "\(diff)")
            let applied = try shell(
                server,
                "git clone -q '\(repo)' '\(server.directory)/c'; cd '\(server.directory)/c'; "
                    + "codeforge task diff \(prefix) | git apply; cat README.md")
            #expect(applied == "hello\nmore\n")

            let again = try await codeforge(server, "task", "instruct", prefix, "--json", "--prompt", "echo second")
            let events = try again.output.split(separator: "\n").filter { $0.hasPrefix("{") }.map { try json($0) }
            #expect(again.status == 0 && events.first?["event"] == "connected", "\(again)")
            #expect(!events.contains { $0["data"]?["content"] == "said\u{1B}[2J" }, "only the new run: \(events)")
            #expect(events.contains { $0["data"]?["content"] == "second" && $0["id"]?.stringValue != nil })
            #expect(events.last?["event"] == "done")

            let shown = try json(try await codeforge(server, "task", "show", "--iterations", "--json", prefix).output)
            #expect(shown["iterations"]?.arrayValue?.count == 2 && shown["current_prompt"] == "echo second")
            let sheet = try await codeforge(server, "task", "show", "--iterations", prefix)
            #expect(sheet.output.contains("iteration 2: completed") && sheet.output.contains("said?[2J"), "\(sheet)")

            // From an event on, only what is after it.
            let place = try #require(events.last { $0["id"] != nil && $0["event"] != "done" }?["id"]?.stringValue)
            let rest = try await codeforge(server, "task", "stream", "--json", "--after", place, id)
            #expect(rest.status == 0 && !rest.output.contains("second") && rest.output.contains("done"), "\(rest)")

            let free = try await codeforge(server, "task", "approve", prefix)
            #expect(free.status == 1 && free.output.contains("does not wait for an approval"), "\(free)")

            try await workspacesAreLookedAfter(server, id, prefix)
        }
    }

    private func workspacesAreLookedAfter(_ server: ServerFixture, _ id: String, _ prefix: String) async throws {
        let spaces = try await codeforge(server, "workspaces", "ls")
        #expect(spaces.status == 0 && spaces.output.contains(id), "\(spaces)")
        let held = try await codeforge(server, "workspaces", "diff", prefix)
        #expect(held.status == 0 && held.output.contains("+more"), "\(held)")
        let removed = try await codeforge(server, "workspaces", "rm", prefix)
        #expect(removed.status == 0 && removed.output == "\(id) removed\n", "\(removed)")
        #expect(try await codeforge(server, "workspaces", "rm", id).status == 3)
    }

    @Test func theExitStatusIsTheTasks() async throws {
        try await ServerFixture.with { server in
            let repo = try server.makeRepository()
            let failed = try await codeforge(server, "task", "run", "--repo", repo, "--prompt", "exit 3")
            #expect(
                failed.status == 1 && failed.output.contains("✗ failed") && failed.output.contains("error"), "\(failed)"
            )
            let late = try await codeforge(
                server, "task", "run", "--repo", repo, "--timeout", "1", "--prompt", "sleep 60")
            #expect(late.status == 124 && late.output.contains("timed out"), "\(late)")

            let run = try Commands.start(server, ["task", "run", "--repo", repo, "--prompt", "echo up; sleep 600"])
            let id = try await run.output(matching: #"task ([0-9a-f-]{36})"#)
            _ = try await run.output(matching: "(?m)^(up)$")
            run.signal(SIGINT)
            _ = try await run.output(matching: "codeforge task (cancel) \(id)")
            #expect(run.isRunning, "the first Ctrl-C ends nothing")
            let cancelled = try await codeforge(server, "task", "cancel", String(id.prefix(8)))
            #expect(cancelled.status == 0 && cancelled.output == "\(id) canceling\n", "\(cancelled)")
            #expect(try await run.wait() == 130)

            let left = try Commands.start(server, ["task", "run", "--repo", repo, "--prompt", "echo up; sleep 600"])
            let other = try await left.output(matching: #"task ([0-9a-f-]{36})"#)
            _ = try await left.output(matching: "(?m)^(up)$")
            left.signal(SIGINT)
            _ = try await left.output(matching: "(follow it later)")
            left.signal(SIGINT)
            #expect(try await left.wait() == 130)
            #expect(try await server.task(other)["status"] == "running")
            #expect(try await codeforge(server, "task", "cancel", other).status == 0)
            #expect(try await codeforge(server, "task", "stream", other).status == 130)
        }
    }

    @Test func promptsAndSecretsComeFromFilesAndPipes() async throws {
        try await ServerFixture.with { server in
            let repo = try server.makeRepository()
            let ids = try shell(
                server,
                """
                echo 'echo from a file' > '\(server.directory)/p'
                codeforge task run --repo '\(repo)' -f '\(server.directory)/p' --detach --idempotency-key a
                codeforge task run --repo '\(repo)' -f '\(server.directory)/p' --detach --idempotency-key a
                cat '\(server.directory)/p' | codeforge task run --repo '\(repo)' --detach -
                echo tok-123456 | codeforge keys add hub --provider github --scope mine
                echo tok-654321 > '\(server.directory)/t'; codeforge keys add lab --provider gitlab --token-file '\(server.directory)/t'
                """
            ).split(separator: "\n").map(String.init)
            try #require(ids.count == 5, "\(ids)")
            #expect(ids[0] == ids[1] && ids[0] != ids[2], "the same request makes one task")
            #expect(ids[3] == "hub registered" && ids[4] == "lab registered")
            for id in [ids[0], ids[2]] { #expect(try await server.finished(id)["result"] == "from a file") }

            let keys = try await codeforge(server, "keys", "ls")
            #expect(keys.output.contains("github") && keys.output.contains("mine") && !keys.output.contains("tok-"))
            let taken = try await codeforge(
                server, "keys", "add", "hub", "--provider", "github", "--token-file", server.directory + "/t")
            #expect(taken.status == 1 && taken.output.contains("already exists"), "\(taken)")
            let missing = try await codeforge(
                server, "keys", "add", "x", "--provider", "github", "--token-file", "/nowhere")
            #expect(missing.status == 1 && missing.output.contains("--token-file"), "\(missing)")
            #expect(try await codeforge(server, "keys", "rm", "hub", "lab").output == "hub removed\nlab removed\n")
            #expect(try await codeforge(server, "keys", "verify", "hub").status == 3)
            #expect(try await codeforge(server, "keys", "rm", "..").status == 2)
            #expect(try await codeforge(server, "task", "run", "--repo", repo).status == 2)
            #expect(try await codeforge(server, "task", "run", "--repo", repo, "--prompt", "x", "-").status == 2)
            #expect(try await codeforge(server, "task", "show", "nobody").status == 3)
        }
    }

    @Test func serversAndToolsAreRegistered() async throws {
        try await ServerFixture.with { server in
            let added = try await codeforge(
                server, "mcp", "add", "docs", "--server", "https://mcp.example.com/mcp", "--header", "X-Key=MY_KEY",
                environment: ["MY_KEY": "sesame-1"])
            #expect(added.status == 0 && added.output == "docs registered\n", "\(added)")
            let unset = try await codeforge(server, "mcp", "add", "d", "--package", "p", "--env", "NOT_THERE")
            #expect(unset.status == 1 && unset.output.contains("NOT_THERE"), "\(unset)")
            for flags in [[], ["--json"]] {
                let process = try Commands.start(server, ["mcp", "ls"] + flags)
                #expect(try await process.wait() == 0)
                #expect(process.output.contains("X-Key") && !process.output.contains("sesame"), "\(process.output)")
            }
            #expect(try await codeforge(server, "mcp", "ls", "--json", "--reveal").output.contains("sesame-1"))
            #expect(try await codeforge(server, "mcp", "rm", "docs").status == 0)
            #expect(try await codeforge(server, "mcp", "rm", "docs").status == 3)

            let tool = try shell(
                server, #"echo '{"type": "mcp", "mcp_package": "mine"}' | codeforge tools add my-tool -f -"#)
            #expect(tool == "my-tool registered\n")
            let tools = try await codeforge(server, "tools", "ls")
            #expect(tools.output.contains("playwright") && tools.output.contains("my-tool"), "\(tools)")
            let shown = try await codeforge(server, "tools", "show", "sentry")
            #expect(shown.status == 0 && shown.output.contains("auth_token"), "\(shown)")
            #expect(try await codeforge(server, "tools", "rm", "my-tool").status == 0)
            #expect(try await codeforge(server, "tools", "rm", "git").status == 1)
        }
    }

    @Test func theClientFileIsReadWhenNobodyElseMay() async throws {
        try await ServerFixture.with { server in
            let folder = server.directory + "/home/.config/codeforge"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let place = "http://127.0.0.1:\(server.port)"
            func ls(_ text: String, mode: Int, _ more: [String: String] = [:]) async throws -> (
                status: Int32, output: String
            ) {
                let path = folder + "/client.yaml"
                try? FileManager.default.removeItem(atPath: path)
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
                let usual = ["CODEFORGE_URL": "", "CODEFORGE_TOKEN": "", "HOME": server.directory + "/home"]
                return try await codeforge(server, "task", "ls", environment: usual.merging(more) { $1 })
            }
            let whole = "url: \(place)\ntoken: \(ServerFixture.token)\n"
            #expect(try await ls(whole, mode: 0o600).status == 0)
            for mode in [0o644, 0o640, 0o604] {
                let refused = try await ls(whole, mode: mode)
                #expect(refused.status == 1 && refused.output.contains("chmod 600"), "\(refused)")
                #expect(!refused.output.contains(ServerFixture.token))
            }
            try Data((ServerFixture.token + "\n").utf8).write(to: URL(fileURLWithPath: folder + "/token"))
            #expect(try await ls("url: \(place)\ntoken_file: \(folder)/token\n", mode: 0o644).status == 0)
            #expect(try await ls("url: \(place)\n", mode: 0o666).status == 1, "others choose where the token goes")
            #expect(
                try await ls("url: \(place)\n", mode: 0o644, ["CODEFORGE_TOKEN_FILE": folder + "/token"]).status == 0)
            for wrong in ["urls: x\n", "token: t\n", "url: [\n", "\(whole)token_file: x\n"] {
                let refused = try await ls(wrong, mode: 0o600)
                #expect(refused.status == 1 && refused.output.contains("client.yaml"), "\(refused)")
            }
            // Its token goes to its own service alone.
            let stranger = LocalServer { _ in }
            let strange = "http://127.0.0.1:\(stranger.port)"
            #expect(try await ls(whole, mode: 0o600, ["CODEFORGE_URL": strange]).status == 4)
            #expect(stranger.accepted == 0)
        }
    }

    /// A diff is what a task left: on a terminal it has colours of ours and nothing else.
    @Test func aDiffOnATerminalIsColouredAndHarmless() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create(
                #"printf 'evil\e]0;owned\a\n' >> README.md"#, repo: try server.makeRepository())
            _ = try await server.finished(id)
            for (extra, colour) in [([:], true), (["NO_COLOR": "1"], false)] as [([String: String], Bool)] {
                let terminal = try TerminalProcess(
                    try BuiltProducts.executable("codeforge"), ["task", "diff", id],
                    environment: [
                        "CODEFORGE_URL": "http://127.0.0.1:\(server.port)", "CODEFORGE_TOKEN": ServerFixture.token,
                    ].merging(extra) { $1 })
                #expect(await terminal.wait() == .exited(code: 0))
                let text = try await eventually("the diff") {
                    let text = String(decoding: terminal.output, as: UTF8.self)
                    return text.contains("+evil?]0;owned?") ? text : nil
                }
                #expect(text.contains("\u{1B}[32m+evil") == colour && !text.contains("\u{1B}]"), "\(text)")
            }
        }
    }

    /// What the real Claude Code does is told in lines, and a review by its verdict.
    @Test func toolCallsAreALineEachAndReviewsAreTold() async throws {
        let model = try await ModelFixture(
            """
            scenarios:
              - match: '"verdict"'
                turns:
                  - say: '{"verdict": "approve", "score": 9, "summary": "Fine so.", "issues": [], "auto_fixable": false}'
              - turns:
                  - [think: A command will tell., say: I run one., run: printf 'one\\ntwo\\n' | tee note]
                  - say: All is said.
            """)
        try await ServerFixture.with(model.settings) { server in
            let run = try await codeforge(
                server, "task", "run", "--repo", try server.makeRepository(), "--cli", "claude-code", "--prompt", "Go.")
            #expect(run.status == 0, "\(run)")
            for line in ["… A command will tell.", "I run one.", "← one two", "All is said."] {
                #expect(run.output.contains("\n\(line)\n"), "'\(line)' in \(run.output)")
            }
            #expect(run.output.contains("\n→ Bash {") && run.output.contains("1 created"), "\(run)")
            #expect(run.output.firstMatch(of: /\ncost        \$\d+\.\d{4}, as the CLI reckons\n/) != nil, "\(run)")
            #expect(run.output.components(separatedBy: "All is said.").count == 2, "the result is told once: \(run)")
            let id = String(try #require(run.output.firstMatch(of: /task ([0-9a-f-]{36})/)).1)
            let review = try await codeforge(server, "task", "review", id)
            #expect(review.status == 0 && review.output.contains("approve, score 9 of 10"), "\(review)")
            #expect(review.output.contains("Fine so.") && !review.output.contains("I run one."), "\(review)")
        }
    }

    /// Codex tells of its commands in another form; a person sees the same.
    @Test func codexsToolCallsAreALineEach() async throws {
        let model = try await ModelFixture(
            """
            scenarios:
              - turns:
                  - [say: I run one., run: printf 'one\\ntwo\\n' | tee note]
                  - say: All is said.
            """)
        try await ServerFixture.with(model.settings) { server in
            let run = try await codeforge(
                server, "task", "run", "--repo", try server.makeRepository(), "--cli", "codex", "--prompt", "Go.")
            #expect(run.status == 0, "\(run)")
            let call = run.output.split(separator: "\n").filter { $0.hasPrefix("→ ") }
            #expect(call.count == 1 && call[0].contains("tee note") && !call[0].contains("{"), "\(run)")
            #expect(run.output.contains("\n← one two\n") && run.output.contains("\nAll is said.\n"), "\(run)")
            #expect(!run.output.contains("\ncost "), "it does not say: \(run)")
        }
    }

    /// What `task run` takes beyond the prompt reaches the task; a review is posted when asked for.
    @Test func optionsReachTheTaskAndAReviewIsPosted() async throws {
        let git = try await GitFixture(user: "x-access-token")
        let forge = ForgeServer.start()
        forge.github.accounts[git.password] = .init(login: "bot")
        forge.github.add("acme/wordstat")
        forge.github.addPull(1, in: "acme/wordstat")
        let receiver = LocalReceiver()
        let settings = [
            "CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS": "\(git.authority),\(forge.authority)",
            "CODEFORGE_GIT__PROVIDER_DOMAINS": #"{"127.0.0.1":"github"}"#,
            "CODEFORGE_FORGES__GITHUB_API_URL": forge.githubAPI,
            "CODEFORGE_WEBHOOKS__ALLOW_PRIVATE": receiver.address,
        ]
        try await ServerFixture.with(settings) { server in
            let review = #"{"verdict":"approve","score":9,"summary":"Fine so.","issues":[]}"#
            let run = try await codeforge(
                server, "task", "run", "--repo", git.repository, "--type", "review", "--prompt", "echo '\(review)'",
                "--max-turns", "3", "--max-budget-usd", "1.5", "--output-mode", "api_only", "--callback-url",
                "http://\(receiver.address)/done", environment: ["CODEFORGE_ACCESS_TOKEN": git.password])
            #expect(run.status == 0, "\(run)")
            let id = String(try #require(run.output.firstMatch(of: /task ([0-9a-f-]{36})/)).1)
            let config = try await server.task(id)["config"]
            #expect(config?["max_turns"] == 3 && config?["max_budget_usd"] == .double(1.5), "\(config as Any)")
            #expect(config?["output_mode"] == "api_only")
            #expect(try await receiver.wait(for: 1).first?.line.contains("/done") == true)
            #expect(forge.github.pulls[0].reviews.isEmpty)

            let none = try await codeforge(server, "task", "post-review", id)
            #expect(none.status == 1 && none.output.contains("codeforge: "), "\(none)")
            let posted = try await codeforge(server, "task", "post-review", String(id.prefix(8)), "--pr-number", "1")
            let url = "https://github.com/acme/wordstat/pull/1#pullrequestreview-1"
            #expect(posted.status == 0 && posted.output.contains(url + "\n"), "\(posted)")
            #expect(forge.github.pulls[0].reviews.first?.body.contains("Fine so.") == true)
            #expect(try await codeforge(server, "task", "post-review", id, "--pr-number", "0").status == 2)

            let more = try await codeforge(
                server, "task", "run", "--repo", git.repository, "--workspace-task", String(id.prefix(8)), "--prompt",
                "git log -1 --format=%s", environment: ["CODEFORGE_ACCESS_TOKEN": git.password])
            #expect(more.status == 0 && more.output.contains("Count words"), "\(more)")
            let other = String(try #require(more.output.firstMatch(of: /task ([0-9a-f-]{36})/)).1)
            #expect(try await server.task(other)["config"]?["workspace_task_id"] == .string(id))
            for wrong in [["--max-turns", "0"], ["--max-budget-usd", "0"], ["--output-mode", "loud"]] {
                let refused = try await Commands.run(
                    server, ["task", "run", "--repo", git.repository, "--prompt", "x"] + wrong)
                #expect(refused.status == 2, "\(refused)")
            }
            #expect(forge.violations == [])
        }
        try await git.stop()
    }

    @Test func helpAndCompletionsCoverTheCommands() async throws {
        func output(_ arguments: [String]) async throws -> String {
            let process = try ChildProcess(try BuiltProducts.executable("codeforge"), arguments, environment: [:])
            #expect(try await process.wait() == 0, "\(arguments): \(process.output)")
            return process.output
        }
        let help = try await output(["--help"])
        for text in ["124", "130", "69", "task", "workspaces"] { #expect(help.contains(text)) }
        // Every command there is shows examples of itself.
        var left: [[String]] = [[]]
        var count = 0
        while let arguments = left.popLast() {
            count += 1
            let text = try await output(arguments + ["--help"])
            let example = (["codeforge"] + arguments).joined(separator: " ")
            let shown = text.components(separatedBy: "\nExamples:\n").dropFirst().joined()
            #expect(shown.components(separatedBy: "\n\n").first?.contains(example) == true, "\(example): \(text)")
            let listed = text.components(separatedBy: "\nSUBCOMMANDS:\n").dropFirst().first ?? ""
            left += listed.components(separatedBy: "\n\n")[0].split(separator: "\n").compactMap { line in
                line.firstMatch(of: /^  ([a-z-]+)/).map { arguments + [String($0.1)] }
            }
        }
        #expect(count > 45, "\(count)")
        for shell in ["bash", "zsh", "fish"] {
            #expect(try await output(["completions", shell]).contains("instruct"), "\(shell)")
        }
    }
}
