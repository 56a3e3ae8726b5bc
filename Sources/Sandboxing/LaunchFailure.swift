import Domain
import Glibc

/// Words for a failed start: the step, the kernel's answer, and what to do.
enum LaunchFailure {
    static func error(step: String, errno code: Int32, detail: String) -> CodeForgeError {
        var message = "sandbox step \(step) failed"
        if !detail.isEmpty { message += ": \(detail)" }
        message += ": \(describe(code)) (errno \(code))"
        if let advice = advice(step, code) { message += "; \(advice)" }
        return CodeForgeError(step == "exec" && code == ENOENT ? .notFound : .unavailable, message)
    }

    private static func advice(_ step: String, _ code: Int32) -> String? {
        switch (step, code) {
        case ("namespaces", EPERM), ("namespaces", EACCES), ("own-id-map", _):
            "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, "
                + "kernel.apparmor_restrict_unprivileged_userns=0, and no seccomp profile that refuses clone3"
        case ("namespaces", ENOSPC), ("namespaces", EUSERS): "raise sysctl user.max_user_namespaces"
        case ("id-maps", _): "run with CAP_SETUID and CAP_SETGID in the initial user namespace, or as an ordinary user"
        case ("host-trees", EINVAL), ("image", EINVAL):
            "its file system refuses id-mapped mounts: put it on ext4, xfs, btrfs or tmpfs (Linux 6.3)"
        case ("host-trees", ENOENT), ("trees", ENOENT), ("image", ENOENT): "the directory is gone or was never made"
        case ("host-trees", ELOOP), ("trees", ELOOP), ("host-trees", ESTALE):
            "a link is on the way, or the directory was exchanged meanwhile"
        case ("proc", EPERM): "the host's own /proc is partly covered (a container): run it with an unmasked /proc"
        case ("seccomp", EBUSY): "another seccomp listener watches this process: run outside that container"
        case ("exec", ENOENT): "the image has no such command, or not its interpreter"
        default: nil
        }
    }
}
