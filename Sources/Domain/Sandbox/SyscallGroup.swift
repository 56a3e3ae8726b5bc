/// A named set of system calls a profile can allow; `Sandboxing` knows the calls.
public enum SyscallGroup: String, Codable, Sendable, CaseIterable {
    case files, io, memory, process, time, sockets, ipc, misc
    /// Landlock and seccomp, so that tools can confine themselves further.
    case confine

    /// What compilers, git, node and the agents need.
    public static let everyday = Set(SyscallGroup.allCases)
}
