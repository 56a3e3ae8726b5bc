import Domain
import Glibc
import Sandboxing

/// Which limit a command's failure is down to, as far as that shows from outside.
extension SandboxRunner.Result {
    /// The limit that made it fail; `nil` when none did.
    ///
    /// Memory, single files and file systems that are full are the kernel's word. That a process could not be made or a
    /// file not be opened is told to the program alone; there its own last words have to do.
    var limit: (limit: SandboxLimit, message: String)? {
        guard exit.status != .exited(code: 0) else { return nil }
        let limits = profile.limits
        if exit.oomKilled {
            return (.memory, "memory limit of \(limits.memoryBytes) bytes exceeded (sandbox.memory_bytes)")
        }
        if exit.processLimitHit, says(["fork", "Resource temporarily unavailable", "start new thread", "pthread"]) {
            return (.processes, "process limit of \(limits.processes) reached (sandbox.pids)")
        }
        // A shell ends with 128 and the signal that ended its last command.
        if [.signalled(SIGXFSZ), .exited(code: 128 + SIGXFSZ)].contains(exit.status) || says(["File too large"]) {
            return (.fileSize, "file size limit of \(limits.fileSizeBytes) bytes reached (sandbox.file_bytes)")
        }
        if let full = exit.full.min(by: { $0.limit.rawValue < $1.limit.rawValue }) {
            return (full.limit, limits.message(full))
        }
        if says(["Too many open files"]) {
            return (.openFiles, "limit of \(limits.openFiles) open files reached (sandbox.open_files)")
        }
        return nil
    }

    /// What was hit on the way and may have to do with the failure; `nil` when nothing was.
    var remark: String? {
        guard exit.processLimitHit, exit.status != .exited(code: 0), limit == nil else { return nil }
        return
            "the process limit of \(profile.limits.processes) (sandbox.pids) was reached on the way, which may be why"
    }

    /// Whether the end of its standard error has one of these.
    private func says(_ words: [String]) -> Bool {
        let end = String(decoding: standardError.suffix(4096), as: UTF8.self)
        return words.contains { end.contains($0) }
    }
}

extension SandboxProfile.Limits {
    /// - Returns: Place and setting of a file system in memory, and its size.
    func place(_ limit: SandboxLimit) -> (path: String, setting: String, bytes: Int64) {
        switch limit {
        case .tmp: ("/tmp", "sandbox.tmp_bytes", temporaryBytes)
        case .shm: ("/dev/shm", "sandbox.shm_bytes", sharedMemoryBytes)
        case .home: ("/home/agent", "sandbox.home_bytes", homeBytes)
        default: ("the root file system", "sandbox.overlay_bytes", overlayBytes)
        }
    }

    func message(_ full: FullFileSystem) -> String {
        let (path, setting, bytes) = place(full.limit)
        return full.isOutOfFiles
            ? "limit of \(temporaryInodes) files in \(path) reached (sandbox.tmpfs_inodes)"
            : "limit of \(bytes) bytes in \(path) reached (\(setting))"
    }
}
