import Domain

/// The calls of each group.
///
/// Basis: an strace union over git, compilers, interpreters, package managers and the agents, and the neighbours of
/// each call found there. What is in no group and not in `RefusedCalls` is answered with `ENOSYS`, so that programs
/// fall back as they would on an older kernel.
extension SyscallGroup {
    /// The calls, by the kernel's names; those an architecture lacks are skipped.
    var calls: [String] {
        switch self {
        case .files: Self.fileCalls
        case .io: Self.ioCalls
        case .memory: Self.memoryCalls
        case .process: Self.processCalls
        case .time: Self.timeCalls
        case .sockets: Self.socketCalls
        case .ipc: Self.ipcCalls
        case .misc: ["getrandom", "uname", "sysinfo", "getcpu", "umask"]
        case .confine: ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "seccomp"]
        }
    }

    private static let fileCalls = words(
        """
        open openat openat2 creat stat fstat lstat newfstatat statx access faccessat faccessat2 getdents getdents64
        rename renameat renameat2 link linkat symlink symlinkat readlink readlinkat unlink unlinkat mkdir mkdirat rmdir
        mknod mknodat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat chdir fchdir getcwd truncate
        ftruncate fallocate copy_file_range statfs fstatfs utime utimes utimensat futimesat setxattr lsetxattr fsetxattr
        getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr inotify_init
        inotify_init1 inotify_add_watch inotify_rm_watch flock fsync fdatasync sync syncfs sync_file_range fadvise64
        readahead
        """
    )
    private static let ioCalls = words(
        """
        read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 lseek dup dup2 dup3 pipe pipe2 sendfile
        splice tee poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
        eventfd eventfd2 timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4 fcntl ioctl close close_range
        """
    )
    private static let memoryCalls = words(
        """
        mmap mprotect munmap mremap brk madvise mlock mlock2 munlock mlockall munlockall msync mincore membarrier
        memfd_create pkey_alloc pkey_free pkey_mprotect get_mempolicy set_mempolicy
        """
    )
    private static let processCalls = words(
        """
        clone fork vfork execve execveat exit exit_group wait4 waitid kill tkill tgkill rt_sigaction rt_sigprocmask
        rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_tgsigqueueinfo rt_sigsuspend sigaltstack pause
        pidfd_open pidfd_send_signal getpid getppid gettid getuid geteuid getgid getegid getresuid getresgid getgroups
        setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups getpgid setpgid getpgrp getsid
        setsid prctl arch_prctl prlimit64 getrlimit setrlimit getrusage times capget capset personality getpriority
        setpriority ioprio_get ioprio_set sched_yield sched_getaffinity sched_setaffinity sched_getparam
        sched_getscheduler sched_getattr sched_get_priority_max sched_get_priority_min sched_rr_get_interval
        set_tid_address set_robust_list get_robust_list rseq futex futex_waitv restart_syscall
        """
    )
    private static let timeCalls = words(
        """
        clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time alarm getitimer setitimer timer_create
        timer_settime timer_gettime timer_getoverrun timer_delete
        """
    )
    private static let socketCalls = words(
        """
        socket socketpair bind listen accept accept4 connect getsockname getpeername getsockopt setsockopt shutdown
        sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg
        """
    )
    private static let ipcCalls = words(
        """
        shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl mq_open mq_unlink
        mq_timedsend mq_timedreceive mq_notify mq_getsetattr
        """
    )

    static func words(_ text: String) -> [String] { text.split(whereSeparator: \.isWhitespace).map(String.init) }
}
