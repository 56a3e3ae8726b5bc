package import Domain
import Glibc

/// Starts sandboxes: prepares leases, control groups and descriptors, then spawns the shim.
package struct SandboxLauncher: Sendable {
    package struct Configuration: Sendable {
        /// The `codeforge-sandbox` executable.
        package var shim: String
        /// Machine-wide state (uid range leases): every supervisor on this host must name the same directory.
        package var stateDirectory: String
        /// Layers that may not be missing; `nil`: what the profile requires.
        package var require: Set<SandboxLayer>?
        /// Directory below which the cgroup v2 group `codeforge` is made; `nil`: found from `/proc/self/cgroup`.
        package var cgroupParent: String?

        package init(
            shim: String,
            stateDirectory: String? = nil,
            require: Set<SandboxLayer>? = nil,
            cgroupParent: String? = nil
        ) {
            self.shim = shim
            self.stateDirectory = stateDirectory ?? "/run/codeforge"
            self.require = require
            self.cgroupParent = cgroupParent
        }
    }

    package let configuration: Configuration

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// Starts `request` and returns once its command was executed.
    ///
    /// - Throws: `.invalidArgument` for a request that can never work; `.unavailable` when a required layer is
    ///   missing or a step failed: the message names step, errno and what to do. Nothing of it is left running.
    package func launch(_ request: SandboxRequest) async throws(CodeForgeError) -> RunningSandbox {
        try await SandboxSession.start(request, configuration)
    }

    /// Removes the control groups that killed supervisors left behind. Their sandboxes died with them; this is for
    /// start-up and a reconciler, and safe beside running sandboxes.
    package func sweep() async {
        await withCheckedContinuation { continuation in
            let started = OwnThread.run {
                removeLeftovers()
                continuation.resume()
            }
            if started != nil { continuation.resume() }
        }
    }

    private func removeLeftovers() {
        CgroupSet.sweep(CgroupHost.prepare(parent: configuration.cgroupParent)) { name in
            guard let number = UInt32(name.dropFirst().prefix { $0.isNumber }) else { return false }
            // A name begins with the uid range slot, whose lease tells whether it is alive, or with a process id.
            if name.hasPrefix("s") { return UIDRange.lease(slot: number, in: configuration.stateDirectory) != nil }
            return kill(pid_t(number), 0) != 0 && errno == ESRCH
        }
    }
}
