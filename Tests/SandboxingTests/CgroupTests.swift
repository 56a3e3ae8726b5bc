import CLinux
import Domain
import Foundation
import Glibc
import HostProcess
import Testing

@testable import Sandboxing

/// Control groups as the kernel shows them.
@Suite struct CgroupTests {
    private func group(of pid: Int32) throws -> String {
        let text = try String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8)
        return try #require(text.split(separator: "\n").first { $0.hasPrefix("0::") }).dropFirst(3).description
    }

    private func value(_ directory: String, _ file: String) -> String {
        (CgroupFile.read(directory + "/" + file) ?? "no \(file)").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// As a service manager with delegation has it: our processes in `main`, sandboxes beside it, limits from above
    /// holding for all. `scripts/test-cgroup-v2` is where such a group is.
    @Test(.enabled(if: SandboxFixture.delegatedGroup != nil, "run by scripts/test-cgroup-v2"))
    func sandboxesLiveInTheDelegatedGroup() async throws {
        let base = try #require(SandboxFixture.delegatedGroup)
        var profile = SandboxProfile.code
        profile.limits.memoryBytes = 64 << 20
        profile.limits.processes = 33
        profile.limits.cpus = 1.5
        profile.limits.cpuWeight = 250
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(
                fixture.request(["/bin/sleep", "1000"], profile: profile, id: "delegated"))
            #expect(try group(of: getpid()) == base + "/main")
            let path = try group(of: sandbox.pid)
            #expect(path.hasPrefix(base + "/codeforge/") && path.hasSuffix("delegated"), "\(path)")
            let directory = "/sys/fs/cgroup" + path
            #expect(value(directory, "memory.max") == "\(64 << 20)")
            #expect(value(directory, "memory.oom.group") == "1")
            #expect(["0", "no memory.swap.max"].contains(value(directory, "memory.swap.max")))
            #expect(value(directory, "pids.max") == "33")
            #expect(value(directory, "cpu.max") == "150000 100000")
            #expect(value(directory, "cpu.weight") == "250")
            #expect(value(directory, "io.stat") != "no io.stat")
            #expect(value("/sys/fs/cgroup" + base, "cgroup.procs") == "")
            #expect(
                sandbox.missingLayers.allSatisfy {
                    [.uidRange, .idMappedMounts].contains($0.layer) || $0.layer.rawValue.hasPrefix("landlock-")
                },
                "\(sandbox.missingLayers)")
            sandbox.kill()
            _ = await sandbox.wait()
            #expect(leftoverGroups("delegated") == [])
        }
    }

    /// The limit somebody set on the service bounds its sandboxes together.
    @Test(.enabled(if: SandboxFixture.delegatedGroup != nil, "run by scripts/test-cgroup-v2"))
    func theServicesOwnLimitHoldsForItsSandboxes() async throws {
        let top = "/sys/fs/cgroup" + (try #require(SandboxFixture.delegatedGroup)) + "/codeforge"
        try await withFixture { fixture in
            _ = try await fixture.run("true")  // makes the group
            #expect(CgroupFile.write(top + "/pids.max", "10") == nil)
            defer { _ = CgroupFile.write(top + "/pids.max", "max") }
            let outcome = try await fixture.run("for i in $(seq 20); do sleep 100 & done; echo survived")
            #expect(outcome.errors.contains("fork"))
        }
    }

    /// As a rootless supervisor leaves it that is killed while its sandbox is paused. One that lives, though its id means
    /// nobody here, keeps what it has.
    @Test(arguments: [false, true]) func whatIsLeftPausedIsEndedUnlessItsSupervisorLives(lives: Bool) async throws {
        let host = CgroupHost.prepare(parent: SandboxFixture.delegatedGroup.map { "/sys/fs/cgroup" + $0 })
        guard host.unified != nil else { return try #require(!SandboxFixture.isRoot) }  // nothing to pause with
        let gone = try HostProcess.start("/bin/true", ["true"])
        #expect(await gone.waitForExit() == .exited(code: 0))
        let name = "p\(gone.pid)-1-left-paused"
        let groups = CgroupSet(host, name: name, limits: SandboxProfile.code.limits)
        let hold = lives ? groups.hold() : nil
        #expect((hold != nil) == lives)
        let child = try HostProcess.start("/bin/sleep", ["sleep", "1000"])
        for list in try groups.openProcessLists() {
            let text = "\(child.pid)"
            #expect(write(list.raw, text, text.utf8.count) == text.utf8.count)
        }
        try groups.setFrozen(true)
        try await withFixture { fixture in await fixture.launcher.sweep() }
        if lives {
            #expect(groups.processIDs() == [child.pid])
            groups.killEverything()
        }
        #expect(await child.waitForExit() == .signalled(SIGKILL))
        hold?.close()
        groups.remove()
        #expect(leftoverGroups("left-paused") == [])
    }

    /// A plain directory with the mark of delegation in the group's place.
    @Test(.enabled(if: !SandboxFixture.isRoot, "root's processes are never moved"))
    func lookingMovesNobodysProcesses() throws {
        let group = NSTemporaryDirectory() + "codeforge-delegated-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: group, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: group) }
        try #require(setxattr(group, "user.delegate", "1", 1, 0) == 0, "no extended attributes here")
        try "memory pids\n".write(toFile: group + "/cgroup.controllers", atomically: false, encoding: .utf8)
        var host = CgroupHost()
        #expect(host.delegated(group, settles: false) == nil && host.unsettled == group)
        #expect(access(group + "/main", F_OK) != 0)
        #expect(CgroupHost.controllers(of: group) == ["memory", "pids"])
        #expect(host.delegated(group, settles: true) == group)
        #expect(access(group + "/main", F_OK) == 0)
    }

    /// On v1 by shares; `sandboxesLiveInTheDelegatedGroup` sees v2's.
    @Test(.enabled(if: SandboxFixture.isRoot, "control groups are root's"))
    func weightAndQuotaAreWhatTheProfileSays() {
        let host = CgroupHost.prepare(parent: nil)
        guard let base = host.legacy["cpu"], !host.unifiedControllers.contains("cpu") else { return }
        var limits = SandboxProfile.code.limits
        limits.cpus = 1.5
        limits.cpuWeight = 250
        let groups = CgroupSet(host, name: "weight-\(getpid())", limits: limits)
        defer { groups.remove() }
        #expect(groups.layers.contains(.cpuLimit) && groups.failed == [])
        let directory = base + "/weight-\(getpid())"
        #expect(value(directory, "cpu.shares") == "2560")
        #expect(value(directory, "cpu.cfs_quota_us") == "150000")
        #expect(value(directory, "cpu.cfs_period_us") == "100000")
    }

    @Test func aForkBombDiesWithItsSandbox() async throws {
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(
                fixture.request(["/bin/sh", "-c", "b() { b | b & sleep 1000; }; b; sleep 1000"], id: "bomb"))
            try await Task.sleep(for: .milliseconds(300))
            sandbox.kill()
            #expect(await sandbox.wait().status == .killed)
            #expect(leftoverGroups("bomb") == [])
        }
    }
}
