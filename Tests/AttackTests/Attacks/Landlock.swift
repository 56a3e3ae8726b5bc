import Sandboxing

extension Attack {
    /// What Landlock alone stops: the other walls let it pass.
    static let landlock: [Attack] = [
        confined(
            "write-through-proc-mem", "writes to its own read-only pages by /proc/self/mem, as Dirty COW did",
            "CVE-2016-5195; proc(5) /proc/PID/mem", "os.open('/proc/self/mem', os.O_RDWR)"),
        confined(
            "rename-other-process", "renames another process for whoever lists them", "proc(5) /proc/PID/comm",
            "os.write(os.open('/proc/self/comm', os.O_WRONLY), b'init')"),
        confined(
            "out-of-memory-score", "has others killed in its place", "proc(5) oom_score_adj",
            "os.write(os.open('/proc/%d/oom_score_adj' % sleeper(), os.O_WRONLY), b'1000')"),
        confined(
            "listen-under-untrusted", "listens on a port, to pass for a service", "landlock(7) BIND_TCP",
            "s = socket.socket(); s.bind(('127.0.0.1', 8080)); s.listen()"
        ) { $0.profile.landlock.ports = .gateway },
        confined(
            "connect-under-untrusted", "connects to a port other than the gateway's", "landlock(7) CONNECT_TCP",
            """
            try: socket.create_connection(('127.0.0.1', 9), 2)
            except ConnectionRefusedError: return 'it was tried'
            """
        ) { $0.profile.landlock.ports = .gateway },
    ]

    private static func confined(
        _ name: String, _ tries: String, _ reference: String, _ probe: String,
        change: (@Sendable (inout SandboxRequest) -> Void)? = nil
    ) -> Attack {
        Attack(
            name: name, category: .escape, tries: tries, walls: [.landlock], reference: reference, body: .probe(probe),
            refusal: ["EACCES"], control: .noLandlock, change: change, isTask: change == nil)
    }
}
