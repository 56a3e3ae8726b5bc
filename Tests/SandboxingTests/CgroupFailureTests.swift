import Domain
import Foundation
import Glibc
import Testing

@testable import Sandboxing

/// What becomes of a sandbox whose control groups cannot be set up: less is claimed, or nothing starts.
///
/// The groups are plain directories here, so that any file of theirs can be missing.
@Suite struct CgroupFailureTests {
    private static let files = [
        "memory": ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"], "pids": ["pids.max"],
        "cpu": ["cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.shares"],
    ]
    private static let unifiedFiles = [
        "memory.max", "memory.oom.group", "memory.swap.max", "pids.max", "cpu.max", "cpu.weight", "cgroup.kill",
    ]

    /// A host with these hierarchies, in which the group `name` has all files but `missing`.
    private func withHost(
        isUnified: Bool, missing: String = "", swaps: String = "Filename\tType\n",
        _ body: (CgroupHost, _ directory: String, _ swapList: String) throws -> Void
    ) throws {
        let directory = NSTemporaryDirectory() + "codeforge-groups-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func make(_ base: String, _ names: [String]) throws {
            try FileManager.default.createDirectory(atPath: base + "/name", withIntermediateDirectories: true)
            for name in names where name != missing {
                #expect(FileManager.default.createFile(atPath: base + "/name/" + name, contents: nil))
            }
        }
        var host = CgroupHost()
        host.offered = Set(CgroupHost.wanted)
        if isUnified {
            host.unified = directory
            host.unifiedControllers = host.offered
            try make(directory, Self.unifiedFiles)
        } else {
            for (controller, names) in Self.files {
                host.legacy[controller] = directory + "/" + controller
                try make(directory + "/" + controller, names + ["cgroup.procs"])
            }
        }
        try swaps.write(toFile: directory + "/swaps", atomically: false, encoding: .utf8)
        try body(host, directory, directory + "/swaps")
    }

    private let limits: Set<SandboxLayer> = [.memoryLimit, .processLimit, .cpuLimit]

    @Test(arguments: [
        ("memory.limit_in_bytes", SandboxLayer.memoryLimit), ("pids.max", .processLimit),
        ("cpu.cfs_period_us", .cpuLimit),
        ("cpu.cfs_quota_us", .cpuLimit), ("cpu.shares", .cpuLimit), ("", nil),
    ])
    func whatCannotBeWrittenIsNotClaimed(file: String, layer: SandboxLayer?) throws {
        try withHost(isUnified: false, missing: file) { host, _, swaps in
            let groups = CgroupSet(host, name: "name", limits: SandboxProfile.code.limits, swapList: swaps)
            #expect(groups.layers == limits.subtracting([layer].compactMap(\.self)))
            #expect(groups.failed == Set([layer].compactMap(\.self)))
            if let layer { #expect(groups.obstacles[layer]?.contains(file) == true) }
        }
    }

    @Test(arguments: [
        ("memory.max", SandboxLayer.memoryLimit), ("memory.oom.group", .memoryLimit), ("pids.max", .processLimit),
        ("cpu.max", .cpuLimit), ("cpu.weight", .cpuLimit), ("", nil),
    ])
    func norInTheUnifiedHierarchy(file: String, layer: SandboxLayer?) throws {
        try withHost(isUnified: true, missing: file) { host, _, swaps in
            let groups = CgroupSet(host, name: "name", limits: SandboxProfile.code.limits, swapList: swaps)
            #expect(groups.layers == limits.union([.cgroupKill]).subtracting([layer].compactMap(\.self)))
            #expect(groups.failed == Set([layer].compactMap(\.self)))
        }
    }

    /// Where swap is on and not counted, a limit on memory only moves the bomb. Nothing set up here could change that.
    @Test(arguments: [true, false], ["Filename\tType\n/dev/sdb\tpartition\n", "Filename\tType\n", nil])
    func aMemoryLimitIsOneOnSwapToo(isUnified: Bool, swaps: String?) throws {
        let file = isUnified ? "memory.swap.max" : "memory.memsw.limit_in_bytes"
        try withHost(isUnified: isUnified, missing: file, swaps: swaps ?? "") { host, directory, list in
            if swaps == nil { unlink(list) }  // nobody knows
            let groups = CgroupSet(host, name: "name", limits: SandboxProfile.code.limits, swapList: list)
            let isFree = swaps?.contains("sdb") == false
            #expect(groups.layers.contains(.memoryLimit) == isFree)
            #expect(groups.failed == [])
            if !isFree { #expect(groups.obstacles[.memoryLimit]?.contains("swap") == true) }
        }
    }

    @Test(arguments: [true, false]) func aLimitOnSwapThatIsRefusedIsNoMemoryLimit(isUnified: Bool) throws {
        let file = isUnified ? "memory.swap.max" : "memory.memsw.limit_in_bytes"
        try withHost(isUnified: isUnified, missing: file) { host, directory, list in
            let path = "\(directory)/\(isUnified ? "" : "memory/")name/\(file)"
            mkdir(path, 0o700)  // there, and not to be written, whoever tries
            let groups = CgroupSet(host, name: "name", limits: SandboxProfile.code.limits, swapList: list)
            #expect(!groups.layers.contains(.memoryLimit) && groups.failed == [.memoryLimit])
        }
    }

    @Test func aHierarchyThatTakesNoGroupFails() throws {
        try withHost(isUnified: false) { host, directory, list in
            try FileManager.default.removeItem(atPath: directory + "/pids")
            let groups = CgroupSet(host, name: "name", limits: SandboxProfile.code.limits, swapList: list)
            #expect(groups.failed == [.processLimit])
            #expect(groups.obstacles[.processLimit]?.contains("cannot make") == true)
        }
    }

    /// It would run outside, with limits that hold for an empty group.
    @Test(arguments: [true, false]) func aGroupThatCannotBeOpenedIsNotDoneWithout(isUnified: Bool) throws {
        try withHost(isUnified: isUnified) { host, directory, list in
            let groups = CgroupSet(host, name: "name", limits: SandboxProfile.code.limits, swapList: list)
            #expect(try groups.openLegacy().count == (isUnified ? 0 : 3))
            #expect(try (groups.openUnified() != nil) == isUnified)
            try FileManager.default.removeItem(atPath: isUnified ? directory + "/name" : directory + "/cpu/name")
            let error = #expect(throws: CodeForgeError.self) {
                _ = try groups.openUnified()
                _ = try groups.openLegacy()
            }
            #expect(error?.code == .unavailable && error?.message.contains("control group") == true)
            #expect(throws: CodeForgeError.self) { try groups.openProcessLists() }
        }
    }

    /// A real start, into a directory that is no group.
    @Test func nothingStartsOutsideItsGroup() async throws {
        try await withFixture(require: []) { fixture in
            var configuration = fixture.launcher.configuration
            configuration.cgroupParent = fixture.directory
            let launcher = SandboxLauncher(configuration)
            let error = await #expect(throws: CodeForgeError.self) {
                _ = try await launcher.launch(fixture.request(["/bin/true"]))
            }
            #expect(error?.message.contains("sandbox step") == true, "\(String(describing: error))")
        }
    }

    /// `sandbox.allow_missing` is about hosts, not about failures.
    @Test func anExcusedLayerIsStillRequiredWhereTheHostHasIt() throws {
        try withHost(isUnified: false, missing: "memory.limit_in_bytes") { host, _, list in
            func check(_ host: CgroupHost, allowing: Set<SandboxLayer>) -> CodeForgeError? {
                let groups = CgroupSet(host, name: "name", limits: SandboxProfile.code.limits, swapList: list)
                var profile = SandboxProfile.code
                profile.required = [.memoryLimit]
                let configuration = SandboxLauncher.Configuration(shim: "", allowMissing: allowing)
                do throws(CodeForgeError) {
                    let missing = HostLayers.missing(groups, isRoot: true, landlockABI: 7)
                    let required = SandboxPreparation.required(groups, configuration, profile, isRoot: true)
                    try SandboxPreparation.check(missing, required, groups, configuration, profile)
                    return nil
                } catch { return error }
            }
            let failed = try #require(check(host, allowing: [.memoryLimit]))
            #expect(failed.message.contains("memory.limit_in_bytes") && !failed.message.contains("allow_missing"))
            var poor = host
            poor.legacy["memory"] = nil
            poor.offered.remove("memory")
            #expect(check(poor, allowing: [.memoryLimit]) == nil)
            #expect(check(poor, allowing: [])?.message.contains("sandbox.allow_missing") == true)
        }
    }
}
