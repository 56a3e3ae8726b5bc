extension SandboxLayer {
    /// What of the kernel stands behind it, as an operator finds it in manuals.
    public var feature: String {
        switch self {
        case .userNamespace: "user namespaces (CLONE_NEWUSER)"
        case .uidRange: "id maps of user namespaces (/proc/PID/uid_map)"
        case .pidNamespace: "pid namespaces (CLONE_NEWPID)"
        case .mountNamespace: "mount namespaces (CLONE_NEWNS, pivot_root)"
        case .networkNamespace: "network namespaces (CLONE_NEWNET)"
        case .ipcNamespace: "IPC namespaces (CLONE_NEWIPC)"
        case .utsNamespace: "UTS namespaces (CLONE_NEWUTS)"
        case .cgroupNamespace: "cgroup namespaces (CLONE_NEWCGROUP)"
        case .overlay: "overlayfs in a user namespace"
        case .idMappedMounts: "id-mapped mounts (mount_setattr)"
        case .seccomp: "seccomp filters (SECCOMP_MODE_FILTER)"
        case .seccompNotify: "seccomp user notification"
        case .landlock: "Landlock, from ABI 1 on"
        case .landlockTruncate: "Landlock, from ABI 3 on"
        case .landlockPorts: "Landlock, from ABI 4 on"
        case .landlockDevices: "Landlock, from ABI 5 on"
        case .landlockScope: "Landlock, from ABI 6 on"
        case .memoryLimit: "cgroup controller memory"
        case .processLimit: "cgroup controller pids, or RLIMIT_NPROC counted in each user namespace"
        case .cpuLimit: "cgroup controller cpu"
        case .cgroupKill: "cgroup.kill and cgroup.freeze of cgroup v2"
        case .diskLimit: "ext4 on loop devices"
        }
    }
}
