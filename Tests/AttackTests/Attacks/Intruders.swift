import Domain
import Glibc
import HostProcess
import ServerKit
import TestKit
import Testing

@testable import Sandboxing

extension Attack {
    /// The payload lies in wait for a command that an operator runs in its sandbox. It knows the command's number, but
    /// `/proc` shows nobody who may not be traced, and that is what Landlock sees to.
    static let intruders: [Attack] = [
        intruder(
            "listing", "finds it in /proc", "proc(5) hidepid",
            "if str(p) not in os.listdir('/proc'): raise OSError(errno.ENOENT, 'not listed')"),
        intruder("environment", "reads its environment", "proc(5) environ", "open('/proc/%d/environ' % p).read(1)"),
        intruder("memory", "opens its memory", "proc(5) mem", "os.open('/proc/%d/mem' % p, os.O_RDWR)"),
        intruder(
            "descriptors", "lists its descriptors", "proc(5) fd; CVE-2016-9962", "os.listdir('/proc/%d/fd' % p)"),
        intruder(
            "descriptor", "opens one of its descriptors", "proc(5) fd; CVE-2016-9962",
            "os.open('/proc/%d/fd/1' % p, os.O_WRONLY)"),
        intruder("executable", "opens its executable", "CVE-2019-5736", "os.open('/proc/%d/exe' % p, os.O_RDONLY)"),
        intruder("root", "walks into its root", "proc(5) root", "os.listdir('/proc/%d/root/' % p)"),
        intruder("directory", "enters its working directory", "CVE-2024-21626", "os.chdir('/proc/%d/cwd' % p)"),
        intruder(
            "namespace", "opens its namespaces", "namespaces(7)", "os.open('/proc/%d/ns/mnt' % p, os.O_RDONLY)"),
        intruder(
            "stop", "stops it", "kill(2); landlock(7) signal scope", "os.kill(p, signal.SIGSTOP)", refusal: "EPERM"),
        intruder("trace", "traces it", "ptrace(2)", "sys_('ptrace', 0x4206, p, 0, 0)", call: "ptrace"),
        intruder(
            "steal", "takes its descriptors", "pidfd_getfd(2)",
            "sys_('pidfd_getfd', sys_('pidfd_open', p, 0), 1, 0)", call: "pidfd_getfd"),
        Attack(
            name: "command-of-operator", category: .escape,
            tries: "has what an operator runs in its sandbox become root of a user namespace", walls: [.seccomp],
            reference: "user_namespaces(7)",
            body: .scene { _, arena in try await runByOperator(arena, "sys_('unshare', NEWUSER)", "unshare") },
            record: .syscall("unshare"), control: .within("the same without filter and Landlock"), isTask: false),
    ]

    private static func intruder(
        _ name: String, _ tries: String, _ reference: String, _ attempt: String, refusal: String = "ENOENT",
        call: String? = nil
    ) -> Attack {
        Attack(
            name: "entered-command-" + name, category: .escape,
            tries: "lies in wait for a command of the operator's and " + tries,
            walls: call == nil ? [.landlock] : [.seccomp, .landlock], reference: reference,
            body: .scene { _, arena in
                let (outcome, exit) = try await ambush(arena, attempt, without: [])
                #expect(outcome.verdict == .refused, "\(outcome)")
                #expect(outcome.detail.hasPrefix(call == nil ? refusal : "EPERM"), "another reason: \(outcome)")
                if let call { #expect(exit.refusedSyscalls[call, default: 0] > 0, "no record: \(exit)") }
                let free = try await ambush(
                    arena, attempt, without: call == nil ? [.landlock] : [.landlock, .seccomp]
                ).outcome
                #expect(free.verdict == .breached, "it proves nothing: \(free)")
            }, record: call.map { .syscall($0) } ?? .errno,
            control: .within(call == nil ? "the same without Landlock" : "the same without filter and Landlock"),
            isTask: false)
    }

    /// A payload that waits for a command to be run beside it, finds out its number, and then tries `attempt`.
    private static func ambush(
        _ arena: Arena, _ attempt: String, without: Set<SandboxLayer>
    ) async throws -> (outcome: Arena.Outcome, exit: SandboxExit) {
        let program = Prelude.program(
            """
            def taken(p):
                try: os.kill(p, 0)
                except ProcessLookupError: return False
                except PermissionError: pass  # there, and out of reach
                return True
            print('up', flush=True)
            end = time.monotonic() + 10
            while not os.path.exists('/tmp/prey') and time.monotonic() < end: time.sleep(0.002)
            p, = [p for p in range(2, 64) if p != os.getpid() and taken(p)]
            \(attempt)
            """)
        let sandbox = try await arena.start(program, without: without)
        async let errors = Arena.drain(sandbox.standardError)
        #expect(await Arena.line(sandbox.standardOutput) == "up")
        async let output = Arena.drain(sandbox.standardOutput)
        let null = HostDescriptor(open("/dev/null", O_RDWR | O_CLOEXEC))
        let command = Task {
            try await sandbox.execute(
                ["/bin/sh", "-c", "echo >/tmp/prey; exec sleep 30"], environment: ["SECRET": Arena.secret],
                workingDirectory: "/", input: null.raw, output: null.raw, errors: null.raw)
        }
        let exit = await sandbox.wait()
        _ = try? await command.value
        return (Arena.judge(await output + (await errors)), exit)
    }

    /// Runs `attempt` as an operator does, in a task's sandbox; its refusal and who ran it are on the sandbox's audit.
    private static func runByOperator(_ arena: Arena, _ attempt: String, _ call: String) async throws {
        let server = arena.server
        let probe = Attack(
            name: "", category: .escape, tries: "", walls: [], reference: "", body: .probe(attempt), control: .anyCall)
        #expect(try await arena.enter(probe, without: [.seccomp, .landlock]).verdict == .breached)
        let task = try await server.create("sleep 60", repo: Repositories.plain(arena))
        let id = task + "-1-1-agent"
        _ = try await eventually(id) {
            try await server.request("GET", "/api/v1/sandboxes/\(id)").status == 200 ? id : nil
        }
        let command = try ChildProcess(
            try BuiltProducts.executable("codeforge"),
            ["sandbox", "exec", id, "--", "python3", "-I", "-S", "-c", Prelude.program(attempt)],
            environment: ["CODEFORGE_DATA_DIR": server.directory + "/data"])
        _ = try await command.wait(seconds: 20)
        let outcome = Arena.judge(command.output)
        #expect(outcome.verdict == .refused && outcome.detail.hasPrefix("EPERM"), "\(outcome)")
        let records = try await eventually("\(call) in the audit of \(id)") {
            let answer = try await server.request("GET", "/api/v1/sandboxes/\(id)/audit?limit=1000")
            let records = answer.json["records"]?.arrayValue ?? []
            return records.contains { $0["kind"] == "syscall" && $0["name"]?.stringValue == call } ? records : nil
        }
        #expect(records.contains { $0["name"] == "exec" && $0["detail"]?["actor"]?.stringValue != nil }, "\(records)")
        _ = try await server.request("POST", "/api/v1/sandboxes/\(id)/kill")
        _ = try await server.finished(task)
    }
}
