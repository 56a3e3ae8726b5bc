import Domain
import Foundation
import Testing

@testable import Sandboxing

/// Not a test: writes what the launcher would send for `/bin/true` under the `code` profile, for
/// `bench/sandbox-launch`.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["CODEFORGE_RECORD_LAUNCH"] != nil,
        "only run by bench/sandbox-launch"
    )
)
struct LaunchRecording {
    @Test func record() throws {
        let environment = ProcessInfo.processInfo.environment
        let directory = try #require(environment["CODEFORGE_RECORD_LAUNCH"])
        let request = SandboxRequest(
            id: "bench",
            profile: .code,
            image: directory + "/image",
            workspace: directory + "/workspace",
            arguments: ["/bin/true"],
            environment: ["PATH": "/bin"],
            workingDirectory: "/workspace",
            gatewayPort: 9
        )
        let identity: LaunchOptions.Identity =
            SandboxFixture.isRoot ? .range(first: UIDRange.area + 3999 * UIDRange.size) : .caller
        let groups = CgroupSet(
            CgroupHost.prepare(parent: nil), name: "recording-\(getpid())", limits: request.profile.limits)
        defer { groups.remove() }
        let lines = Self.lines(groups)
        try lines.joined().write(toFile: directory + "/groups", atomically: false, encoding: .utf8)
        let legacyFirst = groups.unified == nil ? 9 : 10
        let options = LaunchOptions(
            request,
            identity: identity,
            descriptors: .init(
                count: 9 + lines.count, filter: 8, unifiedGroup: groups.unified == nil ? nil : 9,
                legacyGroups: groups.legacy.keys.sorted().indices.map { legacyFirst + $0 }),
            notify: true,
            landlock: LandlockRules(request, abi: LandlockRules.abi),
            limitsProcesses: HostLayers.limitsProcessesPerUser(groups)
        )
        try Data(options.bytes).write(to: URL(fileURLWithPath: directory + "/options"))
        try Data(FilterCache.bytes(SandboxProfile.code.syscalls)).write(to: URL(fileURLWithPath: directory + "/filter"))
        let owner = WorkspaceOwner.current
        try owner.makeDirectory(directory + "/workspace")
    }

    /// A line for each control group, v2 first: kind, directory it is made in, and each limit as it was set.
    private static func lines(_ groups: CgroupSet) -> [String] {
        func line(_ kind: String, _ group: String, _ files: [String]) -> String {
            let parent = URL(fileURLWithPath: group).deletingLastPathComponent().path
            let values = files.compactMap { file in
                CgroupFile.read("\(group)/\(file)").map { "\t\(file)=\($0.trimmingCharacters(in: .newlines))" }
            }
            return "\(kind)\t\(parent)\(values.joined())\n"
        }
        let unified = groups.unified.map {
            line("v2", $0, ["memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max", "cpu.weight"])
        }
        let files = [
            "memory": ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"], "pids": ["pids.max"],
            "cpu": ["cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.shares"],
        ]
        return [unified].compactMap(\.self)
            + groups.legacy.sorted { $0.key < $1.key }.map { line("v1", $0.value, files[$0.key] ?? []) }
    }
}
