import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// What an operator does at a shell, with the built command and a real server.
@Suite(.serialized) struct OperatorTests {
    /// Runs the command to its end.
    private func codeforge(
        _ server: ServerFixture, _ arguments: String..., environment: [String: String] = [:]
    ) async throws -> (status: Int32, output: String) {
        try await Commands.run(server, arguments, environment: usual(server).merging(environment) { $1 })
    }

    private func start(
        _ server: ServerFixture, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> ChildProcess {
        try Commands.start(server, arguments, environment: usual(server).merging(environment) { $1 })
    }

    private func usual(_ server: ServerFixture) -> [String: String] {
        ["CODEFORGE_DATA_DIR": server.directory + "/data"]
    }

    private func json(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    /// A task that runs `script`, once its own sandbox is there.
    private func running(_ server: ServerFixture, _ script: String) async throws -> (task: String, sandbox: String) {
        let task = try await server.create(
            script, repo: try server.makeRepository(), config: ["timeout_seconds": 120])
        for _ in 0..<600 {
            let list = try await server.request("GET", "/api/v1/sandboxes").json["sandboxes"]?.arrayValue ?? []
            if let found = list.first(where: { $0["task_id"]?.stringValue == task && $0["phase"] == "agent" }) {
                return (task, try #require(found["id"]?.stringValue))
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure("no sandbox of \(task): \(try await server.task(task))")
    }

    @Test func anOperatorLooksInAndActs() async throws {
        try await ServerFixture.with { server in
            let (task, id) = try await running(server, "echo hello > note; sleep 600")
            #expect(id == "\(task)-1-1-agent")
            let prefix = String(task.prefix(13))

            let list = try await codeforge(server, "sandbox", "ls")
            #expect(list.status == 0 && list.output.contains(id) && list.output.contains("running"), "\(list)")
            #expect(list.output.hasPrefix("ID") && !list.output.contains("\u{1B}"), "no colours without a terminal")
            let inspected = try json(try await codeforge(server, "sandbox", "inspect", prefix, "--json").output)
            #expect(inspected["profile"] == "code" && inspected["iteration"] == 1, "\(inspected)")
            #expect(inspected["effective_profile"]?["workspace"] == "read-write")
            #expect(inspected["usage"]?["processes"]?["now"]?.intValue ?? 0 >= 2, "\(inspected)")
            let sheet = try await codeforge(server, "sandbox", "inspect", prefix)
            #expect(sheet.status == 0 && sheet.output.contains("memory") && sheet.output.contains("seccomp"))
            let processes = try await codeforge(server, "sandbox", "ps", prefix)
            #expect(processes.status == 0 && processes.output.contains("sleep 600"), "\(processes)")
            let top = try await codeforge(server, "sandbox", "top")
            #expect(top.status == 0 && top.output.contains(id))

            let said = try await codeforge(
                server, "sandbox", "exec", "--env", "WORD=x=y", prefix, "--", "bash", "-c",
                "id -u; cat note; echo $WORD; exit 7")
            #expect(said.status == 7 && said.output == "1000\nhello\nx=y\n", "\(said)")
            let binary = try BuiltProducts.executable("codeforge")
            let piped = try server.shell(
                "printf abc | CODEFORGE_DATA_DIR='\(server.directory)/data' '\(binary)' sandbox exec \(prefix) -- wc -c"
            )
            #expect(piped == "3\n")
            #expect(try await codeforge(server, "sandbox", "exec", prefix, "--", "no-such-command").status == 127)

            try await pauseAndResume(server, prefix)

            let follower = try start(server, ["sandbox", "audit", "--follow", "--json", prefix])
            _ = try await follower.output(matching: #""name":"(start)""#)
            let killed = try await codeforge(server, "sandbox", "kill", prefix)
            #expect(killed.status == 0 && killed.output == "\(id) killed\n", "\(killed)")
            let record = try await server.finished(task)
            #expect(record["status"] == "failed", "\(record)")
            #expect(try await follower.wait() == 0)
            #expect(follower.output.contains(#""name":"kill""#) && follower.output.contains(#""name":"end""#))

            try await afterTheEnd(server, task, id)
        }
    }

    private func pauseAndResume(_ server: ServerFixture, _ prefix: String) async throws {
        let images = "sandbox.image_dir=\(server.images)"
        let doctor = try json(try await codeforge(server, "doctor", "--json", "--set", images).output)
        let paused = try await codeforge(server, "sandbox", "pause", prefix)
        let layer = try #require(doctor["layers"]?.arrayValue?.first { $0["layer"] == "memory-limit" }, "\(doctor)")
        let detail = layer["detail"]?.stringValue ?? ""
        let version = ["v1", "v2"].first { layer["state"] == "ok" && detail.hasPrefix("cgroup \($0)") } ?? "none"
        #expect(doctor["control_groups"]?["memory"]?.stringValue == version, "\(layer)")
        let sandboxes = doctor["sandboxes"]?.arrayValue ?? []
        #expect(sandboxes.compactMap { $0["profile"]?.stringValue } == ["code", "git", "readonly", "untrusted"])
        #expect(sandboxes.allSatisfy { $0["state"] == "ok" }, "\(sandboxes)")
        guard doctor["control_groups"]?["kill_and_pause"] == "v2" else {
            #expect(paused.status == 69, "a host without the freezer says so: \(paused)")
            return
        }
        #expect(paused.status == 0 && paused.output.hasSuffix(" paused\n"), "\(paused)")
        #expect(try await codeforge(server, "sandbox", "ls").output.contains("paused"))
        let resumed = try await codeforge(server, "sandbox", "resume", prefix)
        #expect(resumed.status == 0 && resumed.output.hasSuffix(" running\n"), "\(resumed)")
        #expect(try await !codeforge(server, "sandbox", "ls").output.contains("paused"))
    }

    /// What stays of a sandbox: its audit, its iteration's profile, the counters.
    private func afterTheEnd(_ server: ServerFixture, _ task: String, _ id: String) async throws {
        for name in [id, task] {
            let audit = try await codeforge(server, "sandbox", "audit", name)
            #expect(audit.status == 0, "\(audit)")
            for word in ["start", "exec", "kill", "end", "local user", "configured token"] {
                #expect(audit.output.contains(word), "\(word) in \(audit.output)")
            }
        }
        let only = try await codeforge(server, "sandbox", "audit", "--kind", "operator", "--json", id)
        let records = try only.output.split(separator: "\n").map { try json(String($0)) }
        #expect(records.allSatisfy { $0["kind"] == "operator" } && records.last?["name"] == "kill", "\(records)")
        let again = try await codeforge(server, "sandbox", "kill", id)
        #expect(again.status == 1 && again.output.contains("not running any more"), "\(again)")
        #expect(try await codeforge(server, "sandbox", "inspect", id).status == 3)

        let shown = try await server.request("GET", "/api/v1/tasks/\(task)?include=iterations,audit").json
        let iteration = try #require(shown["iterations"]?.arrayValue?.first)
        #expect(iteration["profile"] == "code", "\(iteration)")
        #expect(iteration["effective_profile"]?["limits"]?["memory_bytes"] != nil)
        #expect(shown["audit"]?.arrayValue?.contains { $0["sandbox"]?.stringValue == "\(task)-1-1-clone" } == true)
        let metrics = try await server.request("GET", "/metrics").json.stringValue ?? ""
        for line in [
            #"codeforge_sandbox_launches_total{profile="code"} 1"#,
            #"codeforge_sandbox_operator_actions_total{action="kill"} 1"#,
        ] {
            #expect(metrics.contains(line + "\n"), "\(line) in \(metrics)")
        }
    }

    /// A process chooses what its command line says; an operator's terminal must not obey it.
    @Test func hostileCommandLinesDoNotReachTheTerminal() async throws {
        try await ServerFixture.with { server in
            let (_, id) = try await running(server, #"exec -a $'\e]0;owned\a\e[2J\r\nfake\xff' sleep 600"#)
            var shown = (status: Int32(0), output: "")
            for _ in 0..<100 where !shown.output.contains("owned") {
                shown = try await codeforge(server, "sandbox", "ps", id)
            }
            #expect(shown.status == 0 && shown.output.contains("owned"), "\(shown)")
            #expect(shown.output.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value != 0x7F })
            #expect(!shown.output.split(separator: "\n").contains { $0.hasPrefix("fake") })
        }
    }

    /// What a hostile program inside prints is no different, unless it is asked for as it is.
    @Test func whatACommandInsidePrintsDoesNotSteerTheTerminal() async throws {
        try await ServerFixture.with { server in
            let (_, id) = try await running(server, "sleep 600")
            let script = #"printf 'tab\tné\e]0;owned\a\n'; printf '\e[2Jerror' >&2"#
            for (flags, shown, hidden) in [
                ([], ["tab\tné?]0;owned?\r\n", "?[2Jerror"], "\u{1B}"), (["--raw"], ["\u{1B}]0;owned\u{07}"], "?]0;"),
            ] {
                let terminal = try TerminalProcess(
                    try BuiltProducts.executable("codeforge"),
                    ["sandbox", "exec"] + flags + [id, "--", "bash", "-c", script],
                    environment: ["CODEFORGE_DATA_DIR": server.directory + "/data"])
                #expect(await terminal.wait() == .exited(code: 0))
                for text in shown {
                    _ = try await eventually("'\(text)'") {
                        String(decoding: terminal.output, as: UTF8.self).contains(text) ? () : nil
                    }
                }
                #expect(!String(decoding: terminal.output, as: UTF8.self).contains(hidden), "\(flags)")
            }
        }
    }

    @Test(arguments: [SIGTERM, SIGHUP, SIGINT])
    func topGivesTheTerminalBack(_ signal: Int32) async throws {
        try await ServerFixture.with { server in
            let terminal = try TerminalProcess(
                try BuiltProducts.executable("codeforge"), ["sandbox", "top"],
                environment: [
                    "CODEFORGE_URL": "http://127.0.0.1:\(server.port)", "CODEFORGE_TOKEN": ServerFixture.token,
                ])
            let before = terminal.localModes
            try await eventually("the picture") {
                String(decoding: terminal.output, as: UTF8.self).contains("PROFILE") ? () : nil
            }
            #expect(terminal.localModes & tcflag_t(ECHO) == 0 && before & tcflag_t(ECHO) != 0)
            terminal.signal(signal)
            #expect(await terminal.wait() == .exited(code: 128 + signal))
            #expect(terminal.localModes == before)
            try await eventually("the screen to be left") {
                terminal.output.suffix(14).elementsEqual("\u{1B}[?25h\u{1B}[?1049l".utf8) ? () : nil
            }
        }
    }

    @Test func exitStatusesTellWhatWentWrong() async throws {
        try await ServerFixture.with { server in
            #expect(try await codeforge(server, "sandbox", "ls").status == 0)
            let gone = try await codeforge(server, "sandbox", "inspect", "nobody")
            #expect(gone.status == 3 && gone.output.contains("nobody"), "\(gone)")
            #expect(try await codeforge(server, "sandbox", "audit", "nobody").status == 3)
            #expect(try await codeforge(server, "sandbox", "exec", "nobody", "--", "true").status == 3)
            let stranger = try await codeforge(server, "sandbox", "ls", environment: ["CODEFORGE_TOKEN": "wrong"])
            #expect(stranger.status == 4, "\(stranger)")
            let nowhere = try await codeforge(
                server, "sandbox", "ls", environment: ["CODEFORGE_URL": "http://127.0.0.1:1"])
            #expect(nowhere.status == 69 && nowhere.output.contains("http://127.0.0.1:1"), "\(nowhere)")
            #expect(try await codeforge(server, "sandbox", "kill").status == 2)
            #expect(try await codeforge(server, "sandbox", "audit", "--kind", "x", "y").status == 2)
            let configured = try await codeforge(
                server, "sandbox", "ls",
                environment: [
                    "CODEFORGE_URL": "", "CODEFORGE_TOKEN": "", "CODEFORGE_SERVER__PORT": String(server.port),
                    "CODEFORGE_SERVER__AUTH_TOKEN": ServerFixture.token,
                ])
            #expect(configured.status == 0, "\(configured)")
        }
    }

    /// A URL that somebody slips in must not collect the service's own token.
    @Test func theConfiguredTokenGoesToTheConfiguredServerAlone() async throws {
        try await ServerFixture.with { server in
            let stranger = LocalServer { _ in }
            func ls(_ url: String, flag: Bool = false) async throws -> (status: Int32, output: String) {
                let process = try start(
                    server, ["sandbox", "ls"] + (flag ? ["--url", url] : []),
                    environment: [
                        "CODEFORGE_URL": flag ? "" : url, "CODEFORGE_TOKEN": "",
                        "CODEFORGE_SERVER__HOST": "0.0.0.0", "CODEFORGE_SERVER__PORT": String(server.port),
                        "CODEFORGE_SERVER__AUTH_TOKEN": ServerFixture.token,
                    ])
                return (try await process.wait(), process.output)
            }
            for url in ["http://127.0.0.1:\(stranger.port)", "http://localhost:\(server.port)", "nonsense"] {
                for flag in [false, true] {
                    let refused = try await ls(url, flag: flag)
                    #expect(refused.status == 4 && refused.output.contains("set CODEFORGE_TOKEN"), "\(refused)")
                }
            }
            #expect(stranger.accepted == 0)
            #expect(try await ls("http://127.0.0.1:\(server.port)/").status == 0)
        }
    }
}
