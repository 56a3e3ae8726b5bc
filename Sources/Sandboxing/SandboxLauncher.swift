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
        /// Layers of the profile a sandbox may run without where this host does not have them; of no effect beside `require`.
        package var allowMissing: Set<SandboxLayer>
        /// For a look at the host: leaves an ordinary user's processes in their control group, without which there is no limit,
        /// and starts all the same.
        package var isTrial = false
        /// Directory below which the cgroup v2 group `codeforge` is made; `nil`: found from `/proc/self/cgroup`.
        package var cgroupParent: String?
        /// Walls left out on purpose, reported as missing and so refused by a profile that requires them; `.landlock`
        /// and `.seccomp` only. For tests that show what a wall stops; no setting leads here.
        package var leaveOut: Set<SandboxLayer> = []
        /// Options of the shim left out, by name, for tests of the same kind. Internal: only this module's own tests can
        /// name it.
        var omitted: Set<String> = []
        /// The version of Landlock that is used; less than the kernel's in tests only, for the same reason.
        var landlockABI = LandlockRules.abi

        /// - Parameter allowMissing: `nil`: as `sandbox.allow_missing` is when it is not set.
        package init(
            shim: String,
            stateDirectory: String? = nil,
            require: Set<SandboxLayer>? = nil,
            allowMissing: Set<SandboxLayer>? = nil,
            cgroupParent: String? = nil
        ) {
            self.shim = shim
            self.stateDirectory = stateDirectory ?? "/run/codeforge"
            self.require = require
            self.allowMissing = allowMissing ?? (geteuid() == 0 ? [] : SandboxLayer.delegated)
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

    /// Removes what killed supervisors left behind: control groups, and sandboxes that could not notice because they
    /// were paused. For start-up and a reconciler; safe beside running sandboxes.
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
        let host = CgroupHost.prepare(parent: configuration.cgroupParent)
        // A name begins with the uid range slot, whose locks tell whether it is alive, or with the process id of a supervisor that holds
        // a lock of its own.
        for name in CgroupSet.names(host) {
            guard let number = UInt32(name.dropFirst().prefix { $0.isNumber }) else { continue }
            let groups = CgroupSet(host, leftover: name)
            if name.hasPrefix("s") {
                guard let owner = UIDRange.claim(number, in: configuration.stateDirectory) else { continue }
                // Still leased: by a pid 1 that did not see its supervisor die.
                let isEmpty = UIDRange.isFree(number, in: configuration.stateDirectory)
                if !isEmpty { groups.killEverything() }
                groups.remove(patience: isEmpty ? 0 : 200)
                owner.close()
            } else if kill(pid_t(number), 0) != 0, errno == ESRCH, let lock = groups.hold() {
                // What is left was paused and could not see its supervisor die.
                let isEmpty = groups.processIDs()?.isEmpty ?? true
                if !isEmpty { groups.killEverything() }
                groups.remove(patience: isEmpty ? 0 : 200)
                lock.close()
            }
        }
    }
}
