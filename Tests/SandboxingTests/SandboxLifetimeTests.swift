import CLinux
import Domain
import Foundation
import Glibc
import HostProcess
import Sandboxing
import Testing

/// How sandboxes start, end, and are cleaned up after.
@Suite struct SandboxLifetimeTests {
    @Test(arguments: [0, 1, 7, 255]) func exitCodesArePassedOn(code: Int32) async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run("exit \(code)")
            #expect(outcome.exit.status == .exited(code: code))
        }
    }

    @Test func deadlySignalsArePassedOn() async throws {
        try await withFixture { fixture in
            let exit = try await fixture.run("kill -TERM $$").exit
            #expect(exit.status == .signalled(SIGTERM) && exit.shellCode == 143)
        }
    }

    @Test func signalsReachThePayload() async throws {
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(
                fixture.request([
                    "/bin/sh", "-c", "trap 'echo got; exit 3' TERM; echo ready; while :; do sleep 0.05; done",
                ])
            )
            #expect(await SandboxFixture.line(sandbox.standardOutput) == "ready")
            sandbox.signal(SIGTERM)
            #expect(await SandboxFixture.line(sandbox.standardOutput) == "got")
            #expect(await sandbox.wait().status == .exited(code: 3))
        }
    }

    @Test func standardInputArrives() async throws {
        try await withFixture { fixture in
            let path = fixture.directory + "/input"
            try "hello".write(toFile: path, atomically: false, encoding: .utf8)
            let input = HostDescriptor(open(path, O_RDONLY | O_CLOEXEC))
            let outcome = try await fixture.run("cat; ls -l /proc/self/fd/0 | wc -l; [ -t 0 ] || echo notty") {
                $0.standardInput = input.raw
            }
            #expect(outcome.output.hasPrefix("hello"))
            let empty = try await fixture.run("cat; echo end")
            #expect(empty.output == "end\n")
        }
    }

    @Test func killEndsEverything() async throws {
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(
                fixture.request(["/bin/sh", "-c", "trap '' TERM INT HUP; setsid sleep 1000 & echo up; sleep 1000"])
            )
            #expect(await SandboxFixture.line(sandbox.standardOutput) == "up")
            sandbox.kill()
            let exit = await sandbox.wait()
            #expect(exit.status == .killed && exit.shellCode == 137)
            #expect(Glibc.kill(sandbox.pid, 0) == -1 && errno == ESRCH)
        }
    }

    @Test func pidOneIsSmall() async throws {
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(fixture.request(["/bin/sleep", "1000"]))
            let status = try String(contentsOfFile: "/proc/\(sandbox.pid)/status", encoding: .utf8)
            let resident = SandboxInsideTests.fields(status)["VmRSS"]?.split(separator: " ").first.flatMap { Int($0) }
            #expect(try #require(resident) <= 1024, "KiB")
            print("pid 1 resident KiB:", resident ?? 0)
            sandbox.kill()
            _ = await sandbox.wait()
        }
    }

    @Test func lettingGoKills() async throws {
        try await withFixture { fixture in
            var sandbox: RunningSandbox? = try await fixture.launcher.launch(fixture.request(["/bin/sleep", "1000"]))
            let pidfd = HostDescriptor(clinux_pidfd_open(sandbox?.pid ?? 0))
            #expect(pidfd.raw >= 0)
            sandbox = nil
            #expect(await Self.isDead(pidfd))
        }
    }

    @Test func whatThePayloadLeavesBehindIsKilled() async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run(
                "for i in 1 2 3; do setsid sh -c 'trap \"\" TERM; sleep 1000' & done; echo done"
            )
            // The pipes end although the daemons held them.
            #expect(outcome.output == "done\n")
            #expect(outcome.exit.status == .exited(code: 0))
        }
    }

    @Test func orphansAreReaped() async throws {
        try await withFixture { fixture in
            // Each subshell leaves an orphan that ends at once; a zombie would still be listed.
            let outcome = try await fixture.run(
                "for i in $(seq 20); do (true & true &); done; sleep 0.3; "
                    + "grep -l '^State:.Z' /proc/[0-9]*/status | wc -l"
            )
            #expect(outcome.output == "0\n")
        }
    }

    @Test func failedStartNamesTheStep() async throws {
        try await withFixture { fixture in
            func message(_ change: @escaping (inout SandboxRequest) -> Void) async -> (CodeForgeError.Code?, String) {
                do {
                    _ = try await fixture.run(arguments: ["/bin/true"], change: change)
                    return (nil, "")
                } catch let error as CodeForgeError { return (error.code, error.message) } catch {
                    return (nil, "\(error)")
                }
            }
            let command = await message { $0.arguments = ["/bin/absent"] }
            #expect(
                command.0 == .notFound && command.1.contains("step exec") && command.1.contains("/bin/absent"),
                "\(command)"
            )
            let inPath = await message { $0.arguments = ["absent"] }
            #expect(inPath.0 == .notFound && inPath.1.contains("errno 2"))
            let image = await message { $0.image = fixture.directory + "/no-image" }
            #expect(image.0 == .unavailable && image.1.contains("no-image") && image.1.contains("errno 2"), "\(image)")
            let directory = await message { $0.workingDirectory = "/nowhere" }
            #expect(directory.1.contains("step directory") && directory.1.contains("/nowhere"), "\(directory)")
            let workspace = await message { $0.workspace = fixture.directory + "/no-workspace" }
            #expect(workspace.1.contains("no-workspace"), "\(workspace)")
            let invalid = await message {
                $0.id = "a/b"
                $0.arguments = []
            }
            #expect(invalid.0 == .invalidArgument && invalid.1.contains("id") && invalid.1.contains("arguments"))
            let nul = await message { $0.environment["A"] = "x\0y" }
            #expect(nul.0 == .invalidArgument, "\(nul)")
        }
    }

    @Test func missingShimIsAClearError() async throws {
        try await withFixture { fixture in
            let launcher = SandboxLauncher(.init(shim: fixture.directory + "/absent"))
            let error = await #expect(throws: CodeForgeError.self) {
                _ = try await launcher.launch(fixture.request(["/bin/true"]))
            }
            #expect(error?.message.contains("absent") == true)
        }
    }

    @Test func gatewayListenerAcceptsFromInside() async throws {
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(
                fixture.request(["/bin/sh", "-c", "echo hi | nc 127.0.0.1 9; echo $?; nc -l -p 9 || echo taken"]) {
                    $0.gatewayPort = 9
                }
            )
            let listener = try #require(sandbox.gateway)
            let text: String = await withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    var watched = pollfd(fd: listener.raw, events: Int16(POLLIN), revents: 0)
                    poll(&watched, 1, 10_000)
                    let connection = accept(listener.raw, nil, nil)
                    var buffer = [UInt8](repeating: 0, count: 16)
                    let count = max(0, read(connection, &buffer, 16))
                    close(connection)
                    continuation.resume(returning: String(decoding: buffer[..<count], as: UTF8.self))
                }
            }
            #expect(text == "hi\n")
            // The port is taken inside, yet no process there holds the socket.
            #expect(await SandboxFixture.read(sandbox.standardOutput).hasSuffix("taken\n"))
            _ = await sandbox.wait()
        }
    }

    @Test func deathOfTheLauncherKillsEverything() async throws {
        try await withFixture { fixture in try await killLauncher(fixture) }
    }

    private func killLauncher(_ fixture: SandboxFixture) async throws {
        let holder = Process()
        holder.executableURL = URL(
            fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        )
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") && $0 != CommandLine.arguments[0] }
        holder.arguments =
            (bundle.map { ["--test-bundle-path", $0] } ?? []) + [
                "--testing-library", "swift-testing", "--filter", "SandboxHolder",
            ]
        holder.environment = ProcessInfo.processInfo.environment.merging([
            "CODEFORGE_TEST_HOLD": "1", "TMPDIR": fixture.directory + "/",
        ]) { $1 }
        let pipe = Pipe()
        holder.standardOutput = pipe
        try holder.run()
        let output = HostDescriptor(dup(pipe.fileHandleForReading.fileDescriptor))
        var pid: Int32?
        var seen = ""
        for _ in 0..<200 where pid == nil {
            let line = await SandboxFixture.line(output)
            seen += line + "\n"
            if line.hasPrefix("holding ") { pid = Int32(line.dropFirst(8)) }
        }
        let held = try #require(pid, "\(seen)")
        let pidfd = HostDescriptor(clinux_pidfd_open(held))
        #expect(pidfd.raw >= 0)
        Glibc.kill(holder.processIdentifier, SIGKILL)
        #expect(await Self.isDead(pidfd))
        while holder.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        // What only the dead launcher could have removed.
        await fixture.launcher.sweep()
        #expect(leftoverGroups("held-by-the-dead") == [])
    }

    /// Whether the process ends; a generous limit turns a hang into a failure.
    static func isDead(_ pidfd: HostDescriptor) async -> Bool {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var watched = pollfd(fd: pidfd.raw, events: Int16(POLLIN), revents: 0)
                continuation.resume(returning: poll(&watched, 1, 20_000) == 1)
            }
        }
    }
}

/// Control groups of sandboxes with this id, anywhere.
func leftoverGroups(_ id: String) -> Set<String> {
    var found: Set<String> = []
    for base in (try? FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup")) ?? [] {
        let root = "/sys/fs/cgroup/\(base)"
        guard let all = FileManager.default.enumerator(atPath: root) else { continue }
        for case let path as String in all where path.contains("codeforge/") && path.contains(id) {
            found.insert(root + "/" + path)
            all.skipDescendants()
        }
    }
    return found
}

/// Not a test: the launcher process that `deathOfTheLauncherKillsEverything` kills.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["CODEFORGE_TEST_HOLD"] != nil, "only run by another test"))
struct SandboxHolder {
    @Test func hold() async throws {
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(
                fixture.request(
                    ["/bin/sh", "-c", "trap '' TERM HUP; setsid sleep 1000 & echo up; sleep 1000"],
                    id: "held-by-the-dead"
                )
            )
            _ = await SandboxFixture.line(sandbox.standardOutput)
            print("holding \(sandbox.pid)")
            fflush(nil)
            _ = await sandbox.wait()
        }
    }
}
