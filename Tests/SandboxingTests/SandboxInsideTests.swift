import Foundation
import Glibc
import Sandboxing
import Testing

/// What a payload finds when it looks around.
@Suite struct SandboxInsideTests {
    @Test func payloadIsAnOrdinaryUserWithoutPrivileges() async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run("id; cat /proc/self/status")
            #expect(outcome.exit.status == .exited(code: 0), "\(outcome.errors)")
            #expect(outcome.output.hasPrefix("uid=1000(agent) gid=1000"))
            let status = Self.fields(outcome.output)
            for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                #expect(status[name] == "0000000000000000", "\(name)")
            }
            #expect(status["NoNewPrivs"] == "1")
            #expect(status["Seccomp"] == "2")
            #expect(status["NSpid"] == nil || status["NSpid"]?.contains("\t") == false)
            if SandboxFixture.isRoot { #expect(status["Groups"] == "") }
        }
    }

    @Test func hostRootIsNeverMapped() async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run("cat /proc/self/uid_map /proc/self/gid_map")
            for line in outcome.output.split(separator: "\n") {
                let parts = line.split(separator: " ").compactMap { UInt32($0) }
                try #require(parts.count == 3)
                if SandboxFixture.isRoot {
                    #expect(parts[0] == 0 && parts[1] >= 0x7000_0000 && parts[2] == 65_536)
                } else {
                    #expect(
                        parts == [1000, line == outcome.output.split(separator: "\n")[0] ? geteuid() : getegid(), 1]
                    )
                }
            }
        }
    }

    @Test func onlyTheRequestedEnvironmentAndDescriptorsAreThere() async throws {
        setenv("CODEFORGE_TEST_LEAK", "leaked", 1)
        let leak = open("/etc/passwd", O_RDONLY)  // deliberately not close-on-exec
        defer { close(leak) }
        try await withFixture { fixture in
            let outcome = try await fixture.run(
                "env | sort; echo --; ls /proc/self/fd; echo --; tr '\\0' '\\n' </proc/1/environ; cat /proc/1/cmdline"
            ) { $0.environment["GREETING"] = "a b" }
            let parts = outcome.output.components(separatedBy: "--\n")
            try #require(parts.count == 3)
            // The shell itself adds these.
            let own = parts[0].split(separator: "\n").filter {
                !$0.hasPrefix("PWD=") && !$0.hasPrefix("SHLVL=") && !$0.hasPrefix("_=")
            }
            #expect(own == ["GREETING=a b", "HOME=/home/agent", "PATH=/bin"])
            // 3 is the directory ls itself has open.
            #expect(parts[1].split(separator: "\n").sorted() == ["0", "1", "2", "3"])
            #expect(!outcome.output.contains("leaked"))
        }
    }

    @Test func mountsAreTheOnesOfThePolicy() async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run("cat /proc/self/mounts; ls -a / /sys 2>&1") {
                $0.workspace = try? fixture.owned("workspace")
            }
            let mounts = outcome.output.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count == 6 }
            let byTarget = Dictionary(
                mounts.map { (String($0[1]), Set($0[3].split(separator: ","))) },
                uniquingKeysWith: { $1 }
            )
            for target in ["/", "/tmp", "/dev/shm", "/home/agent", "/workspace"] {
                #expect(byTarget[target]?.isSuperset(of: ["nosuid", "nodev", "rw"]) == true, "\(target)")
            }
            #expect(byTarget["/proc"]?.isSuperset(of: ["nosuid", "nodev", "noexec"]) == true)
            #expect(byTarget["/proc/sys"]?.contains("ro") == true)
            #expect(byTarget["/dev"]?.contains("ro") == true)
            #expect(byTarget["/sys"] == nil && outcome.output.contains("/sys: No such file"))
            let allowed = ["/", "/proc", "/dev", "/tmp", "/home/agent", "/workspace"]
            for target in byTarget.keys {
                #expect(
                    allowed.contains(target) || target.hasPrefix("/proc/") || target.hasPrefix("/dev/"),
                    "\(target)"
                )
            }
        }
    }

    @Test func hostFilesAreOutOfSight() async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run(
                "ls -d \(fixture.directory) /root /etc/shadow /usr 2>/dev/null; ls /proc | grep -c '^[0-9]'"
            )
            #expect(outcome.output.split(separator: "\n").count == 1)
            #expect((outcome.output.split(separator: "\n").last.flatMap { Int($0) } ?? 99) <= 5)
        }
    }

    @Test func kernelSettingsCannotBeWritten() async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run(
                "for f in sys/kernel/core_pattern sysrq-trigger sys/vm/drop_caches; do "
                    + "echo 1 >/proc/$f && echo WROTE; done; "
                    + "for f in kallsyms keys timer_list kcore; do cat /proc/$f | wc -c; done"
            )
            #expect(!outcome.output.contains("WROTE"))
            let sizes = outcome.output.split(separator: "\n").prefix(4)
            #expect(sizes.allSatisfy { $0 == "0" }, "\(outcome.output)")
        }
    }

    @Test func thereIsNoNetworkButLoopback() async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run(
                "cat /proc/net/dev /proc/net/route; nc -w 2 1.1.1.1 80 </dev/null; echo $?"
            )
            let devices = outcome.output.split(separator: "\n").filter { $0.contains(":") }.compactMap {
                $0.split(separator: ":").first
            }
            #expect(devices.map { $0.trimmingCharacters(in: .whitespaces) } == ["lo"])
            #expect(outcome.output.hasSuffix("1\n"))
            #expect(outcome.errors.contains("unreachable"))
        }
    }

    @Test func pidOneGivesNothingAway() async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run(
                "ls /proc/1/fd/* /proc/1/root/; readlink /proc/1/exe; cat /proc/1/mem /proc/1/maps; "
                    + "kill -9 1; kill -STOP 1; echo alive; id -u"
            )
            #expect(outcome.output == "alive\n1000\n", "\(outcome.output)")
        }
    }

    @Test func theImageIsNeverWritten() async throws {
        try await withFixture { fixture in
            let before = try FileManager.default.subpathsOfDirectory(atPath: fixture.image).sorted()
            let first = try await fixture.run("echo x >/tmp/a && echo y >/home/agent/b && cat /tmp/a /home/agent/b")
            #expect(first.output == "x\ny\n")
            let second = try await fixture.run("ls /tmp /home/agent")
            #expect(second.output == "/home/agent:\n\n/tmp:\n" || !second.output.contains("a\n"))
            #expect(try FileManager.default.subpathsOfDirectory(atPath: fixture.image).sorted() == before)
        }
    }

    static func fields(_ status: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in status.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        return fields
    }
}
