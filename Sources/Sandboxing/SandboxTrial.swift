package import Domain
import Glibc
import HostProcess

/// Whether a sandbox comes up on this host, seen by starting one: what each kernel feature says of itself is not enough.
package enum SandboxTrial {
    /// Runs `/bin/true` in a sandbox of `profile`, with a workspace and a gateway as tasks have them.
    ///
    /// An ordinary user's processes stay in the control group they are in.
    ///
    /// - Parameters:
    ///   - configuration: As tasks have it.
    ///   - directory: Where workspaces are, or will be; the nearest directory above that exists holds one of ours for a
    ///     moment, so that its file system is what is tried.
    /// - Returns: `nil` when it ran and ended well; else what failed, and what to do where that is known.
    package static func problem(
        _ profile: SandboxProfile, image: String, directory: String, _ configuration: SandboxLauncher.Configuration
    ) async -> String? {
        var configuration = configuration
        configuration.isTrial = true
        var profile = profile
        profile.required.remove(.diskLimit)  // a volume takes seconds to make; `DiskVolume.obstacle` looks for that
        do throws(CodeForgeError) {
            let workspace = try place(directory)
            defer { rmdir(workspace) }
            try WorkspaceOwner.current.own(workspace)
            let request = SandboxRequest(
                id: "trial-\(getpid())", profile: profile, image: image, workspace: workspace, arguments: ["/bin/true"],
                environment: ["PATH": "/usr/bin:/bin"], workingDirectory: "/workspace",
                gatewayPort: SandboxRequest.defaultGatewayPort)
            let exit = try await SandboxLauncher(configuration).launch(request).wait()
            return exit.status == .exited(code: 0) ? nil : "/bin/true ended with \(exit.status)"
        } catch {
            return error.message
        }
    }

    /// A new directory on the file system of `directory`.
    private static func place(_ directory: String) throws(CodeForgeError) -> String {
        var base = directory
        while access(base, F_OK) != 0, let slash = base.lastIndex(of: "/"), slash != base.startIndex {
            base = String(base[..<slash])
        }
        if access(base, W_OK) != 0 { base = "/tmp" }  // somebody who only looks
        var template = Array("\(base)/.trial-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw CodeForgeError(.unavailable, "cannot make a directory in \(base): \(describe(errno))")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
