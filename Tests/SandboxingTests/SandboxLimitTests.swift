import CLinux
import Domain
import Foundation
import Glibc
import HostProcess
import Testing

@testable import Sandboxing

/// Limits, ownership and identity of sandboxes.
@Suite struct SandboxLimitTests {
    private static let mebibyte: Int64 = 1 << 20

    /// Control groups are root's here; an ordinary user has them only in a delegated subtree.
    private func hasLimit(_ layer: SandboxLayer) async -> Bool {
        await HostLayers.probe().contains { $0.layer == layer && $0.isPresent }
    }

    @Test(arguments: ["dd if=/dev/zero of=/dev/shm/x bs=1M count=100", "tail /dev/zero"])
    func memoryBombIsKilledAndSaidSo(bomb: String) async throws {
        var profile = SandboxProfile.code
        profile.limits.memoryBytes = 48 * Self.mebibyte
        profile.limits.sharedMemoryBytes = 200 * Self.mebibyte
        try await withFixture { fixture in
            guard await hasLimit(.memoryLimit) else {
                #expect(!SandboxFixture.mustHaveGroups, "there must be a memory limit")
                return
            }
            let exit = try await fixture.run("\(bomb); echo survived", profile: profile).exit
            #expect(exit.oomKilled)
            #expect((exit.memoryPeakBytes ?? 0) > 40 * Self.mebibyte)
        }
    }

    @Test func forkBombMeetsTheProcessLimit() async throws {
        var profile = SandboxProfile.code
        profile.limits.processes = 12
        try await withFixture { fixture in
            guard await hasLimit(.processLimit) else {
                #expect(!SandboxFixture.mustHaveGroups, "there must be a process limit")
                return
            }
            let outcome = try await fixture.run(
                "for i in $(seq 40); do sleep 100 & done; echo survived",
                profile: profile
            )
            #expect(outcome.errors.contains("fork"))
            // The rlimit that takes the group's place does not tell.
            #expect(outcome.exit.processLimitHit == SandboxFixture.mustHaveGroups)
        }
    }

    /// Without control groups it is an rlimit of the user's, who has other processes, and other sandboxes.
    @Test func eachSandboxCountsItsOwnProcesses() async throws {
        var profile = SandboxProfile.code
        profile.limits.processes = 12
        let script = "for i in $(seq 7); do sleep 100 & done; echo up; wait"
        try await withFixture { fixture in
            let sandboxes = try await [
                fixture.launcher.launch(fixture.request(["/bin/sh", "-c", script], profile: profile, id: "count-1")),
                fixture.launcher.launch(fixture.request(["/bin/sh", "-c", script], profile: profile, id: "count-2")),
            ]
            for sandbox in sandboxes { #expect(await SandboxFixture.line(sandbox.standardOutput) == "up") }
            if await hasLimit(.processLimit) {
                let null = HostDescriptor(open("/dev/null", O_RDWR | O_CLOEXEC))
                // A command that entered counts as well, and meets the limit.
                let status = try await sandboxes[1].execute(
                    ["/bin/sh", "-c", "for i in 1 2 3 4; do sleep 100 & done"], environment: ["PATH": "/bin"],
                    workingDirectory: "/", input: null.raw, output: null.raw, errors: null.raw)
                #expect(status == .exited(code: 2))
            }
            for sandbox in sandboxes {
                sandbox.kill()
                #expect(await sandbox.wait().status == .killed)
            }
        }
    }

    @Test func processorTimeIsNoMoreThanTheQuota() async throws {
        var profile = SandboxProfile.code
        profile.limits.cpus = 0.1
        try await withFixture { fixture in
            guard await hasLimit(.cpuLimit) else {
                #expect(!SandboxFixture.mustHaveGroups, "there must be a processor limit")
                return
            }
            let exit = try await fixture.run("timeout 3 sh -c 'while :; do :; done'", profile: profile).exit
            #expect(exit.cpuSeconds < 1.5)
        }
    }

    @Test func scratchSpaceIsCapped() async throws {
        var profile = SandboxProfile.code
        profile.limits.temporaryBytes = Self.mebibyte
        profile.limits.homeBytes = Self.mebibyte
        profile.limits.overlayBytes = Self.mebibyte
        profile.limits.fileSizeBytes = 8 * Self.mebibyte
        try await withFixture { fixture in
            let outcome = try await fixture.run(
                "for d in /tmp /home/agent /var/tmp; do "
                    + "dd if=/dev/zero of=$d/x bs=64k count=64 2>&1 | grep -c 'No space'; done",
                profile: profile
            )
            #expect(outcome.output == "1\n1\n1\n", "\(outcome.output) \(outcome.errors)")
        }
    }

    @Test func scratchFilesAreCounted() async throws {
        var profile = SandboxProfile.code
        profile.limits.temporaryInodes = 100
        try await withFixture { fixture in
            let outcome = try await fixture.run(
                "for d in /tmp /home/agent /dev/shm /var/tmp; do "
                    + "for i in $(seq 200); do echo >$d/$i || break; done 2>/dev/null; ls $d | wc -l; done",
                profile: profile
            )
            let counts = outcome.output.split(separator: "\n").compactMap { Int($0) }
            #expect(counts.count == 4 && counts.allSatisfy { (20..<100).contains($0) }, "\(outcome.output)")
        }
    }

    @Test func resourceLimitsHold() async throws {
        var profile = SandboxProfile.code
        profile.limits.openFiles = 128
        profile.limits.fileSizeBytes = Self.mebibyte
        try await withFixture { fixture in
            let outcome = try await fixture.run(
                "ulimit -n; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj; "
                    + "dd if=/dev/zero of=/tmp/x bs=1M count=3 2>/dev/null; stat -c %s /tmp/x",
                profile: profile
            )
            #expect(outcome.output == "128\n128\n0\n500\n1048576\n", "\(outcome.output)")
        }
    }

    @Test func missingRequiredLayerRefusesToStart() async throws {
        try await withFixture(require: [.landlock], leaveOut: [.landlock]) { fixture in
            let error = await #expect(throws: CodeForgeError.self) { _ = try await fixture.run("echo ran") }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("landlock") == true && error?.message.contains("sandbox.require") == true)
        }
    }

    @Test func workspaceBelongsToTheAgentInsideAndTheStorageIDOutside() async throws {
        try await withFixture { fixture in
            let workspace = try fixture.owned("workspace")
            let home = try fixture.owned("home")
            let change: (inout SandboxRequest) -> Void = {
                $0.workspace = workspace
                $0.home = home
                $0.workingDirectory = "/workspace"
            }
            let first = try await fixture.run(
                "umask; mkdir d && echo one >d/f && echo two >~/h && stat -c '%u %g' . d/f ~/h",
                change: change
            )
            #expect(first.output == "0022\n1000 1000\n1000 1000\n1000 1000\n", "\(first.output) \(first.errors)")
            for path in [workspace + "/d/f", home + "/h"] {
                var info = stat()
                #expect(stat(path, &info) == 0)
                #expect(info.st_uid == WorkspaceOwner.current.uid && info.st_gid == WorkspaceOwner.current.gid)
            }
            let second = try await fixture.run("cat d/f ~/h; echo more >>d/f; rm ~/h", change: change)
            #expect(second.output == "one\ntwo\n")
            #expect(try String(contentsOfFile: workspace + "/d/f", encoding: .utf8) == "one\nmore\n")
        }
    }

    @Test(arguments: [SandboxProfile.readonly, .untrusted])
    func readingProfilesCannotWriteTheWorkspace(profile: SandboxProfile) async throws {
        try await withFixture { fixture in
            let workspace = try fixture.owned("workspace")
            try "x".write(toFile: workspace + "/f", atomically: false, encoding: .utf8)
            try WorkspaceOwner.current.own(workspace + "/f")
            let outcome = try await fixture.run("cat f; touch g; echo y >f; rm f", profile: profile) {
                $0.workspace = workspace
                $0.workingDirectory = "/workspace"
            }
            #expect(outcome.output == "x")
            #expect(try FileManager.default.contentsOfDirectory(atPath: workspace) == ["f"])
        }
    }

    @Test func aProfilesMountsAreReadOnly() async throws {
        try await withFixture { fixture in
            let tools = fixture.directory + "/tools"
            try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
            try "hammer".write(toFile: tools + "/f", atomically: false, encoding: .utf8)
            chmod(tools, 0o777)
            chmod(tools + "/f", 0o666)
            var profile = SandboxProfile.code
            profile.mounts = [.init(source: tools, target: "/opt/tools")]
            let outcome = try await fixture.run("cd /opt/tools; cat f; touch g; echo y >f; rm f", profile: profile)
            #expect(outcome.output == "hammer")
            #expect(try FileManager.default.contentsOfDirectory(atPath: tools) == ["f"])
        }
    }

    @Test func bindsShowWhatWasNamedAndNoMore() async throws {
        try await withFixture { fixture in
            let shared = fixture.directory + "/shared"
            mkdir(shared, 0o755)
            try "tool".write(toFile: shared + "/tool", atomically: false, encoding: .utf8)
            chmod(shared + "/tool", 0o644)
            let outcome = try await fixture.run(
                "cat /opt/deep/dir/tool /opt/tool; touch /opt/deep/dir/new; echo x >/opt/tool; ls /opt/deep/dir"
            ) {
                $0.binds = [
                    .init(source: shared, target: "/opt/deep/dir"),
                    .init(source: shared + "/tool", target: "/opt/tool"),
                ]
            }
            #expect(outcome.output == "tooltooltool\n", "\(outcome.output) \(outcome.errors)")
            symlink("/etc", fixture.directory + "/link")
            let error = await #expect(throws: CodeForgeError.self) {
                _ = try await fixture.run("true") {
                    $0.binds = [.init(source: fixture.directory + "/link", target: "/opt/etc")]
                }
            }
            #expect(error?.message.contains("link") == true)
        }
    }

    /// Whoever may rename directories on the way to an allowed one could put a link in a place.
    @Test func aResolvedPathIsFollowedThroughNoLinkAndToNoOtherOwner() async throws {
        try await withFixture { fixture in
            mkdir(fixture.directory + "/allowed", 0o755)
            mkdir(fixture.directory + "/allowed/repo", 0o755)
            symlink("allowed", fixture.directory + "/exchanged")
            func start(_ path: String, isResolved: Bool, uid: UInt32 = geteuid()) async throws {
                _ = try await fixture.run("true") {
                    $0.binds = [
                        .init(
                            source: fixture.directory + path, target: "/mnt/r",
                            ownership: .ids(uid: uid, gid: getegid()),
                            isResolved: isResolved)
                    ]
                }
            }
            try await start("/exchanged/repo", isResolved: false)
            try await start("/allowed/repo", isResolved: true)
            let link = await #expect(throws: CodeForgeError.self) {
                try await start("/exchanged/repo", isResolved: true)
            }
            #expect(link?.message.contains("exchanged") == true)
            guard SandboxFixture.isRoot else { return }  // an ordinary user shows only what it may read itself
            let owner = await #expect(throws: CodeForgeError.self) {
                try await start("/allowed/repo", isResolved: true, uid: 12_345)
            }
            #expect(owner?.message.contains("owner of") == true)
        }
    }

    @Test func privateTreeOfAnotherUserCanBeShownToTheAgent() async throws {
        guard SandboxFixture.isRoot else { return }  // an ordinary user has no other user's files to show
        try await withFixture { fixture in
            let tree = fixture.directory + "/private"
            mkdir(tree, 0o700)
            try "mine".write(toFile: tree + "/f", atomically: false, encoding: .utf8)
            chmod(tree + "/f", 0o600)
            chown(tree, 12_345, 12_346)
            chown(tree + "/f", 12_345, 12_346)
            let outcome = try await fixture.run("cat /mnt/t/f; stat -c %u:%g /mnt/t; touch /mnt/t/g") {
                $0.binds = [.init(source: tree, target: "/mnt/t", ownership: .ids(uid: 12_345, gid: 12_346))]
            }
            #expect(outcome.output == "mine1000:1000\n", "\(outcome.output) \(outcome.errors)")
            #expect(access(tree + "/g", F_OK) != 0)
        }
    }

    @Test func sandboxesAtTheSameTimeHaveDifferentRanges() async throws {
        guard SandboxFixture.isRoot else { return }  // an ordinary user has one id to give
        try await withFixture { fixture in
            let first = try await fixture.launcher.launch(fixture.request(["/bin/sleep", "1000"], id: "one"))
            let second = try await fixture.launcher.launch(fixture.request(["/bin/sleep", "1000"], id: "two"))
            let maps = try [first, second].map {
                try String(contentsOfFile: "/proc/\($0.pid)/uid_map", encoding: .utf8)
            }
            #expect(maps[0] != maps[1])
            first.kill()
            second.kill()
            _ = await (first.wait(), second.wait())
        }
    }

    @Test func nothingIsLeftBehind() async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run("sleep 1000 & echo x") { $0.id = "leftover-test" }
            #expect(outcome.output == "x\n")
            #expect(leftoverGroups("leftover-test") == [])
        }
    }

    @Test func aTrialSaysWhatKeepsASandboxFromStarting() async throws {
        try await withFixture { fixture in
            let configuration = fixture.launcher.configuration
            for profile in SandboxProfile.builtIn {
                let problem = await SandboxTrial.problem(
                    profile, image: fixture.image, directory: fixture.directory + "/not/yet", configuration)
                #expect(problem == nil, "\(profile.name)")
            }
            let problem = await SandboxTrial.problem(
                .code, image: fixture.directory + "/none", directory: fixture.directory, configuration)
            #expect(problem?.contains("step") == true && problem?.contains("; ") == true, "\(problem ?? "")")
            let left = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
            #expect(left == ["image"])
        }
    }

    @Test func probeNamesEveryLayerAndARemedyForWhatIsMissing() async {
        let layers = await HostLayers.probe()
        #expect(layers.map(\.layer) == SandboxLayer.allCases)
        #expect(layers.allSatisfy { $0.isPresent == $0.remedy.isEmpty && !$0.detail.isEmpty })
    }
}
