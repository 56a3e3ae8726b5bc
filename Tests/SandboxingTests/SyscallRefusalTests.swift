#if arch(x86_64)
    import Foundation
    import Glibc
    @testable import Sandboxing
    import Testing

    /// System calls tried for real: the documented errno inside, and the report outside.
    @Suite struct SyscallRefusalTests {
        struct Attempt: Sendable {
            var name: String
            var arguments: [UInt64] = []
            var errno: Int32
            var isReported = true
        }

        static let refused: [Attempt] =
            RefusedCalls.reported.filter { SyscallFilter.number($0) != nil }.map { Attempt(name: $0, errno: EPERM) }
            + RefusedCalls.reportedMissing.map { Attempt(name: $0, errno: ENOSYS) } + [
                Attempt(name: "clone", arguments: [0x1000_0000 | 17], errno: EPERM),
                Attempt(name: "clone", arguments: [0x4000_0000 | 17], errno: EPERM),
                Attempt(name: "clone", arguments: [0x8000 | 17], errno: EPERM),
                Attempt(name: "clone3", errno: ENOSYS, isReported: false),
                Attempt(name: "socket", arguments: [17, 3, 0], errno: EAFNOSUPPORT),
                Attempt(name: "socket", arguments: [2, 3, 1], errno: EAFNOSUPPORT),
                Attempt(name: "socket", arguments: [38, 5, 0], errno: EAFNOSUPPORT),
                Attempt(name: "socket", arguments: [16, 3, 12], errno: EAFNOSUPPORT),
                Attempt(name: "socket", arguments: [2, 1, 262], errno: EPROTONOSUPPORT, isReported: false),
                Attempt(name: "ioctl", arguments: [0, 0x5412], errno: EPERM),
                Attempt(name: "ioctl", arguments: [0, 0xffff_ffff_0000_5412], errno: EPERM),
                Attempt(name: "ioctl", arguments: [0, 0x541c], errno: EPERM),
                Attempt(name: "personality", arguments: [0x004_0000], errno: EPERM),
                Attempt(name: "prctl", arguments: [35], errno: EPERM),
                Attempt(name: "prctl", arguments: [0x5961_6d61], errno: EPERM),
                Attempt(name: "seccomp", arguments: [1, 8], errno: EPERM, isReported: false),
                Attempt(name: "seccomp", arguments: [1, 8, 0x1000], errno: EPERM),
                Attempt(name: "sched_setscheduler", arguments: [0, 1], errno: EPERM, isReported: false),
                Attempt(name: "io_setup", errno: ENOSYS, isReported: false),
                Attempt(name: "vmsplice", errno: ENOSYS, isReported: false),
            ]

        /// Runs programs one after another in one sandbox; gives the exit code of each.
        private func run(_ programs: [[UInt8]]) async throws -> (codes: [Int32], exit: SandboxExit) {
            try await withFixture { fixture in
                let workspace = try fixture.owned("workspace")
                for (index, program) in programs.enumerated() {
                    let path = "\(workspace)/\(index)"
                    try Data(program).write(to: URL(fileURLWithPath: path))
                    chmod(path, 0o755)
                    try WorkspaceOwner.current.own(path)
                }
                let outcome = try await fixture.run(
                    "for i in $(seq 0 \(programs.count - 1)); do /workspace/$i 2>/dev/null; echo $?; done"
                ) { $0.workspace = workspace }
                return (outcome.output.split(separator: "\n").compactMap { Int32($0) }, outcome.exit)
            }
        }

        @Test func refusedCallsGetTheirErrnoAndAreReported() async throws {
            let programs = try Self.refused.map { attempt in
                SyscallProbe.executable(UInt64(try #require(SyscallFilter.number(attempt.name))), attempt.arguments)
            }
            let result = try await run(programs)
            try #require(result.codes.count == Self.refused.count)
            for (attempt, code) in zip(Self.refused, result.codes) {
                #expect(code == attempt.errno, "\(attempt.name) \(attempt.arguments)")
                if attempt.isReported {
                    #expect(result.exit.refusedSyscalls[attempt.name, default: 0] > 0, "\(attempt.name)")
                }
            }
            for attempt in Self.refused
            where !attempt.isReported && !Self.refused.contains(where: { $0.name == attempt.name && $0.isReported }) {
                #expect(result.exit.refusedSyscalls[attempt.name] == nil, "\(attempt.name)")
            }
        }

        @Test func otherArchitecturesAreKilled() async throws {
            let getpid = UInt64(try #require(SyscallFilter.number("getpid")))
            let result = try await run([
                SyscallProbe.executable(getpid | 0x4000_0000), SyscallProbe.throughThe32BitGate,
            ])
            #expect(result.codes == [128 + SIGSYS, 128 + SIGSYS])
        }

        @Test func tracersSkippedCallIsNotFatal() async throws {
            let result = try await run([SyscallProbe.executable(UInt64(UInt32.max))])
            #expect(result.codes == [ENOSYS])
        }

        @Test func toolsMayConfineThemselves() async throws {
            let prctl = UInt64(try #require(SyscallFilter.number("prctl")))
            let seccomp = UInt64(try #require(SyscallFilter.number("seccomp")))
            let socket = UInt64(try #require(SyscallFilter.number("socket")))
            let result = try await run([
                SyscallProbe.executable(prctl, [38, 1]),  // PR_SET_NO_NEW_PRIVS
                SyscallProbe.executable(seccomp, [1, 0, 0]),  // a filter at address 0: past our own filter
                SyscallProbe.executable(socket, [1, 1, 0]), SyscallProbe.executable(socket, [2, 1 | 0o2000000, 6]),
                SyscallProbe.executable(socket, [10, 2, 0]), SyscallProbe.executable(socket, [16, 3, 0]),
            ])
            #expect(result.codes[0] == 0)
            #expect(result.codes[1] == EFAULT)
            #expect(result.codes[2...].allSatisfy { $0 == 253 })  // descriptor 3, negated
            #expect(result.exit.refusedSyscalls.isEmpty)
        }

        @Test func reportsNameCallerAndCallOnceMoreThanTheFirstFew() async throws {
            try await withFixture { fixture in
                let sandbox = try await fixture.launcher.launch(
                    fixture.request(["/bin/sh", "-c", "for i in $(seq 10); do unshare -U true; done"])
                )
                var reports: [RefusedSyscall] = []
                for await refusal in sandbox.refusals { reports.append(refusal) }
                let exit = await sandbox.wait()
                #expect(reports.count == SyscallListener.reportsPerCall)
                #expect(
                    reports.allSatisfy {
                        $0.name == "unshare" && $0.errno == EPERM && $0.pid > 0 && $0.arguments[0] == 0x1000_0000
                            && $0.command == "unshare -U true"
                    }
                )
                #expect(exit.refusedSyscalls["unshare"] == 10)
            }
        }
    }
#endif
