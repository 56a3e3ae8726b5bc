import Domain
import Glibc

/// Calls no ordinary tool makes, refused in every profile and reported.
enum RefusedCalls {
    /// Reported, and answered with `EPERM`.
    static let reported = SyscallGroup.words(
        """
        mount umount2 pivot_root chroot unshare setns open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr
        ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp bpf perf_event_open userfaultfd keyctl add_key
        request_key open_by_handle_at kexec_load kexec_file_load init_module finit_module delete_module create_module
        reboot swapon swapoff acct quotactl quotactl_fd settimeofday clock_settime clock_adjtime adjtimex iopl ioperm
        fanotify_init sethostname setdomainname syslog vhangup
        """
    )

    /// Reported, and answered with `ENOSYS`: programs that know how fall back to something else.
    static let reportedMissing = SyscallGroup.words("io_uring_setup io_uring_enter io_uring_register modify_ldt")

    /// Harmless and frequent: `EPERM` without a report.
    static let silent = SyscallGroup.words("sched_setscheduler sched_setparam sched_setattr")

    /// What those numbers return that do not get `EPERM`.
    static let errnos: [Int32: Int32] = {
        var errnos: [Int32: Int32] = [:]
        for name in reportedMissing + ["socket", "socketpair"] {
            if let number = SyscallFilter.number(name) { errnos[Int32(bitPattern: number)] = errno(of: name) }
        }
        return errnos
    }()

    /// What a reported call returns.
    static func errno(of name: String) -> Int32 {
        switch name {
        case "socket", "socketpair": EAFNOSUPPORT
        case let name where reportedMissing.contains(name): ENOSYS
        default: EPERM
        }
    }
}
