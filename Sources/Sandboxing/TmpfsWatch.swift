import CLinux
import Domain
import Glibc
import HostProcess

/// Looks whether a sandbox's file systems in memory are full. The kernel says so to the writer alone, by `ENOSPC`.
///
/// They are reached through `/proc/PID/root`, which takes CAP_SYS_PTRACE over the sandbox's pid 1: an ordinary user sees
/// nothing. The descriptors keep the file systems until `close()`, beyond the death of everything inside, so that the last
/// look shows how they were left. Who fills one and makes room again between two looks is not seen.
struct TmpfsWatch {
    /// Time between two looks: a few system calls.
    static let milliseconds: Int32 = 1000

    private static let places: [(path: String, limit: SandboxLimit)] = [
        ("", .overlay), ("tmp", .tmp), ("dev/shm", .shm), ("home/agent", .home),
    ]
    private var open: [(descriptor: HostDescriptor, limit: SandboxLimit)] = []
    private(set) var full: Set<FullFileSystem> = []

    /// - Parameters:
    ///   - pid: Host id of pid 1, whose root is the sandbox's.
    ///   - hasOwnHome: Whether its home is in memory; one that is kept lies on the task's disk.
    init(pid: pid_t, hasOwnHome: Bool) {
        for (path, limit) in TmpfsWatch.places where limit != .home || hasOwnHome {
            // Mount points can be neither moved nor replaced, and directories above them belong to root. Were one a link
            // all the same, it would lead to two numbers about another file system.
            let flags = clinux_O_PATH | O_DIRECTORY | O_CLOEXEC | (path.isEmpty ? 0 : O_NOFOLLOW)
            let descriptor = HostDescriptor(Glibc.open("/proc/\(pid)/root/\(path)", flags))
            if descriptor.raw >= 0 { open.append((descriptor, limit)) }
        }
    }

    var isEmpty: Bool { open.isEmpty }

    mutating func look() {
        for (descriptor, limit) in open {
            var status = statvfs()
            guard fstatvfs(descriptor.raw, &status) == 0 else { continue }
            if status.f_bavail == 0 { full.insert(FullFileSystem(limit, isOutOfFiles: false)) }
            if status.f_files > 0, status.f_ffree == 0 { full.insert(FullFileSystem(limit, isOutOfFiles: true)) }
        }
    }

    mutating func close() {
        for (descriptor, _) in open { descriptor.close() }
        open = []
    }
}
