import CLinux
import Domain
import Foundation
import Glibc
import HostProcess
import TestKit
import Testing

@testable import Sandboxing

/// What operators see of running sandboxes and do to them.
@Suite struct SandboxOperationTests {
    /// Rootless without a delegated group there is nothing that could count or stop.
    private static func hasGroups(_ sandbox: RunningSandbox) -> Bool { sandbox.layers.contains(.cgroupKill) }

    @Test func useIsToldWhileItRuns() async throws {
        try await withFixture { fixture in
            let workspace = try fixture.owned("storage")
            let sandbox = try await fixture.launcher.launch(
                fixture.request([
                    "/bin/sh", "-c",
                    "sleep 1000 & sleep 1000 & i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; "
                        + "dd if=/dev/zero of=/workspace/file bs=1000000 count=3 conv=fsync 2>/dev/null; echo up; wait",
                ]) { $0.workspace = workspace })
            _ = await SandboxFixture.line(sandbox.standardOutput)
            let usage = await sandbox.usage()
            #expect(usage.cpuSeconds > 0.005)
            #expect(usage.readBytes != nil && (usage.writtenBytes ?? 0) >= 3_000_000, "needs /tmp on a disk: \(usage)")
            #expect((usage.processes.now ?? 0) >= 4)
            if SandboxFixture.isRoot {
                #expect(usage.processes.limit == Int64(sandbox.profile.limits.processes))
                #expect(usage.memory.limit == sandbox.profile.limits.memoryBytes)
                #expect((usage.memory.now ?? 0) > 0 && (usage.memory.peak ?? 0) >= 100_000)
                #expect(usage.cpuLimit == sandbox.profile.limits.cpus)
            }
            sandbox.kill()
            _ = await sandbox.wait()
            // Afterwards nothing is known, and nothing fails.
            #expect(await sandbox.processes().isEmpty)
        }
    }

    @Test func processesAreATreeOfCleanedWords() async throws {
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(
                fixture.request([
                    "/bin/sh", "-c", "setsid sleep 1000 & sh -c 'echo up; sleep 1000; :' \"$(printf 'a\\033[31mb')\"",
                ]))
            _ = await SandboxFixture.line(sandbox.standardOutput)
            let processes = try await eventually("two sleeps") {
                let all = await sandbox.processes()
                return all.count >= 4 && all.filter { $0.arguments.contains("sleep") }.count == 2 ? all : nil
            }
            #expect(processes.first?.pid == sandbox.pid && processes.first?.innerPID == 1)
            #expect(processes.contains { $0.innerPID == 2 && $0.parent == sandbox.pid })
            #expect(processes.contains { $0.arguments.last == "a?[31mb" }, "\(processes)")
            for (index, process) in processes.enumerated() {
                #expect(index == 0 || processes[..<index].contains { $0.pid == process.parent }, "\(process)")
                #expect(process.threads == 1 && "RSD".contains(process.state))
            }
            sandbox.kill()
            _ = await sandbox.wait()
        }
    }

    @Test func aHostileProcessNameCannotForgeItsStatus() throws {
        let name = "x) R 1 1 1 1 1 1 (y"
        let line = "77 (\(name)) S 5" + String(repeating: " 3", count: 40)
        let entry = try #require(ProcessTable.Entry(pid: 77, stat: Array(line.utf8)))
        #expect(entry.parent == 5 && entry.state == "S")
        #expect(ProcessTable.Entry(pid: 1, stat: Array("1 (x) S".utf8)) == nil)
        #expect(ProcessTable.Entry(pid: 1, stat: []) == nil)
    }

    @Test func pausedNothingRunsUntilResumed() async throws {
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(
                fixture.request(["/bin/sh", "-c", "while :; do echo tick; sleep 0.01; done"]))
            guard Self.hasGroups(sandbox) else {
                #expect(!SandboxFixture.isRoot, "root must have a freezer")
                let error = await #expect(throws: CodeForgeError.self) { try await sandbox.pause() }
                #expect(error?.code == .unavailable)
                sandbox.kill()
                _ = await sandbox.wait()
                return
            }
            _ = await SandboxFixture.line(sandbox.standardOutput)
            try await sandbox.pause()
            #expect(sandbox.isPaused)
            drain(sandbox.standardOutput)
            try await Task.sleep(for: .milliseconds(100))
            #expect(drain(sandbox.standardOutput) == 0)
            try await sandbox.resume()
            #expect(!sandbox.isPaused)
            #expect(await SandboxFixture.line(sandbox.standardOutput) == "tick")
            sandbox.kill()
            _ = await sandbox.wait()
            let error = await #expect(throws: CodeForgeError.self) { try await sandbox.pause() }
            #expect(error?.code == .unavailable)
        }
    }

    @Test func aPausedSandboxCanBeKilled() async throws {
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(
                fixture.request(["/bin/sh", "-c", "setsid sleep 1000 & echo up; sleep 1000"], id: "paused-and-killed"))
            _ = await SandboxFixture.line(sandbox.standardOutput)
            if Self.hasGroups(sandbox) { try await sandbox.pause() }
            let began = ContinuousClock.now
            sandbox.kill()
            #expect(await sandbox.wait().status == .killed)
            #expect(ContinuousClock.now - began < .seconds(2))
            #expect(leftoverGroups("paused-and-killed") == [])
        }
    }

    @Test func fiveHundredHostileProcessesAreGoneAtOnce() async throws {
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(
                fixture.request([
                    "/bin/sh", "-c",
                    "trap '' TERM HUP INT; i=0; while [ $i -lt 500 ]; do setsid sleep 1000 & i=$((i+1)); done; echo up; wait",
                ]))
            _ = await SandboxFixture.line(sandbox.standardOutput)
            let began = ContinuousClock.now
            sandbox.kill()
            _ = await sandbox.wait()
            let took = ContinuousClock.now - began
            print("teardown of 500 processes: \(took)")
            #expect(took < .seconds(2), "generous: this machine may be busy")
        }
    }

    /// A host without the unified hierarchy, as far as the groups are concerned.
    @Test func theOlderFreezerStopsAndLetsGo() async throws {
        guard SandboxFixture.isRoot, access("/sys/fs/cgroup/freezer", F_OK) == 0 else { return }  // none on pure v2
        var host = CgroupHost()
        host.legacy["freezer"] = "/sys/fs/cgroup/freezer/codeforge"
        mkdir("/sys/fs/cgroup/freezer/codeforge", 0o755)
        let groups = CgroupSet(host, name: "p\(getpid())-freezer-test", limits: SandboxProfile.code.limits)
        let child = try HostProcess.start("/bin/sleep", ["sleep", "1000"])
        let list = try #require(groups.openLegacy().first)
        let text = "\(child.pid)"
        #expect(write(list.raw, text, text.utf8.count) == text.utf8.count)
        try groups.setFrozen(true)
        kill(child.pid, SIGKILL)
        #expect(ProcessTable.entry(child.pid)?.state != "Z", "a killed one stays until it is thawed")
        groups.thaw()
        #expect(await child.waitForExit() == .signalled(SIGKILL))
        list.close()
        groups.remove()
        rmdir("/sys/fs/cgroup/freezer/codeforge")
        #expect(leftoverGroups("freezer-test") == [])
    }

    @discardableResult private func drain(_ descriptor: HostDescriptor) -> Int {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var watched = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, 0) == 1 ? read(descriptor.raw, &buffer, buffer.count) : 0
    }
}
