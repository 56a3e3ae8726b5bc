import Domain

@testable import Sandboxing

/// What every probe starts with: raw system calls by name, a root of a namespace of its own, and a verdict.
enum Prelude {
    private static let calls = """
        mount umount2 pivot_root chroot unshare setns open_tree move_mount fsopen fsconfig fsmount mount_setattr ptrace
        process_vm_readv process_vm_writev pidfd_getfd pidfd_open kcmp bpf perf_event_open userfaultfd keyctl add_key
        request_key open_by_handle_at name_to_handle_at kexec_load init_module finit_module reboot swapon acct
        clock_settime settimeofday iopl ioperm fanotify_init sethostname syslog quotactl io_uring_setup modify_ldt
        vmsplice personality clone clone3 seccomp prctl socket capset getpid mknod msgget shmget mlock unlink
        move_pages lookup_dcookie vhangup landlock_create_ruleset pidfd_send_signal
        """

    /// The whole program of a probe.
    static func program(_ probe: String) -> String {
        let numbers = SyscallGroup.words(calls).compactMap { name in
            SyscallFilter.number(name).map { "'\(name)': \($0)" }
        }
        let body = probe.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }
        return """
            NR = {\(numbers.joined(separator: ", "))}
            \(text)
            def attack():
            \(body.joined(separator: "\n"))
                return 'done'
            settle(attack)
            """
    }

    private static let text = #"""
        import os, sys, ctypes, errno, socket, struct, time, signal, fcntl, resource, threading, subprocess
        from ctypes import c_long, c_char_p, c_void_p, byref
        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall.restype = c_long
        NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWCGROUP = (
            0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x2000000)
        TARGET = int(os.environ.get('ATTACK_TARGET', '1'))
        GATEWAY = ('127.0.0.1', 61999)
        class Refused(Exception): pass
        def number(name, default=0): return int(os.environ.get('ATTACK_' + name, default))
        def word(name): return os.environ['ATTACK_' + name]
        def sys_(name, *args):
            values = []
            for a in args:
                if isinstance(a, str): a = a.encode()
                values.append(c_long(a) if isinstance(a, int) else a)
            r = libc.syscall(c_long(NR[name]), *values)
            if r < 0:
                e = ctypes.get_errno()
                raise OSError(e, os.strerror(e), name)
            return r
        def become_root(flags=0):
            # Where nothing stops it, root of a user namespace of one's own; the call that follows is the one that counts.
            uid, gid = os.getuid(), os.getgid()
            try:
                sys_('unshare', NEWUSER | flags)
                open('/proc/self/setgroups', 'w').write('deny')
                open('/proc/self/uid_map', 'w').write('0 %d 1' % uid)
                open('/proc/self/gid_map', 'w').write('0 %d 1' % gid)
            except OSError: pass
        def child(body):
            # Runs body in a child; gives its wait status.
            pid = os.fork()
            if pid == 0:
                try:
                    body()
                    os._exit(0)
                except OSError as e: os._exit(e.errno or 255)
                except BaseException: os._exit(255)
            return os.waitpid(pid, 0)[1]
        def sleeper():
            pid = os.fork()
            if pid == 0:
                time.sleep(20)
                os._exit(0)
            return pid
        def links():
            for pid in filter(str.isdigit, os.listdir('/proc')):
                try: names = os.listdir('/proc/%s/fd' % pid)
                except OSError: continue
                for name in names:
                    try: yield os.readlink('/proc/%s/fd/%s' % (pid, name))
                    except OSError: pass
        def ask(raw, wait=5):
            # Raw bytes to the gateway; gives everything it answers.
            s = socket.create_connection(GATEWAY, wait)
            s.settimeout(wait)
            try: s.sendall(raw)
            except OSError: pass
            answer = b''
            try:
                while True:
                    part = s.recv(65536)
                    if not part: break
                    answer += part
            except OSError: pass
            return answer
        def http(raw):
            if isinstance(raw, str): raw = raw.replace('\n', '\r\n').encode()
            answer = ask(raw)
            if not answer: raise Refused('no answer')
            statuses = [int(l.split()[1]) for l in answer.split(b'\n') if l.startswith(b'HTTP/1.1 ')]
            if any(200 <= s < 300 for s in statuses): return answer
            raise Refused('%s %s' % (statuses, answer[-300:].decode('utf-8', 'replace').replace('\n', ' ').replace('\r', '')))
        def settle(attack):
            verdict = 'breached'
            try: detail = attack()
            except Refused as e: verdict, detail = 'refused', str(e)
            except OSError as e:
                verdict, detail = 'refused', '%s %s' % (errno.errorcode.get(e.errno, type(e).__name__), e)
            except (MemoryError, RuntimeError, subprocess.SubprocessError, ValueError) as e:
                verdict, detail = 'refused', '%s %s' % (type(e).__name__, e)
            text = ascii(str(detail))[1:-1][:600]
            os.write(1, ('\nVERDICT %s %s\n' % (verdict, text)).encode())
            os._exit(0)
        """#
}
