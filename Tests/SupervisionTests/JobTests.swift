import ControlSocket
import Domain
import Foundation
import HostProcess
import TestKit
import Testing

@testable import Supervision

/// Whole jobs: what ends them, what they say of it, and what the audit keeps.
@Suite struct JobTests {
    private static let result =
        #"echo '{"type":"result","subtype":"success","is_error":false,"result":"all done","session_id":"x"}'"#

    @Test func aJobIsAuditedFromStartToEnd() async throws {
        let fixture = try JobFixture("echo hello; unshare -U true; echo x >new; exit 0")
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == nil, "\(outcome)")
        #expect(outcome.profile?.name == "code" && outcome.missingLayers != nil)
        #expect(outcome.changes?.filesCreated == 1)
        let records = fixture.records
        #expect(records.map(\.number) == Array(1...records.count))
        let sandboxes = records.filter { $0.kind == .sandbox }
        #expect(sandboxes.map(\.name) == ["start", "end", "start", "end", "start", "end"])
        #expect(
            sandboxes.map { $0.sandbox.split(separator: "-").last } == [
                "clone", "clone", "agent", "agent", "changes", "changes",
            ])
        let start = sandboxes[2].detail
        #expect(start["profile"] == "code" && start["image"] == "base")
        #expect(start["layers"]?.arrayValue?.contains("seccomp") == true)
        let end = sandboxes[3].detail
        #expect(end["exit_code"]?.intValue == 0 && end["refused_calls"]?["unshare"]?.intValue == 1, "\(end)")
        let call = try #require(records.first { $0.kind == .syscall })
        #expect(call.name == "unshare" && call.verdict == .refused && call.detail["errno"] == .int(1))
        #expect(call.detail["arguments"]?.arrayValue?.first == "0x10000000")
        #expect(fixture.events.all.contains { $0.contains("syscall_refused") })
        #expect(fixture.reports.reports.last?.outcome != nil, "everything else came before the end")
    }

    @Test func theMemoryLimitIsNamed() async throws {
        guard JobFixture.isRoot else { return }  // an ordinary user has no memory limit to hit
        let fixture = try JobFixture("tail /dev/zero; echo survived") { $0.profile.limits.memoryBytes = 64 << 20 }
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == .limit && outcome.limit == .memory, "\(outcome)")
        #expect(outcome.error == "memory limit of 67108864 bytes exceeded (sandbox.memory_bytes)")
        #expect(outcome.profile?.limits.memoryBytes == 64 << 20)
        #expect(fixture.records.contains { $0.kind == .limit && $0.name == "memory" && $0.verdict == .refused })
    }

    @Test(arguments: [0, 3])
    func theProcessLimitIsNamedAndASurvivorSucceeds(_ code: Int) async throws {
        guard JobFixture.isRoot else { return }  // an ordinary user has no process limit to hit
        let fixture = try JobFixture(
            "dash -c 'for i in $(seq 60); do sleep 100 & done'; echo went on; exit \(code)"
        ) { $0.profile.limits.processes = 24 }
        let outcome = try await fixture.outcome()
        let record = try #require(fixture.records.first { $0.kind == .limit })
        #expect(record.name == "processes" && record.detail["limit"] == 24)
        if code == 0 {
            #expect(outcome.failure == nil && outcome.limit == nil, "\(outcome)")
            #expect(record.verdict == .noted)
        } else {
            #expect(outcome.failure == .limit && outcome.limit == .processes, "\(outcome)")
            #expect(outcome.error.hasPrefix("process limit of 24 reached (sandbox.pids)"))
        }
    }

    @Test func theOutputLimitIsNamed() async throws {
        let fixture = try JobFixture("yes") { $0.limits.outputBytes = 1 << 20 }
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == .limit && outcome.limit == .output)
        #expect(outcome.error == "output limit of 1048576 bytes exceeded (sandbox.output_bytes)")
        #expect(fixture.records.contains { $0.kind == .limit && $0.name == "output" })
    }

    @Test func standardErrorCountsAsOutput() async throws {
        let fixture = try JobFixture("yes >&2") { spec in
            spec.limits.outputBytes = 1 << 20
            spec.profile.limits.outputBytes = 1 << 20
        }
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == .limit && outcome.limit == .output, "\(outcome)")
        #expect(outcome.error == "output limit of 1048576 bytes exceeded (limits.output of profile code)")
        // Half here and half there is still too much.
        let both = try JobFixture("head -c 700000 /dev/zero; head -c 700000 /dev/zero >&2; sleep 100")
        #expect(try await both.outcome().limit == .output)
    }

    @Test(arguments: [
        ("trap '' XFSZ; head -c 3000000 /dev/zero >/tmp/x; exit 3", SandboxLimit.fileSize, "file_bytes"),
        ("head -c 3000000 /dev/zero >/tmp/x", .fileSize, "file_bytes"),
        (
            "python3 -c \"x = [open('/dev/null') for _ in range(200)]\"",
            .openFiles,
            "open_files"
        ),
    ])
    func whatAProcessRanIntoIsNamed(_ script: String, _ limit: SandboxLimit, _ setting: String) async throws {
        let fixture = try JobFixture(script) { spec in
            spec.profile.limits.fileSizeBytes = 1 << 20
            spec.profile.limits.openFiles = 64
        }
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == .limit && outcome.limit == limit, "\(outcome)")
        #expect(outcome.error.contains("(sandbox.\(setting))"), "\(outcome.error)")
        #expect(fixture.records.contains { $0.kind == .limit && $0.name == limit.rawValue })
    }

    @Test(arguments: [
        ("/tmp", SandboxLimit.tmp, "tmp_bytes"), ("/dev/shm", .shm, "shm_bytes"),
        ("/var/tmp", .overlay, "overlay_bytes"),
    ])
    func aFullFileSystemIsNamed(_ place: String, _ limit: SandboxLimit, _ setting: String) async throws {
        guard JobFixture.isRoot else { return }  // an ordinary user may not look into a sandbox's root
        let change: (inout JobSpec) -> Void = { spec in
            spec.profile.limits.temporaryBytes = 1 << 20
            spec.profile.limits.sharedMemoryBytes = 1 << 20
            spec.profile.limits.overlayBytes = 1 << 20
        }
        let fixture = try JobFixture("head -c 3000000 /dev/zero >\(place)/x", change: change)
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == .limit && outcome.limit == limit, "\(outcome)")
        #expect(outcome.error.contains("(sandbox.\(setting))"), "\(outcome.error)")
        let record = try #require(fixture.records.first { $0.kind == .limit })
        #expect(record.name == limit.rawValue && record.verdict == .refused && record.detail["limit"] == 1_048_576)
        // Who goes on all the same succeeds, and what was hit is on record.
        let survivor = try JobFixture("head -c 3000000 /dev/zero >\(place)/x; exit 0", change: change)
        #expect(try await survivor.outcome().failure == nil)
        #expect(survivor.records.contains { $0.name == limit.rawValue && $0.verdict == .noted })
    }

    @Test func filesThatRanOutAreNamed() async throws {
        guard JobFixture.isRoot else { return }  // likewise
        let fixture = try JobFixture("for i in $(seq 2000); do : >/tmp/$i || exit 5; done") {
            $0.profile.limits.temporaryInodes = 400
        }
        let outcome = try await fixture.outcome()
        #expect(outcome.error.hasPrefix("limit of 400 files in /tmp reached (sandbox.tmpfs_inodes)"), "\(outcome)")
    }

    /// A build may meet the process limit, make do, and fail for a reason of its own.
    @Test func theProcessLimitIsNotBlamedForEverything() async throws {
        guard JobFixture.isRoot else { return }  // an ordinary user has no process limit to hit
        let fixture = try JobFixture(
            "(for i in $(seq 60); do sleep 100 & done) 2>/dev/null; echo 'tests failed' >&2; exit 3"
        ) { $0.profile.limits.processes = 24 }
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == .cli && outcome.limit == nil, "\(outcome)")
        #expect(outcome.error.contains("tests failed") && outcome.error.contains("sandbox.pids"), "\(outcome.error)")
    }

    @Test func theTimeoutOfAProfileIsNamed() async throws {
        let fixture = try JobFixture("sleep 1000") { spec in
            spec.limits.timeoutSeconds = 3
            spec.profile.limits.timeoutSeconds = 3
        }
        #expect(try await fixture.outcome().error == "task timed out after 3s (limits.timeout of profile code)")
    }

    @Test func theWallClockIsNamed() async throws {
        let fixture = try JobFixture("sleep 1000") { $0.limits.timeoutSeconds = 3 }
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == .timeout && outcome.limit == .wallClock, "\(outcome)")
        #expect(outcome.error == "task timed out after 3s")
    }

    @Test func anAgentWithoutAFirstLineIsEnded() async throws {
        let fixture = try JobFixture("sleep 1000", claude: true) { $0.limits.watchdogs.firstLine = 0.5 }
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == .limit && outcome.limit == .firstLine, "\(outcome)")
        #expect(outcome.error.contains("sandbox.first_line_timeout"))
        let shorter = try JobFixture("sleep 1000", claude: true) { spec in
            spec.profile.watchdogs.firstLine = 1
            spec.limits.watchdogs = spec.limits.watchdogs.shortened(by: spec.profile.watchdogs)
        }
        let ended = try await shorter.outcome().error
        #expect(ended.hasSuffix("no output within 1s (watchdogs.first_line of profile code)"), "\(ended)")
        #expect(fixture.records.contains { $0.kind == .watchdog && $0.name == "first_line" })
        #expect(fixture.events.all.contains { $0.contains("watchdog_fired") })
    }

    @Test func aSilentAgentIsEndedAndASilentScriptIsNot() async throws {
        let change: (inout JobSpec) -> Void = { $0.limits.watchdogs = .init(firstLine: 0.5, silence: 0.5) }
        let agent = try JobFixture(#"echo '{"type":"system"}'; sleep 1000"#, claude: true, change: change)
        let outcome = try await agent.outcome()
        #expect(outcome.limit == .silence && outcome.error.contains("sandbox.silence_timeout"), "\(outcome)")
        let script = try JobFixture("sleep 2; echo done", change: change)
        #expect(try await script.outcome().failure == nil)
    }

    @Test func anAgentThatHangsAfterItsResultSucceeded() async throws {
        let fixture = try JobFixture("\(Self.result); sleep 1000", claude: true) {
            $0.limits.watchdogs.afterResult = 0.5
        }
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == nil && outcome.result == "all done", "\(outcome)")
        #expect(outcome.limit == nil && outcome.changes != nil)
        #expect(fixture.records.contains { $0.kind == .watchdog && $0.name == "after_result" })
    }

    @Test func aHangAfterAResultOfFailureIsAFailure() async throws {
        let failed = Self.result.replacingOccurrences(of: #""is_error":false"#, with: #""is_error":true"#)
        let fixture = try JobFixture("\(failed); sleep 1000", claude: true) { $0.limits.watchdogs.afterResult = 0.5 }
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == .cli && outcome.error.contains("all done"), "\(outcome)")
        #expect(outcome.limit == .afterResult && outcome.error.contains("(sandbox.result_grace)"), "\(outcome)")
    }

    @Test func pausesDoNotCountForWatchdogs() async throws {
        guard JobFixture.isRoot else { return }  // an ordinary user has no freezer here
        let fixture = try JobFixture(
            #"echo '{"type":"system"}'; sleep 1; \#(Self.result)"#, claude: true
        ) { $0.limits.watchdogs = .init(firstLine: 10, silence: 2) }
        let outcome = try await fixture.outcome { operators in
            let id = try await JobFixture.sandbox(operators, phase: "agent").id
            try await operators.perform(.pause, on: id, by: "me")
            #expect(try await operators.status(of: id).state == .paused)
            try await Task.sleep(for: .seconds(3))
            try await operators.perform(.resume, on: id, by: "me")
        }
        #expect(outcome.failure == nil, "\(outcome)")
        let operations = fixture.records.filter { $0.kind == .operation }
        #expect(operations.map(\.name) == ["pause", "resume"] && operations[0].detail["actor"] == "me")
    }

    @Test func theMainProcesssEndIsTheEndAlthoughAChildHoldsThePipe() async throws {
        let fixture = try JobFixture("setsid sleep 1000 & (trap '' TERM; sleep 1000) & echo done; exit 0")
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == nil && outcome.result == "done", "\(outcome)")
        let end = try #require(fixture.records.first { $0.name == "end" && $0.sandbox.hasSuffix("agent") })
        guard case .double(let seconds) = end.detail["seconds"] else { throw JobFixture.Problem(description: "\(end)") }
        #expect(seconds < 0.5)
    }

    @Test func anOperatorCanKillItsSandbox() async throws {
        let fixture = try JobFixture("echo up; sleep 1000")
        let outcome = try await fixture.outcome { operators in
            let status = try await JobFixture.sandbox(operators, phase: "agent")
            #expect(status.profile.name == "code" && status.image == "base" && status.layers.contains(.seccomp))
            #expect(status.missing.allSatisfy { !$0.isPresent })
            #expect(try await operators.processes(of: status.id).first?.pid == status.pid)
            try await operators.perform(.kill, on: status.id, by: "token ops")
        }
        #expect(outcome.failure == .sandbox && outcome.error == "sandbox killed by token ops", "\(outcome)")
        #expect(fixture.records.contains { $0.kind == .operation && $0.name == "kill" })
    }

    @Test func outputAndGatewayAreInTheUse() async throws {
        let fixture = try JobFixture(
            "echo 123456789; exec 3<>/dev/tcp/127.0.0.1/61999; printf 'GET /x HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n' >&3; head -1 <&3; sleep 1000"
        )
        let outcome = try await fixture.outcome { operators in
            let id = try await JobFixture.sandbox(operators, phase: "agent").id
            let usage = try await eventually("the request") {
                let usage = try await operators.status(of: id).usage
                return usage.gatewayRequests.now == 1 && (usage.output.now ?? 0) >= 10 ? usage : nil
            }
            #expect(usage.output.limit == 1 << 20)
            try await operators.perform(.kill, on: id, by: "me")
        }
        #expect(outcome.failure == .sandbox, "\(outcome)")
        let decision = try #require(fixture.records.first { $0.kind == .gateway })
        #expect(decision.verdict == .refused && decision.detail["method"] == "GET" && decision.detail["target"] == "/x")
        #expect(fixture.events.all.contains { $0.contains("gateway_refused") })
    }

    @Test func anOperatorEntersThroughTheSocketUnderTheSameRestrictions() async throws {
        let fixture = try JobFixture("echo up; sleep 1000")
        let (runs, state) = (fixture.runs, fixture.spec.paths.state)
        _ = try await fixture.outcome { operators in
            let server = ControlSocketServer(directory: state, operations: operators)
            try server.start()
            defer { server.stop() }
            let client = ControlSocketClient(runsDirectory: runs, patience: .seconds(10))
            _ = try await JobFixture.sandbox(operators, phase: "agent")
            let id = try #require(try await client.sandboxes().first).id
            let (input, output) = (Pipe(), Pipe())
            try input.fileHandleForWriting.write(contentsOf: Data("typed".utf8))
            try input.fileHandleForWriting.close()
            let script = "id -u; pwd; echo $EXTRA; cat; unshare -U true; exit 7"
            let end = try await client.execute(
                InsideCommand(arguments: ["bash", "-c", script], environment: ["EXTRA": "extra"]), in: id, by: "me",
                input: input.fileHandleForReading.fileDescriptor,
                output: output.fileHandleForWriting.fileDescriptor,
                errors: output.fileHandleForWriting.fileDescriptor)
            #expect(end == .exited(code: 7))
            try output.fileHandleForWriting.close()
            let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            #expect(text.hasPrefix("1000\n/workspace\nextra\ntyped"), "\(text)")
            #expect(text.contains("Operation not permitted"), "\(text)")
            let null = HostDescriptor(open("/dev/null", O_RDWR))
            let running = Task {
                try await client.execute(
                    InsideCommand(arguments: ["sleep", "4321"]), in: id, by: "me", input: null.raw, output: null.raw,
                    errors: null.raw)
            }
            let isThere = { @Sendable () async throws -> Bool in
                try await client.processes(of: id).contains { $0.arguments == ["sleep", "4321"] }
            }
            _ = try await eventually("the command") { try await isThere() ? true : nil }
            running.cancel()
            _ = await running.result
            _ = try await eventually("its end") { try await isThere() ? nil : true }
            try await client.perform(.kill, on: id, by: "me")
        }
        let names = fixture.records.filter { $0.kind == .operation }.map(\.name)
        #expect(names.prefix(3) == ["exec", "exec_end", "exec"] && names.last == "kill", "\(names)")
        #expect(fixture.records.contains { $0.kind == .syscall && $0.name == "unshare" })
    }

    @Test func theDiffShowsEveryChangeAndRunsNothing() async throws {
        let fixture = try JobFixture(
            #"""
            cd /workspace
            echo changed >> f; git -c user.name=a -c user.email=a@a commit -qam "by the agent"
            mkdir -p new/deep; printf 'one\n' > new/deep/file; printf 'x' > 'new/a b"c'; chmod +x 'new/a b"c'
            head -c 3000 /dev/urandom > binary; ln -s /etc/passwd link; : > empty
            printf '*.log\n' > .gitignore; echo no > ignored.log
            printf '* -diff diff=evil filter=evil\n' > .gitattributes
            git config diff.evil.command 'touch /workspace/ran'; git config diff.evil.textconv 'touch /workspace/ran'
            git config filter.evil.clean 'touch /workspace/ran; cat'; git config core.fsmonitor 'touch /workspace/ran'
            git init -q nested; echo x > nested/y
            """#)
        let outcome = try await fixture.outcome()
        let diff = try #require(outcome.diff, "\(outcome)")
        #expect(!diff.isTruncated)
        for line in [
            "diff --git a/f b/f", "+changed", "diff --git a/new/deep/file b/new/deep/file", "+one",
            #"diff --git "a/new/a b\"c" "b/new/a b\"c""#, "new file mode 100755", "new file mode 120000",
            "+/etc/passwd", "Binary files /dev/null and b/binary differ", "diff --git a/empty b/empty",
            "diff --git a/.gitattributes b/.gitattributes", #"\ No newline at end of file"#,
        ] {
            #expect(diff.text.split(separator: "\n").contains(Substring(line)), "\(line) is missing in:\n\(diff.text)")
        }
        for word in ["ignored", "ran", "nested", ".git/"] { #expect(!diff.text.contains(word), "\(word)") }
        #expect(outcome.changes?.filesModified == 1, "\(String(describing: outcome.changes))")
    }

    @Test func aDiffLeavesOutWhatIsTooMuchAndSaysSo() async throws {
        let fixture = try JobFixture(
            "cd /workspace; seq 100000 > long; truncate -s 8G huge; echo small > z; rm f"
        ) { $0.limits.diffBytes = 1000 }
        let start = ContinuousClock.now
        let diff = try #require(try await fixture.outcome().diff)
        #expect(ContinuousClock.now - start < .seconds(15), "eight gigabytes were not read")
        #expect(diff.isTruncated && diff.text.utf8.count <= 1000 && diff.text.hasSuffix("\n"))
        #expect(diff.text.hasPrefix("diff --git a/f b/f\ndeleted file mode 100644\n"), "\(diff.text)")
        #expect(diff.text.contains("+1\n+2\n") && !diff.text.contains("huge"))
    }

    @Test func anUnreadableFileIsToldAsMissing() async throws {
        let fixture = try JobFixture("cd /workspace; echo x > a; echo secret > b; chmod 0 b; echo more >> f")
        let diff = try #require(try await fixture.outcome().diff)
        #expect(diff.isTruncated && diff.text.contains("b/a"), "\(diff.text)")
    }

    /// Codex counts the whole conversation; the contract wants the last run.
    @Test(arguments: [("th-1", 200, 50), ("th-2", 480, 120)])
    func tokensOfEarlierRunsOfAConversationAreTakenOff(_ thread: String, _ input: Int, _ output: Int) async throws {
        let lines = #"""
            echo '{"type":"thread.started","thread_id":"\#(thread)"}'
            echo '{"type":"turn.completed","usage":{"input_tokens":480,"output_tokens":120}}'
            """#
        let fixture = try JobFixture(lines, claude: true) { spec in
            spec.agent.name = "codex"
            spec.agent.sessionID = "th-1"
            spec.agent.sessionUsage = Usage(inputTokens: 280, outputTokens: 70)
        }
        let outcome = try await fixture.outcome()
        #expect(outcome.usage.inputTokens == input && outcome.usage.outputTokens == output, "\(outcome)")
        #expect(outcome.sessionUsage == Usage(inputTokens: 480, outputTokens: 120))
    }

    /// With the default limit: the line that closes a run holds its whole text.
    @Test func aResultOfMegabytesIsKept() async throws {
        let fixture = try JobFixture(
            #"printf '{"type":"result","subtype":"success","result":"'; head -c 5000000 /dev/zero | tr '\0' x;"#
                + #" printf ' end","usage":{"input_tokens":3,"output_tokens":4}}\n'"#, claude: true
        ) { spec in
            spec.limits.lineBytes = 8 << 20
            spec.limits.outputBytes = 64 << 20
        }
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == nil && outcome.usage.inputTokens == 3)
        #expect(outcome.result.utf8.count == 5_000_004 && outcome.result.hasSuffix("x end"))
    }

    /// As installers leave them, and as `GET /cli` follows them.
    @Test func aHostBinaryThatIsALinkIsStarted() async throws {
        let fixture = try JobFixture(Self.result, claude: true) { spec in
            let link = spec.agent.binary + "-link"
            symlink(spec.agent.binary, link)
            symlink(link, link + "2")
            spec.agent.binary = link + "2"
        }
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == nil && outcome.result == "all done", "\(outcome)")
    }

    @Test func aHostBinaryThatIsGoneIsNamed() async throws {
        let fixture = try JobFixture(Self.result, claude: true) { $0.agent.binary = "/nowhere/claude" }
        let outcome = try await fixture.outcome()
        #expect(outcome.failure == .cli, "\(outcome)")
        #expect(outcome.error.contains("resolving CLI runner: /nowhere/claude: No such file"), "\(outcome)")
    }

    @Test func noChangeIsAnEmptyDiff() async throws {
        let outcome = try await JobFixture("true").outcome()
        #expect(outcome.diff == WorkspaceDiff(text: "", isTruncated: false), "\(outcome)")
    }
}
