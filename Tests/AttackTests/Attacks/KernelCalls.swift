extension Attack {
    /// Corners of the kernel that no honest program of a task needs.
    static let kernelCalls: [Attack] = [
        call(
            "bpf", "loads a map into the kernel", "bpf(2); CVE-2021-3490",
            "sys_('bpf', 0, struct.pack('IIIII', 2, 4, 4, 1, 0) + bytes(100), 72)", control: .outsideAsRoot([])),
        call(
            "perf_event_open", "counts events of the processor", "perf_event_open(2); CVE-2013-2094",
            "sys_('perf_event_open', struct.pack('IIQQQQQ', 1, 112, 0, 0, 0, 0, 0x61) + bytes(64), 0, -1, -1, 0)"),
        call(
            "userfaultfd", "stops the kernel in the middle of a copy", "userfaultfd(2)",
            "sys_('userfaultfd', 1)"),
        call(
            "io_uring_setup", "makes system calls past the filter", "io_uring(7); CVE-2022-2602",
            "sys_('io_uring_setup', 4, ctypes.create_string_buffer(256))", errno: "ENOSYS"),
        call(
            "add_key", "stores a key that outlives it", "add_key(2); CVE-2016-0728",
            "sys_('add_key', b'user', b'attack', b'x', 1, -2)"),
        call("keyctl", "looks into key rings", "keyctl(2); CVE-2016-0728", "sys_('keyctl', 0, -2, 1)"),
        call(
            "ioperm", "talks to hardware ports", "ioperm(2)", "sys_('ioperm', 0x80, 1, 1)",
            control: .outsideAsRoot([])),
        call("iopl", "raises its I/O privilege", "iopl(2)", "sys_('iopl', 3)", control: .outsideAsRoot([])),
        call(
            "fanotify_init", "watches the files of a whole mount", "fanotify_init(2)", "sys_('fanotify_init', 0x200, 0)"
        ),
        call(
            "syslog", "reads the kernel's messages", "syslog(2)",
            "sys_('syslog', 10, 0, 0)", control: .outsideAsRoot([])),
        call("quotactl", "reads the host's quotas", "quotactl(2)", "sys_('quotactl', 0x80000100, 0, 0, 0)"),
        call(
            "kexec_load", "starts another kernel", "kexec_load(2)", "sys_('kexec_load', 0, 0, 0, 0)",
            control: .unsafe("replaces the host's kernel")),
        call(
            "init_module", "loads code into the kernel", "init_module(2)", "sys_('init_module', 0, 0, b'')",
            control: .unsafe("loads code into the host's kernel")),
        call(
            "reboot", "restarts the host", "reboot(2)", "sys_('reboot', 0xfee1dead, 672274793, 0, 0)",
            control: .unsafe("changes what the host does on Ctrl-Alt-Del")),
        call(
            "swapon", "swaps the host's memory to a file of its own", "swapon(2)", "sys_('swapon', '/tmp/swap', 0)",
            control: .unsafe("gives the host a swap file")),
        call(
            "acct", "has the kernel write into a file", "acct(2)", "sys_('acct', '/tmp/acct')",
            control: .unsafe("switches on the host's accounting")),
        call(
            "clock_settime", "sets the host's clock", "clock_settime(2)",
            "sys_('clock_settime', 0, struct.pack('qq', 0, 0))", control: .unsafe("sets the host's clock")),
        quiet(
            "modify-ldt", "makes a 16-bit segment", "modify_ldt(2); CVE-2017-17053",
            "sys_('modify_ldt', 0, ctypes.create_string_buffer(64), 64)", "ENOSYS", record: .syscall("modify_ldt")),
        quiet(
            "vmsplice", "puts pages into a pipe", "vmsplice(2); CVE-2008-0600",
            """
            r, w = os.pipe()
            page = ctypes.create_string_buffer(4096)
            sys_('vmsplice', w, struct.pack('QQ', ctypes.addressof(page), 4096), 1, 0)
            """, "ENOSYS"),
        quiet(
            "fixed-addresses", "switches off address randomisation", "personality(2)",
            "sys_('personality', 0x40000)", "EPERM", record: .syscall("personality")),
        quiet(
            "listener-of-its-own", "takes over the answering of system calls", "seccomp_unotify(2)",
            """
            program = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7fff0000))
            sys_('prctl', 38, 1, 0, 0, 0)
            sys_('seccomp', 1, 8, struct.pack('HxxxxxxQ', 1, ctypes.addressof(program)))
            """, "EPERM", record: .syscall("seccomp")),
        quiet(
            "move-own-image", "rewrites what /proc says of it", "prctl(2) PR_SET_MM",
            "sys_('prctl', 35, 14, ctypes.create_string_buffer(struct.pack('13Q', *[0] * 13)), 104, 0)", "EPERM",
            record: .syscall("prctl"),
            control: .unsafe("needs a layout that depends on the kernel; the filter's test covers it")),
        Attack(
            name: "realtime", category: .escape, tries: "takes the processor for itself",
            walls: [.seccomp, .capabilities],
            reference: "sched(7)", body: .probe("os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"),
            refusal: ["EPERM"], control: .outsideAsRoot([])),
        Attack(
            name: "negative-nice", category: .escape, tries: "raises its priority", walls: [.capabilities],
            reference: "setpriority(2)", body: .probe("os.setpriority(os.PRIO_PROCESS, 0, -5)"),
            refusal: ["EACCES", "EPERM"], control: .outsideAsRoot([])),
        Attack(
            name: "block-device-node", category: .escape, tries: "makes a node of the host's disk",
            walls: [.capabilities, .userNamespace], reference: "mknod(2)",
            body: .probe(
                """
                path = 'disk-%d' % os.getpid()
                os.mknod(path, 0o60600, os.makedev(254, 0))
                os.unlink(path)
                """), refusal: ["EPERM", "EACCES"], control: .outsideAsRoot([])),
        device("kernel-log-device", "/dev/kmsg"), device("tunnel-device", "/dev/net/tun"),
        device("virtualisation-device", "/dev/kvm"), device("fuse-device", "/dev/fuse"),
        Attack(
            name: "terminal-input", category: .escape, tries: "types commands into the operator's terminal",
            walls: [.seccomp, .session, .devices], reference: "ioctl_tty(2) TIOCSTI; CVE-2017-5226",
            body: .probe(
                """
                terminal = 0
                try:
                    terminal = os.openpty()[1]
                    os.fork() and os._exit(os.wait()[1] and 1)
                    os.setsid()
                    fcntl.ioctl(terminal, 0x540e, 0)
                except OSError: pass
                fcntl.ioctl(terminal, 0x5412, b'x')
                """), refusal: ["EPERM"], record: .syscall("ioctl"), control: .outside([])),
        Attack(
            name: "terminal-input-high-bits", category: .escape, tries: "hides the request's number in unused bits",
            walls: [.seccomp], reference: "CVE-2019-7303; CVE-2019-10063",
            body: .probe(
                """
                terminal = 0
                try:
                    terminal = os.openpty()[1]
                    os.fork() and os._exit(os.wait()[1] and 1)
                    os.setsid()
                    fcntl.ioctl(terminal, 0x540e, 0)
                except OSError: pass
                libc.syscall.argtypes = None
                if libc.syscall(c_long(16), c_long(terminal), c_long(0x7fffffff00005412), c_char_p(b'x')) < 0:
                    raise OSError(ctypes.get_errno(), 'ioctl')
                """), refusal: ["EPERM"], record: .syscall("ioctl"), control: .outside([])),
        machineCode("calls-of-32-bits", "int 0x80", "b8140000 00cd80c3", "seccomp(2) arch; CVE-2009-0835"),
        machineCode("calls-of-x32", "the x32 numbers", "b827000040 0f05c3", "seccomp(2) X32; CVE-2014-0038"),
    ]

    private static func call(
        _ name: String, _ tries: String, _ reference: String, _ probe: String, errno: String = "EPERM",
        control: Control = .anyCall
    ) -> Attack {
        Attack(
            name: "call-" + name, category: .escape, tries: tries, walls: [.seccomp, .capabilities],
            reference: reference, body: .probe(probe), refusal: [errno], record: .syscall(name), control: control,
            mayBeMissing: ["ENOSYS", "ESRCH"])
    }

    private static func quiet(
        _ name: String, _ tries: String, _ reference: String, _ probe: String, _ errno: String,
        record: Record = .errno, control: Control = .anyCall
    ) -> Attack {
        Attack(
            name: name, category: .escape, tries: tries, walls: [.seccomp], reference: reference, body: .probe(probe),
            refusal: [errno], record: record, control: control)
    }

    private static func device(_ name: String, _ path: String) -> Attack {
        Attack(
            name: name, category: .escape, tries: "opens \(path)", walls: [.devices],
            reference: "null(4); mount(2) MS_NODEV",
            body: .probe("os.open('\(path)', os.O_RDONLY)"), refusal: ["ENOENT"], control: .outsideAsRoot([]),
            mayBeMissing: ["ENOENT", "ENODEV"])
    }

    /// Another table of system calls, entered by bytes of our own.
    private static func machineCode(_ name: String, _ gate: String, _ hex: String, _ reference: String) -> Attack {
        Attack(
            name: name, category: .escape, tries: "enters the kernel by \(gate), past the numbers the filter knows",
            walls: [.seccomp], reference: reference,
            body: .probe(
                """
                import mmap
                def enter():
                    page = mmap.mmap(-1, 4096, prot=7)
                    page.write(bytes.fromhex('\(hex)'))
                    function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
                    if function() != os.getpid(): os._exit(3)
                status = child(enter)
                if os.WIFSIGNALED(status): raise Refused('signal %d' % os.WTERMSIG(status))
                if status: raise Refused('absent %d' % status)
                """), refusal: ["signal 31"], control: .anyCall, mayBeMissing: ["absent", "signal 11"])
    }
}
