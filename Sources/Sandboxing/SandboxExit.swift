package import Domain

/// How a sandbox ended. Everything in it is dead, and its control groups are removed, when this is given out.
package struct SandboxExit: Sendable, Equatable {
    package enum Status: Sendable, Equatable {
        /// The payload returned this code, 0…255.
        case exited(code: Int32)
        /// The payload died of this signal.
        case signalled(Int32)
        /// The whole sandbox was killed (`kill()`, out of memory, or from outside) before the payload ended.
        case killed
    }

    package var status: Status
    /// The memory limit killed something inside.
    package var oomKilled: Bool
    /// The process limit refused a fork.
    package var processLimitHit: Bool
    /// Highest use of the control group; `nil` without one.
    package var memoryPeakBytes: Int64?
    /// User and system time of everything inside.
    package var cpuSeconds: Double
    /// How long it was held back by its processor limit, summed over processors; `nil` where the host does not count.
    package var throttledSeconds: Double?
    /// File systems of its own that were full, if only for a while; see `TmpfsWatch` for what can be seen.
    package var full: Set<FullFileSystem> = []
    /// Refused calls by name, the unreported ones included.
    package var refusedSyscalls: [String: Int]

    package init(
        status: Status,
        oomKilled: Bool = false,
        processLimitHit: Bool = false,
        memoryPeakBytes: Int64? = nil,
        cpuSeconds: Double = 0,
        refusedSyscalls: [String: Int] = [:]
    ) {
        self.status = status
        self.oomKilled = oomKilled
        self.processLimitHit = processLimitHit
        self.memoryPeakBytes = memoryPeakBytes
        self.cpuSeconds = cpuSeconds
        self.refusedSyscalls = refusedSyscalls
    }

    /// What a shell would call it: the code, 128 + signal, or 137 when killed.
    package var shellCode: Int32 {
        switch status {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal
        case .killed: 137
        }
    }
}

/// A file system in memory that had no room left.
package struct FullFileSystem: Sendable, Hashable {
    /// Its limit: `.overlay`, `.tmp`, `.shm` or `.home`.
    package var limit: SandboxLimit
    /// Whether files ran out, not bytes.
    package var isOutOfFiles: Bool

    package init(_ limit: SandboxLimit, isOutOfFiles: Bool) {
        self.limit = limit
        self.isOutOfFiles = isOutOfFiles
    }
}

/// A system call that was tried inside and refused.
package struct RefusedSyscall: Sendable, Equatable {
    /// The kernel's name for it, or `syscall_NUMBER`.
    package var name: String
    /// Host process id of the caller at that time.
    package var pid: Int32
    /// What the caller got.
    package var errno: Int32
    /// Raw register arguments; pointers are meaningless outside.
    package var arguments: [UInt64]
    /// The caller's command line, words parted by spaces: at most 256 bytes, without control characters. It is what
    /// the caller says of itself, not evidence; empty when the caller was gone before it could be read.
    package var command: String

    package init(name: String, pid: Int32, errno: Int32, arguments: [UInt64], command: String = "") {
        self.name = name
        self.pid = pid
        self.errno = errno
        self.arguments = arguments
        self.command = command
    }
}
