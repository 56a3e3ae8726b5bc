import Domain
import Foundation
import Glibc
import HostProcess
import Testing

@testable import Sandboxing

/// One more command in a running sandbox: as confined as the first, and out of its reach.
@Suite struct SandboxEntryTests {
    private static let environment = ["PATH": "/bin", "HOME": "/home/agent"]

    /// Runs `script` in `sandbox`; gives its end and its output.
    private func enter(
        _ sandbox: RunningSandbox, _ script: String, directory: String = "/tmp"
    ) async throws -> (status: SandboxExit.Status, output: String) {
        let (read, write) = try ShimSpawn.pipe()
        async let output = SandboxFixture.read(read)
        let status: SandboxExit.Status
        do {
            status = try await sandbox.execute(
                ["sh", "-c", script], environment: Self.environment, workingDirectory: directory, input: write.raw,
                output: write.raw, errors: write.raw)
        } catch {
            write.close()
            _ = await output
            throw error
        }
        write.close()
        return (status, await output)
    }

    /// A sandbox whose payload runs `script`, which must print a first line and then go on; killed at the end.
    private func withSandbox(
        _ script: String = "echo up; sleep 1000", profile: SandboxProfile = .code,
        _ body: (RunningSandbox) async throws -> Void
    ) async throws -> SandboxExit {
        try await withFixture { fixture in
            let workspace = try fixture.owned("workspace")
            let sandbox = try await fixture.launcher.launch(
                fixture.request(["/bin/sh", "-c", script], profile: profile) { $0.workspace = workspace })
            do {
                #expect(await SandboxFixture.line(sandbox.standardOutput) == "up")
                try await body(sandbox)
            } catch {
                sandbox.kill()
                _ = await sandbox.wait()
                throw error
            }
            sandbox.kill()
            return await sandbox.wait()
        }
    }

    @Test func itIsRestrictedExactlyAsThePayload() async throws {
        let look = """
            id; grep -E '^(Cap|NoNewPrivs|Seccomp|Groups|Uid|Gid|Umask|SigBlk|SigIgn)' /proc/self/status;
            cat /proc/self/cgroup /proc/self/limits /proc/self/oom_score_adj /proc/self/mounts;
            for n in user pid mnt net ipc uts cgroup; do readlink /proc/self/ns/$n; done;
            ls /proc/self/fd; touch /srv/x 2>&1; kill -0 1 2>&1; unshare -U true 2>&1; tty
            """
        let exit = try await withSandbox("(\(look)) >/tmp/payload </dev/null 2>&1; echo up; sleep 1000") { sandbox in
            let status = try await enter(sandbox, "(\(look)) >/tmp/entered </dev/null 2>&1").status
            #expect(status == .exited(code: 1))  // tty's
            let payload = try await enter(sandbox, "cat /tmp/payload").output
            let entered = try await enter(sandbox, "cat /tmp/entered").output
            for (line, other) in zip(payload.split(separator: "\n"), entered.split(separator: "\n")) {
                #expect(line == other)
            }
            #expect(payload.utf8.count == entered.utf8.count && payload.contains("NoNewPrivs:\t1"))
            #expect(payload.contains("Permission denied") && payload.hasSuffix("not a tty\n"))
        }
        #expect(exit.refusedSyscalls["unshare"] == 2)
    }

    @Test func endsArePassedOn() async throws {
        _ = try await withSandbox { sandbox in
            try await #expect(try await enter(sandbox, "pwd; exit 7").status == .exited(code: 7))
            try await #expect(try await enter(sandbox, "kill -TERM $$").status == .signalled(SIGTERM))
            try await #expect(try await enter(sandbox, "pwd", directory: "/workspace").output == "/workspace\n")
            await #expect(throws: CodeForgeError.self) { _ = try await enter(sandbox, "true", directory: "/nowhere") }
            let error = await #expect(throws: CodeForgeError.self) {
                _ = try await sandbox.execute(
                    ["nothing"], environment: Self.environment, workingDirectory: "/", input: 0, output: 1, errors: 2)
            }
            #expect(error?.code == .notFound)
            try await #expect(try await enter(sandbox, "echo still there").output == "still there\n")
        }
    }

    @Test func manyAtATime() async throws {
        _ = try await withSandbox { sandbox in
            try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<12 { group.addTask { try await enter(sandbox, "sleep 0.1; echo \(number)").output } }
                var seen: Set<String> = []
                for try await output in group { seen.insert(output) }
                #expect(seen.count == 12)
            }
        }
    }

    @Test func theSandboxsEndIsItsEnd() async throws {
        _ = try await withSandbox { sandbox in
            async let entered = enter(sandbox, "setsid sleep 1000 & echo x >/tmp/ready; sleep 1000")
            while try await enter(sandbox, "cat /tmp/ready 2>/dev/null").output != "x\n" {}
            let start = ContinuousClock.now
            sandbox.kill()
            _ = await sandbox.wait()
            #expect(try await entered.status == .signalled(SIGKILL))
            #expect(ContinuousClock.now - start < .seconds(2))
            let error = await #expect(throws: CodeForgeError.self) { _ = try await enter(sandbox, "true") }
            #expect(error?.code == .unavailable)
        }
    }

    @Test func cancellingKillsItAndNothingElse() async throws {
        _ = try await withSandbox { sandbox in
            let entered = Task { try await enter(sandbox, "echo x >/tmp/ready; sleep 1000 | sleep 1000") }
            while try await enter(sandbox, "cat /tmp/ready 2>/dev/null").output != "x\n" {}
            entered.cancel()
            let error = await #expect(throws: CodeForgeError.self) { _ = try await entered.value }
            #expect(error?.code == .cancelled)
            try await #expect(try await enter(sandbox, "echo alive").output == "alive\n")
        }
    }

    @Test func aPausedSandboxIsNotEntered() async throws {
        guard SandboxFixture.isRoot else { return }  // only root can pause here: the freezer is the host's
        _ = try await withSandbox { sandbox in
            try await sandbox.pause()
            let error = await #expect(throws: CodeForgeError.self) { _ = try await enter(sandbox, "true") }
            #expect(error?.code == .conflict)
            try await sandbox.resume()
            try await #expect(try await enter(sandbox, "true").status == .exited(code: 0))
        }
    }

    /// The payload looks for whoever enters, at every id, to read or signal it before it is confined.
    @Test func thePayloadNeitherSeesNorReachesIt() async throws {
        let hunt = """
            echo up
            while :; do
                for p in 3 4 5 6 7 8 9 10 11 12; do
                    cat /proc/$p/environ /proc/$p/cmdline >>/tmp/loot 2>/dev/null
                    ls /proc/$p/root/ /proc/$p/fd/ >>/tmp/loot 2>/dev/null
                done
            done
            """
        _ = try await withSandbox(hunt) { sandbox in
            for _ in 0..<20 {
                try await #expect(try await enter(sandbox, "sleep 0.02; echo SECRET").status == .exited(code: 0))
            }
            try await #expect(try await enter(sandbox, "grep -c -e SECRET -e codeforge /tmp/loot").output == "0\n")
        }
        _ = try await withSandbox("echo up; while :; do kill -9 -1 2>/dev/null; sleep 0.01; done") { sandbox in
            try await #expect(try await enter(sandbox, "sleep 0.3; echo alive").output == "alive\n")
        }
    }
}
