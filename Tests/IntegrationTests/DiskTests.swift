import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// Disk and inode bombs end the task that throws them, with the limit's name, and nothing else.
@Suite(.serialized) struct DiskTests {
    private static let size: Int64 = 64 << 20

    private func small(_ spec: inout JobSpec) {
        spec.profile.limits.diskBytes = Self.size
        spec.profile.limits.diskInodes = 4096
    }

    /// Bytes a file takes on the host.
    private func taken(_ path: String) -> Int64 {
        var status = stat()
        return lstat(path, &status) == 0 ? Int64(status.st_blocks) * 512 : -1
    }

    @Test(arguments: [
        "head -c 1G /dev/zero > bomb", "head -c 1G /dev/zero > ~/bomb",
        // Whoever cleans up after itself is told so all the same.
        "head -c 1G /dev/zero > bomb || { sleep 1; rm bomb; exit 1; }",
    ])
    func aByteBombMeetsItsLimit(_ script: String) async throws {
        let jobs = try await JobFixture()
        let bystander = try jobs.spec("sleep 2; head -c 20M /dev/zero > fine; sync fine", change: small)
        let other = try jobs.start(bystander)
        let spec = try jobs.spec(script, change: small)
        let outcome = try await jobs.run(spec)
        #expect(outcome.failure == .limit && outcome.limit == .disk, "\(outcome)")
        #expect(outcome.error == "disk limit of 67108864 bytes (sandbox.disk_bytes) reached")
        let used = taken(try #require(spec.paths.volume))
        #expect(used > 0 && used <= Self.size, "\(used)")
        #expect(try await jobs.outcome(other, bystander).failure == nil)
    }

    /// From the setting through profile, volume and supervisor to what the client reads.
    @Test func theLimitOfTheSettingsIsTheOneThatIsTold() async throws {
        try await ServerFixture.with(["CODEFORGE_SANDBOX__DISK_BYTES": "64 MiB"]) { server in
            let id = try await server.create("head -c 1G /dev/zero > bomb", repo: try server.makeRepository())
            let task = try await server.finished(id)
            let error = "disk limit of 67108864 bytes (sandbox.disk_bytes) reached"
            #expect(task["status"] == "failed" && task["error"]?.stringValue == error, "\(task)")
            let iteration = try await server.task(id, iterations: true)["iterations"]?.arrayValue?.first
            #expect(iteration?["limit"] == "disk", "\(iteration ?? .null)")
            #expect(iteration?["effective_profile"]?["limits"]?["disk_bytes"] == 67_108_864)
        }
    }

    @Test func anInodeBombMeetsItsLimit() async throws {
        let jobs = try await JobFixture()
        let outcome = try await jobs.run(try jobs.spec("mkdir d; cd d; seq 1 10000 | xargs touch", change: small))
        #expect(outcome.failure == .limit && outcome.limit == .disk, "\(outcome)")
        #expect(outcome.error == "disk limit of 4096 files (sandbox.disk_inodes) reached")
    }

    @Test func whatWasDeletedGoesBackToTheHost() async throws {
        let jobs = try await JobFixture()
        let spec = try jobs.spec("head -c 200M /dev/urandom > large; sync large; rm large; echo kept > kept")
        #expect(try await jobs.run(spec).failure == nil)
        #expect(taken(try #require(spec.paths.volume)) < 64 << 20)
    }

    @Test func aFollowUpFindsItsFiles() async throws {
        let jobs = try await JobFixture()
        var spec = try jobs.spec("echo one > note; echo two > ~/memory")
        #expect(try await jobs.run(spec).failure == nil)
        spec.iteration = 2
        spec.source = .existing
        spec.agent.prompt = "cat note ~/memory README.md"
        let outcome = try await jobs.run(spec)
        #expect(outcome.failure == nil && outcome.result == "one\ntwo\nhello", "\(outcome)")
        unlink(try #require(spec.paths.volume))
        spec.iteration = 3
        #expect(try await jobs.run(spec).error.hasPrefix("workspace not found for task \(spec.taskID)"))
    }

    @Test func twoRunsInOneWorkspaceComeOneAfterTheOther() async throws {
        let jobs = try await JobFixture()
        let owner = try jobs.spec("touch begun; sleep 2; echo done > state")
        let first = try jobs.start(owner)
        try await eventually("the volume to be mounted") {
            taken(owner.paths.volume ?? "") > 0 && isAttached(owner) ? () : nil
        }
        let guest = try jobs.spec("cat state") { spec in
            spec.source = .existing
            spec.paths.volume = owner.paths.volume
        }
        let second = try await jobs.run(guest)
        #expect(second.failure == nil && second.result == "done", "\(second)")
        #expect(try await jobs.outcome(first, owner).failure == nil)
    }

    /// A loop device reads the volume.
    private func isAttached(_ spec: JobSpec) -> Bool {
        let devices = (try? FileManager.default.contentsOfDirectory(atPath: "/sys/block")) ?? []
        return devices.contains { device in
            let file = try? String(contentsOfFile: "/sys/block/\(device)/loop/backing_file", encoding: .utf8)
            return file?.contains(spec.taskID) == true
        }
    }

    @Test func aKilledSupervisorLeavesNoMountAndNoDevice() async throws {
        let jobs = try await JobFixture()
        var spec = try jobs.spec("echo kept > kept; sync; touch ~/ready; exec sleep 600")
        let process = try jobs.start(spec)
        try await eventually("the volume to be mounted") { isAttached(spec) ? () : nil }
        // The host never sees the mount.
        #expect(try !String(contentsOfFile: "/proc/self/mounts", encoding: .utf8).contains(spec.taskID))
        #expect(try FileManager.default.contentsOfDirectory(atPath: spec.paths.mount) == [])
        try await Task.sleep(for: .seconds(1))
        process.signal(SIGKILL)
        try await process.wait()
        try await eventually("the loop device to be free") { isAttached(spec) ? nil : () }
        // Unmounted in order: no check is needed, and what was written is there.
        spec.attempt = 2
        spec.source = .existing
        spec.agent.prompt = "cat kept"
        let outcome = try await jobs.run(spec)
        #expect(outcome.failure == nil && outcome.result == "kept", "\(outcome)")
    }

    @Test func plainDirectoriesAreRefusedWhereAVolumeIsRequired() async throws {
        let jobs = try await JobFixture()
        let outcome = try await jobs.run(try jobs.spec("true") { plain(&$0, in: jobs) })
        #expect(outcome.failure == .sandbox)
        #expect(outcome.error.contains("sandbox layer disk-limit is required by profile git"), "\(outcome)")
        #expect(outcome.error.contains("sandbox.disk"))
    }

    /// The degraded mode: nothing is hard, but the supervisor sees it.
    @Test(arguments: [
        ("head -c 150M /dev/zero > bomb; mkdir closed; mv bomb closed; chmod 0 closed; sleep 60", "67108864 bytes"),
        ("mkdir d; cd d; seq 1 10000 | xargs touch; sleep 60", "4096 files"),
    ])
    func aBombInPlainDirectoriesIsSeen(_ script: String, _ limit: String) async throws {
        let jobs = try await JobFixture()
        let spec = try jobs.spec(script) { spec in
            plain(&spec, in: jobs)
            small(&spec)
            spec.profile.required.remove(.diskLimit)
            spec.gitProfile.required.remove(.diskLimit)
        }
        let start = ContinuousClock.now
        let outcome = try await jobs.run(spec)
        #expect(outcome.failure == .limit && outcome.error.contains("disk limit of \(limit)"), "\(outcome)")
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    private func plain(_ spec: inout JobSpec, in jobs: JobFixture) {
        spec.paths.volume = nil
        spec.paths.workspace = jobs.directory.file("workspaces/\(spec.taskID)")
        spec.paths.gitDirectory = jobs.directory.file("git/\(spec.taskID)")
        spec.paths.home = jobs.directory.file("homes/\(spec.taskID)")
    }
}
