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
        let options = LaunchOptions(
            request,
            identity: identity,
            descriptors: .init(count: 9, filter: 8, unifiedGroup: nil, legacyGroups: []),
            notify: true,
            landlock: LandlockRules(request, abi: LandlockRules.abi)
        )
        try Data(options.bytes).write(to: URL(fileURLWithPath: directory + "/options"))
        try Data(FilterCache.bytes(SandboxProfile.code.syscalls)).write(to: URL(fileURLWithPath: directory + "/filter"))
        let owner = WorkspaceOwner.current
        try owner.makeDirectory(directory + "/workspace")
    }
}
