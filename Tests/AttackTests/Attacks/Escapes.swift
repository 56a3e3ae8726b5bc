extension Attack {
    /// Mounts, namespaces, and what their root could do.
    static let namespaceEscapes: [Attack] = [
        escape(
            "mount-tmpfs", "mounts a tmpfs, as root of a user namespace where it gets one", [.seccomp, .capabilities],
            "mount(2)", "mount", "become_root(NEWNS); sys_('mount', 'none', '/tmp', 'tmpfs', 0, 0)"),
        escape(
            "bind-over-program-files", "binds its own directory over the image's programs", [.seccomp, .capabilities],
            "mount(2) MS_BIND", "mount", "become_root(NEWNS); sys_('mount', '/tmp', '/usr', 0, 0x1000, 0)"),
        escape(
            "new-mount-api", "makes a file system by the descriptor-based calls", [.seccomp, .capabilities],
            "fsopen(2); CVE-2022-0185", "fsopen", "become_root(NEWNS); sys_('fsopen', 'tmpfs', 0)"),
        escape(
            "copy-mount-tree", "copies its root as a detached mount", [.seccomp, .capabilities], "open_tree(2)",
            "open_tree", "become_root(NEWNS); sys_('open_tree', -100, '/', 0x8001)"),
        escape(
            "change-mount-flags", "takes flags off a mount", [.seccomp, .capabilities], "mount_setattr(2)",
            "mount_setattr",
            """
            become_root(NEWNS)
            sys_('mount_setattr', -100, '/tmp', 0, struct.pack('QQQQ', 1, 0, 0, 0), 32)
            """),
        escape(
            "pivot-root", "changes the root of its mount namespace", [.seccomp, .capabilities], "pivot_root(2)",
            "pivot_root",
            """
            become_root(NEWNS)
            try:
                sys_('mount', 'none', '/tmp', 'tmpfs', 0, 0)
                os.mkdir('/tmp/old')
            except OSError: pass
            sys_('pivot_root', '/tmp', '/tmp/old')
            """),
        escape(
            "chroot-and-climb", "enters a directory as root and climbs out past it", [.seccomp, .capabilities],
            "chroot(2)", "chroot",
            """
            become_root()
            os.makedirs('/tmp/cage', exist_ok=True)
            sys_('chroot', '/tmp/cage')
            for _ in range(64): os.chdir('..')
            """),
        escape(
            "unmount-mask", "takes a cover off /proc", [.seccomp, .capabilities], "umount(2)", "umount2",
            "sys_('umount2', '/proc/sys', 2)",
            control: .outsideAsRoot([
                "unshare", "-m", "sh", "-c", "mount --bind /proc/sys /proc/sys; exec \"$@\"", "sh",
            ])),
        escape(
            "remount-proc-sys-writable", "makes /proc/sys writable again", [.seccomp, .capabilities],
            "mount(2) MS_REMOUNT", "mount", "sys_('mount', 'none', '/proc/sys', 0, 0x1020, 0)",
            control: .outsideAsRoot([
                "unshare", "-m", "sh", "-c", "mount --bind /proc/sys /proc/sys; exec \"$@\"", "sh",
            ])),
        escape(
            "new-user-namespace", "becomes root of a user namespace by unshare", [.seccomp],
            "user_namespaces(7); CVE-2022-0185, CVE-2023-32233", "unshare", "sys_('unshare', NEWUSER)"),
        escape(
            "new-network-namespace", "gets CAP_NET_ADMIN over a network of its own", [.seccomp, .capabilities],
            "network_namespaces(7); CVE-2024-1086", "unshare", "sys_('unshare', NEWUSER | NEWNET)"),
        escape(
            "clone-new-user-namespace", "becomes root of a user namespace by clone", [.seccomp], "clone(2)", "clone",
            """
            pid = sys_('clone', NEWUSER | 17, 0, 0, 0, 0)
            if pid == 0: os._exit(0)
            os.waitpid(pid, 0)
            """),
        Attack(
            name: "clone3-new-user-namespace", category: .escape,
            tries: "hides the flags in memory, where a filter cannot look", walls: [.seccomp],
            reference: "clone3(2); moby#42680",
            body: .probe(
                """
                arguments = ctypes.create_string_buffer(struct.pack('11Q', NEWUSER, *[0] * 3, 17, *[0] * 6))
                pid = sys_('clone3', arguments, 88)
                if pid == 0: os._exit(0)
                os.waitpid(pid, 0)
                """), refusal: ["ENOSYS"], control: .anyCall),
        escape(
            "enter-namespace", "enters a namespace by its file", [.seccomp, .capabilities], "setns(2)", "setns",
            """
            become_root(NEWNET)
            sys_('setns', os.open('/proc/self/ns/net', os.O_RDONLY), 0)
            """),
        escape(
            "set-host-name", "renames the machine", [.seccomp, .capabilities], "sethostname(2)", "sethostname",
            "become_root(NEWUTS); sys_('sethostname', 'owned', 5)"),
        escape(
            "cgroup-release-agent", "mounts a control group to have the host run its release agent",
            [.seccomp, .capabilities, .mounts], "CVE-2022-0492; cgroups(7)", "mount",
            """
            become_root(NEWNS | NEWCGROUP)
            sys_('mount', 'none', '/tmp', 'cgroup2', 0, 0)
            """),
        Attack(
            name: "sysfs-helpers", category: .escape, tries: "looks for /sys (uevent_helper, release_agent, devices)",
            walls: [.mounts], reference: "sysfs(5); CVE-2022-0492", body: .probe("os.listdir('/sys/kernel')"),
            refusal: ["ENOENT"], control: .outside([])),
        Attack(
            name: "root-is-host-root", category: .escape, tries: "finds host id 0 in its id map",
            walls: [.userNamespace, .uidRange], reference: "user_namespaces(7)",
            body: .probe(
                """
                for line in open('/proc/self/uid_map'):
                    inside, outside, count = map(int, line.split())
                    if outside == 0: return 'host 0 is mapped'
                raise Refused('host 0 is not mapped')
                """), control: .outside([])),
        Attack(
            name: "host-file-of-same-id", category: .escape,
            tries: "reads a host file whose owner has the payload's number", walls: [.uidRange],
            reference: "user_namespaces(7)",
            body: .probe(
                """
                path = '/mnt/same-id/file' if os.path.exists('/mnt/same-id') else '/tmp/attack-same-id/file'
                return open(path).read()
                """), refusal: ["EACCES"],
            control: .outsideAsRoot([
                "sh", "-c",
                "mkdir -p /tmp/attack-same-id; echo x >/tmp/attack-same-id/file; chmod 600 /tmp/attack-same-id/file; "
                    + "chown 1000 /tmp/attack-same-id/file; setpriv --reuid 1000 --clear-groups \"$@\"; "
                    + "rm -r /tmp/attack-same-id", "sh",
            ]), rootOnly: true,
            change: { $0.binds.append(SameID.bind()) }, isTask: false),
        Attack(
            name: "set-id-program", category: .escape, tries: "runs a set-id program of a bound directory",
            walls: [.noNewPrivileges, .userNamespace], reference: "execve(2); mount(2) MS_NOSUID",
            body: .probe(
                """
                path = '/mnt/set-id/id' if os.path.exists('/mnt/set-id') else '/tmp/attack-set-id/id'
                text = subprocess.run([path, '-u'], capture_output=True, text=True).stdout.strip()
                if text != '0': raise Refused('still id ' + text)
                """), refusal: ["still id 1000"],
            control: .outsideAsRoot([
                "sh", "-c",
                "mkdir -p /tmp/attack-set-id; cp /usr/bin/id /tmp/attack-set-id/id; chmod 4755 /tmp/attack-set-id/id; "
                    + "setpriv --reuid 1000 --clear-groups \"$@\"; rm -r /tmp/attack-set-id", "sh",
            ]), rootOnly: true, change: { $0.binds.append(SetID.bind()) }, isTask: false),
    ]

    /// Other processes, pid 1, descriptors and files of the kernel.
    static let processEscapes: [Attack] = [
        closedInit(
            "init-root", "walks into pid 1's root", "proc(5) /proc/PID/root", "os.listdir('/proc/%d/root/' % TARGET)"),
        closedInit(
            "init-descriptors", "lists pid 1's descriptors", "proc(5) /proc/PID/fd; CVE-2016-9962",
            "os.listdir('/proc/%d/fd' % TARGET)"),
        closedInit(
            "init-memory", "opens pid 1's memory", "proc(5) /proc/PID/mem",
            "os.open('/proc/%d/mem' % TARGET, os.O_RDWR)"),
        closedInit(
            "init-maps", "reads where pid 1's code is", "proc(5) /proc/PID/maps",
            "return open('/proc/%d/maps' % TARGET).read()"),
        closedInit(
            "init-executable", "opens the runtime's own executable through pid 1, to overwrite it", "CVE-2019-5736",
            "os.open('/proc/%d/exe' % TARGET, os.O_RDONLY)"),
        closedInit(
            "init-namespace", "opens pid 1's namespaces", "namespaces(7)",
            "os.open('/proc/%d/ns/mnt' % TARGET, os.O_RDONLY)"),
        closedInit(
            "init-working-directory", "enters pid 1's working directory", "CVE-2024-21626",
            "os.chdir('/proc/%d/cwd' % TARGET)"),
        Attack(
            name: "kill-init", category: .escape, tries: "kills pid 1", walls: [.pidNamespace, .initProcess],
            reference: "pid_namespaces(7)",
            body: .probe(
                """
                if TARGET != 1:  # outside: a child of our own stands for it
                    pid = sleeper()
                    os.kill(pid, 9)
                    return 'died of %d' % os.waitpid(pid, 0)[1]
                try: os.kill(1, signal.SIGKILL)
                except PermissionError: pass
                time.sleep(0.1)
                try: os.kill(1, 0)
                except PermissionError: pass
                raise Refused('pid 1 lives')
                """), refusal: ["pid 1 lives"], control: .outside([])),
        escape(
            "trace-sibling", "traces a process of the same id", [.seccomp], "ptrace(2)", "ptrace",
            "sys_('ptrace', 0x4206, sleeper(), 0, 0)"),
        escape(
            "read-memory-of-other", "reads another process's memory", [.seccomp], "process_vm_readv(2)",
            "process_vm_readv",
            """
            text = ctypes.create_string_buffer(b'secret' * 10)
            to = ctypes.create_string_buffer(60)
            pid = sleeper()
            a = struct.pack('QQ', ctypes.addressof(to), 60)
            b = struct.pack('QQ', ctypes.addressof(text), 60)
            sys_('process_vm_readv', pid, a, 1, b, 1, 0)
            """),
        escape(
            "write-memory-of-other", "writes another process's memory", [.seccomp], "process_vm_writev(2)",
            "process_vm_writev",
            """
            text = ctypes.create_string_buffer(b'secret' * 10)
            pid = sleeper()
            a = struct.pack('QQ', ctypes.addressof(text), 60)
            sys_('process_vm_writev', pid, a, 1, a, 1, 0)
            """),
        escape(
            "steal-descriptor", "takes a descriptor out of another process", [.seccomp], "pidfd_getfd(2)",
            "pidfd_getfd", "sys_('pidfd_getfd', sys_('pidfd_open', sleeper(), 0), 0, 0)"),
        escape(
            "compare-kernel-objects", "learns kernel addresses by comparing", [.seccomp], "kcmp(2)", "kcmp",
            "sys_('kcmp', os.getpid(), sleeper(), 1, 0, 0)"),
        Attack(
            name: "leaked-descriptor", category: .escape,
            tries: "walks out through a descriptor that the launcher forgot", walls: [.descriptors],
            reference: "CVE-2024-21626; CVE-2016-9962; bubblewrap#254",
            body: .probe(
                """
                for fd in range(3, 1024):
                    try: os.stat('etc/passwd', dir_fd=fd)
                    except (OSError, NotADirectoryError): continue
                    return 'descriptor %d' % fd
                raise Refused('stdio is all')
                """), refusal: ["stdio is all"], control: .outside(["sh", "-c", "exec 9</; exec \"$@\"", "sh"])),
        Attack(
            name: "dot-dot-past-root", category: .escape, tries: "climbs from its working directory to a host file",
            walls: [.mounts], reference: "path_resolution(7); CVE-2024-21626",
            body: .probe("return open('../' * 40 + word('FILE').lstrip('/')).read()"), refusal: ["ENOENT"],
            control: .outside([])),
        Attack(
            name: "link-to-host-file", category: .escape, tries: "follows a link of its own to a host file",
            walls: [.mounts], reference: "symlink(7)",
            body: .probe(
                """
                link = 'link-%d' % os.getpid()
                os.symlink(word('FILE'), link)
                try: return open(link).read()
                finally: os.unlink(link)
                """), refusal: ["ENOENT"], control: .outside([])),
        escape(
            "file-handle", "opens a host inode by number (Shocker)", [.seccomp, .capabilities],
            "open_by_handle_at(2); CVE-2014-3519", "open_by_handle_at",
            """
            handle = ctypes.create_string_buffer(struct.pack('Ii', 8, 1) + struct.pack('II', 2, 0) + bytes(128))
            root = os.open('/', os.O_RDONLY)
            try:
                struct.pack_into('I', handle, 0, 128)
                sys_('name_to_handle_at', root, b'etc', handle, ctypes.create_string_buffer(8), 0)
            except OSError: struct.pack_into('I', handle, 0, 8)
            sys_('open_by_handle_at', root, handle, 0)
            """, control: .outsideAsRoot([])),
        Attack(
            name: "overwrite-program", category: .escape, tries: "writes to a program of the image that others run",
            walls: [.uidRange, .mounts], reference: "CVE-2019-5736; overlayfs",
            body: .probe("os.open('/usr/bin/env', os.O_WRONLY)"), refusal: ["EACCES", "EROFS"],
            control: .outsideAsRoot([])),
        kernelFile("core-pattern", "core(5)", "/proc/sys/kernel/core_pattern"),
        kernelFile("modprobe-path", "proc_sys_kernel(5) modprobe", "/proc/sys/kernel/modprobe"),
        kernelFile("sysrq", "proc(5) sysrq-trigger", "/proc/sysrq-trigger"),
        kernelFile("drop-caches", "proc_sys_vm(5)", "/proc/sys/vm/drop_caches"),
        mask(
            "kernel-symbols", "kernel addresses", "proc(5) kallsyms",
            "return open('/proc/kallsyms').read(100) or int('x')"),
        mask(
            "kernel-configuration", "how the kernel was built", "proc(5) config.gz",
            "return open('/proc/config.gz', 'rb').read(10) or int('x')"),
        mask("interrupt-tables", "the host's interrupts", "proc(5) irq", "return os.listdir('/proc/irq')[0]"),
        mask("bus-devices", "the host's devices", "proc(5) bus", "return os.listdir('/proc/bus')[0]"),
        Attack(
            name: "host-processes", category: .escape, tries: "finds a host process by its number",
            walls: [.pidNamespace], reference: "pid_namespaces(7)",
            body: .probe("os.kill(number('HOST_PID'), 0)"), refusal: ["ESRCH"], control: .outside([])),
        Attack(
            name: "host-shared-memory", category: .escape, tries: "attaches shared memory of the host by its key",
            walls: [.ipcNamespace], reference: "ipc_namespaces(7)",
            body: .probe("sys_('shmget', number('SHM_KEY'), 0, 0)"), refusal: ["ENOENT"], control: .outside([])),
    ]

    private static func escape(
        _ name: String, _ tries: String, _ walls: [Wall], _ reference: String, _ call: String, _ probe: String,
        control: Control = .anyCall
    ) -> Attack {
        Attack(
            name: name, category: .escape, tries: tries, walls: walls, reference: reference, body: .probe(probe),
            refusal: ["EPERM"], record: .syscall(call), control: control)
    }

    /// Outside, a process of the same user stands for pid 1.
    private static func closedInit(_ name: String, _ tries: String, _ reference: String, _ probe: String) -> Attack {
        Attack(
            name: name, category: .escape, tries: tries, walls: [.initProcess], reference: reference,
            body: .probe(probe), refusal: ["EACCES", "EPERM", "ENOENT"], control: .outside([]))
    }

    /// Opened only, nothing is written: that would be the host's end as well.
    private static func kernelFile(_ name: String, _ reference: String, _ path: String) -> Attack {
        Attack(
            name: name, category: .escape, tries: "opens \(path) for writing", walls: [.masks, .uidRange],
            reference: reference, body: .probe("os.open('\(path)', os.O_WRONLY)"),
            refusal: ["EROFS", "EACCES", "ENOENT"],
            control: .outsideAsRoot([]), mayBeMissing: ["ENOENT"])
    }

    private static func mask(_ name: String, _ what: String, _ reference: String, _ probe: String) -> Attack {
        Attack(
            name: name, category: .escape, tries: "reads \(what)", walls: [.masks], reference: reference,
            body: .probe(
                """
                try:
                    \(probe)
                except (IndexError, ValueError): raise Refused('empty')
                """), refusal: ["empty", "EACCES"], control: .without(["mask"]))
    }
}
