import Domain

extension Attack {
    private static let mebibyte: Int64 = 1 << 20

    /// Each takes a little more than it is given; the control is given more.
    static let bombs: [Attack] = [
        bomb(
            "fork-bomb", "forks without end", [.cgroup, .rlimits], "fork(2); cgroups(7) pids", .limit(.processes),
            """
            for _ in range(60): sleeper()
            """, ["EAGAIN"], control: .changed("128 processes", { $0.profile.limits.processes = 128 })
        ) { $0.processes = 24 },
        bomb(
            "thread-bomb", "starts threads without end", [.cgroup, .rlimits], "pthread_create(3); cgroups(7) pids",
            .limit(.processes),
            """
            for _ in range(60): threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
            """, ["RuntimeError"], control: .changed("128 processes", { $0.profile.limits.processes = 128 })
        ) { $0.processes = 24 },
        bomb(
            "memory-bomb", "takes memory without end", [.cgroup], "cgroups(7) memory", .limit(.memory),
            "return len(b'x' * (96 << 20))", [],
            control: .changed("1 GiB", { $0.profile.limits.memoryBytes = 1 << 30 }),
            root: true
        ) { $0.memoryBytes = 48 * mebibyte },
        bomb(
            "memory-bomb-in-shared-memory", "hides its memory in files of /dev/shm", [.cgroup],
            "cgroups(7) memory; tmpfs(5)", .limit(.memory), "open('/dev/shm/bomb', 'wb').write(bytes(96 << 20))", [],
            control: .changed("1 GiB", { $0.profile.limits.memoryBytes = 1 << 30 }), root: true
        ) {
            $0.memoryBytes = 48 * mebibyte
            $0.sharedMemoryBytes = 256 * mebibyte
        },
        bomb(
            "memory-bomb-in-many", "spreads its memory over processes", [.cgroup], "cgroups(7) memory.oom.group",
            .limit(.memory),
            """
            for _ in range(8):
                if os.fork() == 0:
                    hold = b'x' * (24 << 20)
                    time.sleep(2)
                    os._exit(0)
            time.sleep(1.5)
            """, [], control: .changed("1 GiB", { $0.profile.limits.memoryBytes = 1 << 30 }), root: true
        ) { $0.memoryBytes = 64 * mebibyte },
        fill("temporary-files", "/tmp", { $0.temporaryBytes = $1 }),
        fill("shared-memory-files", "/dev/shm", { $0.sharedMemoryBytes = $1 }),
        fill("home-files", "/home/agent", { $0.homeBytes = $1 }),
        // An image that belongs to root cannot be written above by somebody else's sandbox.
        fill("overlay-files", "/var/tmp", root: true, { $0.overlayBytes = $1 }),
        bomb(
            "file-size", "writes one file without end", [.rlimits], "setrlimit(2) RLIMIT_FSIZE", .errno,
            """
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            os.write(os.open('/tmp/large', os.O_CREAT | os.O_WRONLY), bytes(1 << 20))
            os.pwrite(os.open('/tmp/large', os.O_WRONLY), b'x', 4 << 20)
            """, ["EFBIG"], control: .without(["rlimit"])
        ) { $0.fileSizeBytes = mebibyte },
        bomb(
            "raise-own-limit", "raises a limit again", [.rlimits, .capabilities], "setrlimit(2)", .errno,
            "resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20))", ["ValueError", "EPERM"],
            control: .without(["rlimit"])
        ) { $0.fileSizeBytes = mebibyte },
        bomb(
            "descriptor-bomb", "opens files without end", [.rlimits], "setrlimit(2) RLIMIT_NOFILE", .errno,
            "for _ in range(200): os.dup(1)", ["EMFILE"],
            control: .changed("512 files", { $0.profile.limits.openFiles = 512 })
        ) { $0.openFiles = 64 },
        bomb(
            "descriptors-in-flight", "parks descriptors in unread messages", [.rlimits],
            "unix(7) SCM_RIGHTS; CVE-2013-4312",
            .errno,
            """
            a, b = socket.socketpair()
            for i in range(40): socket.send_fds(a, [b'x'], [1] * 50)
            """, ["ETOOMANYREFS", "EAGAIN"],
            control: .changed("16384 files", { $0.profile.limits.openFiles = 16_384 })
        ) { $0.openFiles = 64 },
        bomb(
            "locked-memory", "pins memory", [.rlimits], "mlock(2) RLIMIT_MEMLOCK", .errno,
            """
            import mmap
            page = mmap.mmap(-1, 4 << 20)
            address = ctypes.addressof(ctypes.c_char.from_buffer(page))
            if libc.mlock(c_void_p(address), ctypes.c_size_t(4 << 20)) != 0: raise OSError(ctypes.get_errno(), 'mlock')
            """, ["ENOMEM", "EPERM"], control: .changed("8 MiB", { $0.profile.limits.lockedMemoryBytes = 8 * mebibyte })
        ) { $0.lockedMemoryBytes = 65_536 },
        bomb(
            "core-dump", "leaves its memory, with whatever is in it, as a core file", [.rlimits], "core(5)", .errno,
            """
            os.makedirs('/tmp/core-test', exist_ok=True)
            os.chdir('/tmp/core-test')
            try: resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30))
            except (ValueError, OSError): pass
            status = child(lambda: os.abort())
            if not os.WCOREDUMP(status): raise Refused('no core')
            """, ["no core"], control: .without(["rlimit"]),
            missing: ["no core"]
        ) { _ in },
        bomb(
            "processor-hog", "takes more processor time than its share", [.cgroup], "cgroups(7) cpu.max", .errno,
            """
            for _ in range(2):
                if os.fork() == 0:
                    end = time.monotonic() + 2.5
                    while time.monotonic() < end and time.process_time() < 0.3: pass
                    os._exit(0)
            for _ in range(2): os.wait()
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds = used.ru_utime + used.ru_stime
            if seconds < 0.5: raise Refused('throttled to %.2f s' % seconds)
            """, ["throttled"], control: .changed("2 processors", { $0.profile.limits.cpus = 2 }), root: true
        ) { $0.cpus = 0.1 },
    ]

    private static func bomb(
        _ name: String, _ tries: String, _ walls: [Wall], _ reference: String, _ record: Record, _ probe: String,
        _ refusal: [String], control: Control, root: Bool = false, missing: [String] = [],
        limits: @escaping @Sendable (inout SandboxProfile.Limits) -> Void
    ) -> Attack {
        Attack(
            name: name, category: .bomb, tries: tries, walls: walls, reference: reference, body: .probe(probe),
            refusal: refusal, record: record, control: control, rootOnly: root,
            change: { limits(&$0.profile.limits) }, isTask: false, mayBeMissing: missing)
    }

    private static func fill(
        _ name: String, _ place: String, root: Bool = false,
        _ limit: @escaping @Sendable (inout SandboxProfile.Limits, Int64) -> Void
    ) -> Attack {
        bomb(
            name, "fills \(place)", [.tmpfs], "tmpfs(5) size", .errno,
            "open('\(place)/bomb', 'wb').write(bytes(3 << 20))", ["ENOSPC"],
            control: .changed("64 MiB", { limit(&$0.profile.limits, 64 * mebibyte) }), root: root
        ) { limit(&$0, mebibyte) }
    }
}
