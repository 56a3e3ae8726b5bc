import CLinux
package import Domain
import Glibc
import HostProcess
package import Sandboxing
import Synchronization
import Workspaces

/// The files of a task: brought to where its job expects them, kept within their limits, and let go at the end.
package final class TaskDisk: Sendable {
    private struct State {
        var volume: DiskVolume?
        /// What it came up against, if only for a while: who fails for want of space often removes what took it.
        var fault: DiskVolume.Fault?
        /// The last look at plain directories.
        var seen: DiskUsage?
        var watch: Task<Void, Never>?
    }

    private let spec: JobSpec
    private let namespace: MountNamespace?
    private let state = Mutex(State())

    /// How often a volume is asked whether it is full (one system call), and plain directories are measured (a walk).
    private static let volumeInterval: Duration = .milliseconds(500)
    private static let directoryInterval: Duration = .seconds(3)
    /// Longest walk. A tree that takes longer is over any limit.
    private static let walkSeconds = 60

    /// - Parameter namespace: Where volumes are mounted; `nil` without the right to.
    package init(_ spec: JobSpec, namespace: MountNamespace?) {
        self.spec = spec
        self.namespace = namespace
    }

    /// For the requests of sandboxes that get its directories.
    var limit: SandboxRequest.DiskLimit {
        if spec.paths.volume != nil { return .volume }
        return .absent(
            geteuid() == 0 ? "workspace and home are plain directories" : "not root: no file system can be mounted")
    }

    // MARK: Start

    /// Mounts the volume and begins to watch. Another task's run in the same workspace is waited for.
    func open(_ control: RunControl) async throws(JobFailure) {
        var isClone = false
        if case .clone = spec.source { isClone = true }
        if let path = spec.paths.volume {
            try await mount(path, isNew: isClone, control)
        } else if isClone {
            // Of an attempt before sandbox.disk was changed: two forms of one workspace must not be.
            unlink(spec.paths.workspace + WorkspaceForm.volumeSuffix)
        }
        let watch = Task { [self] in await spec.paths.volume == nil ? watchDirectories(control) : watchVolume() }
        state.withLock { $0.watch = watch }
    }

    private func mount(_ path: String, isNew: Bool, _ control: RunControl) async throws(JobFailure) {
        guard let namespace else {
            throw JobFailure(
                .sandbox,
                "sandbox failed: sandbox layer disk-limit is missing: "
                    + (DiskVolume.obstacle() ?? "no mount namespace of its own")
                    + "; run as root with CAP_SYS_ADMIN, or set sandbox.disk to directory")
        }
        let limits = spec.profile.limits
        let size = isNew ? DiskVolume.Size(bytes: limits.diskBytes, mostInodes: limits.diskInodes) : nil
        let directory = spec.paths.mount
        do throws(CodeForgeError) {
            try HostTree.make(directory)
            try HostTree.make(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
            while control.reason == nil {
                let volume = try await withoutBlocking { () throws(CodeForgeError) in
                    try DiskVolume.mount(path, fresh: size, at: directory, in: namespace)
                }
                if let volume { return state.withLock { $0.volume = volume } }
                // Held by a run that ends by its own timeout at the latest; ours covers the wait.
                try? await Task.sleep(for: .milliseconds(10))  // only cancelled with everything else
            }
        } catch {
            if error.code == .notFound {
                throw JobFailure(.workspace, spec.workspaceGone)
            }
            let help = DiskVolume.obstacle().map { " (\($0); or set sandbox.disk to directory)" } ?? ""
            throw JobFailure(.sandbox, "sandbox failed: disk volume: \(error.message)\(help)")
        }
        throw JobFailure(.cancelled, "")
    }

    // MARK: Limits

    /// What is used now, as far as is known, and the limits in force.
    package func usage() -> DiskUsage? {
        let (volume, seen) = state.withLock { ($0.volume, $0.seen) }
        return volume?.usage() ?? seen
    }

    /// What to tell of a run that failed because nothing more could be written; `nil` when that is not why.
    func failure() -> String? {
        guard let (volume, fault) = state.withLock({ state in state.volume.map { ($0, $0.fault() ?? state.fault) } })
        else { return nil }
        switch fault {
        case .noSpace: return TaskDisk.reached(bytes: volume.bytes)
        case .noInodes: return TaskDisk.reached(inodes: volume.usage()?.inodeLimit ?? 0)
        case .readOnly:
            return "disk volume became read-only: the host's disk is full or failing, see its kernel log"
        case nil: return nil
        }
    }

    private static func reached(bytes: Int64) -> String { "disk limit of \(bytes) bytes (sandbox.disk_bytes) reached" }
    private static func reached(inodes: Int64) -> String {
        "disk limit of \(inodes) files (sandbox.disk_inodes) reached"
    }

    private func watchVolume() async {
        while !Task.isCancelled {
            state.withLock { if let fault = $0.volume?.fault() { $0.fault = fault } }
            try? await Task.sleep(for: TaskDisk.volumeInterval)  // the loop's condition sees it
        }
    }

    /// The degraded mode: a run may go beyond its limits between two looks, but not stay there.
    private func watchDirectories(_ control: RunControl) async {
        let limits = spec.profile.limits
        let paths = Array(Set([spec.paths.workspace, spec.paths.gitDirectory, spec.paths.home]))
        while !Task.isCancelled {
            try? await Task.sleep(for: TaskDisk.directoryInterval)  // likewise
            let start = ContinuousClock.now
            let measured: (bytes: Int64, inodes: Int64)
            do throws(CodeForgeError) {
                measured = try await DirectoryUsage.measure(paths, within: TaskDisk.walkSeconds)
            } catch {
                // What is not known to be within its limits must not go on.
                if !Task.isCancelled {
                    control.stop(.limit(.disk, "disk use could not be measured: \(error.message)"))
                }
                return
            }
            guard !Task.isCancelled else { return }
            let usage = DiskUsage(
                bytes: measured.bytes, byteLimit: limits.diskBytes, inodes: measured.inodes,
                inodeLimit: limits.diskInodes)
            state.withLock { $0.seen = usage }
            if usage.bytes > usage.byteLimit { control.stop(.limit(.disk, TaskDisk.reached(bytes: usage.byteLimit))) }
            if usage.inodes > usage.inodeLimit {
                control.stop(.limit(.disk, TaskDisk.reached(inodes: usage.inodeLimit)))
            }
            // Large trees are looked at less often: a tenth of the time at most.
            try? await Task.sleep(for: (ContinuousClock.now - start) * 9)
        }
    }

    // MARK: End

    /// Ends the watch, and gives the host back what was deleted. Unmounting is the kernel's, after this process: nobody
    /// waits for that, and the volume's lock keeps the next run off it until it is done.
    package func close() async {
        let (watch, volume) = state.withLock { ($0.watch, $0.volume) }
        watch?.cancel()
        if let volume { await withoutBlocking { volume.trim() } }
    }
}
