import Domain
import Foundation
import Glibc
import HostProcess
import Testing

@testable import Sandboxing

/// The second wall: what it refuses although ownership and mounts allow it, and what it must not break.
@Suite struct LandlockTests {
    private static var request: SandboxRequest {
        var request = SandboxRequest(
            id: "rules", profile: .untrusted, image: "/image", workspace: "/w", arguments: ["true"], environment: [:],
            gatewayPort: 9)
        request.binds = [.init(source: "/a", target: "/rw", isWritable: true), .init(source: "/b", target: "/ro")]
        return request
    }

    @Test(arguments: 1...LandlockRules.newest) func rulesUseOnlyWhatTheVersionKnows(abi: Int) {
        let rules = LandlockRules(Self.request, abi: abi)
        #expect(rules.files.rawValue == (1 << [13, 14, 15, 15, 16, 16, 16][abi - 1]) - 1)
        #expect(rules.ports == (abi >= 4 ? [.bind, .connect] : []))
        #expect(rules.scoped == (abi >= 6 ? [.abstractUnixSockets, .signals] : []))
        for rule in rules.rules {
            switch rule {
            case .beneath(_, let rights): #expect(rights.isSubset(of: rules.files) && !rights.isEmpty)
            case .port(let port, let rights): #expect(abi >= 4 && port == 9 && rights == .connect)
            }
        }
    }

    @Test func onlyWritablePlacesMayBeWrittenAndNowhereIsADeviceMade() {
        for case .beneath(let path, let rights) in LandlockRules(Self.request, abi: 7).rules {
            let isWritable = ["/rw", "/home/agent", "/tmp", "/var/tmp", "/dev/shm", "/dev/pts"].contains(path)
            #expect(rights.contains(.writeFile) == (isWritable || LaunchOptions.devices.contains(path)), "\(path)")
            #expect(rights.isDisjoint(with: [.makeCharacterDevice, .makeBlockDevice]), "\(path)")
        }
    }

    @Test(arguments: [true, false])
    func theImageCannotBeWrittenEvenWhereOwnershipAllowsIt(isConfined: Bool) async throws {
        try await withFixture(require: [], leaveOut: isConfined ? [] : [.landlock]) { fixture in
            let outcome = try await fixture.run("echo x >/srv/x; cat /srv/x; echo y >/var/tmp/y && cat /var/tmp/y")
            #expect(outcome.output == (isConfined ? "y\n" : "x\ny\n"), "\(outcome.errors)")
        }
    }

    @Test func launchSaysWhichVersionIsInForce() async throws {
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(fixture.request(["/bin/true"]))
            _ = await sandbox.wait()
            #expect(sandbox.landlockABI == LandlockRules.abi && sandbox.landlockABI > 0)
            #expect(!sandbox.missingLayers.contains { $0.layer == .landlock })
        }
    }

    /// Debian 12 has ABI 2, Ubuntu 24.04 has 4.
    @Test func whatAnOlderKernelLacksIsMissing() async throws {
        func missing(_ abi: Int) -> [SandboxLayer] { LandlockRules.missing(abi: abi).map(\.layer) }
        #expect(missing(7) == [])
        #expect(missing(4) == [.landlockDevices, .landlockScope])
        #expect(missing(2) == [.landlockTruncate, .landlockPorts, .landlockDevices, .landlockScope])
        #expect(missing(0).first == .landlock)
        try await withFixture(change: { $0.landlockABI = 2 }) { fixture in
            let sandbox = try await fixture.launcher.launch(fixture.request(["/bin/true"], profile: .untrusted))
            _ = await sandbox.wait()
            #expect(sandbox.landlockABI == 2)
            #expect(sandbox.missingLayers.contains { $0.layer == .landlockPorts && $0.detail.contains("ABI 4") })
            #expect(sandbox.layers.contains(.landlock) && !sandbox.layers.contains(.landlockPorts))
            // `code` has no use for it: named, it is required all the same.
            for var profile in [SandboxProfile.untrusted, .code] {
                let other = try await fixture.launcher.launch(fixture.request(["/bin/true"], profile: .code))
                _ = await other.wait()
                #expect(!other.missingLayers.contains { $0.layer == .landlockPorts })
                profile.required.insert(.landlockPorts)
                let error = await #expect(throws: CodeForgeError.self) {
                    _ = try await fixture.launcher.launch(fixture.request(["/bin/true"], profile: profile))
                }
                #expect(error?.message.contains("ABI 4 is needed") == true && error?.message.contains("6.7") == true)
            }
        }
    }

    @Test func whatAProfileDoesNotAskForIsNotInForce() async throws {
        try await withFixture { fixture in
            let sandbox = try await fixture.launcher.launch(fixture.request(["/bin/true"], profile: .code))
            _ = await sandbox.wait()
            #expect(!sandbox.layers.contains(.landlockPorts) && sandbox.layers.contains(.landlock))
        }
    }

    @Test func ordinaryFileWorkIsNotInTheWay() async throws {
        let script = """
            set -e
            cd $1
            mkdir a b
            echo one >a/f
            mv a/f b/g
            ln b/g a/h
            ln -s ../b/g a/s
            cat a/s
            echo long >t; truncate -s 2 t; rm t
            mkfifo p
            (echo two >p &)
            cat p
            printf '#!/bin/sh\\necho three' >x
            chmod +x x
            ./x
            rm -r a b p x
            ls -A
            """
        try await withFixture { fixture in
            let workspace = try fixture.owned("workspace")
            for place in ["/workspace", "/tmp", "/home/agent", "/var/tmp", "/dev/shm"] {
                let outcome = try await fixture.run(arguments: ["/bin/sh", "-c", script, "sh", place]) {
                    $0.workspace = workspace
                }
                #expect(outcome.output == "one\ntwo\nthree\n", "\(place): \(outcome.output) \(outcome.errors)")
            }
            let devices = try await fixture.run(
                "echo x >/dev/null && head -c 4 /dev/zero | wc -c && head -c 4 /dev/urandom | wc -c; echo e >/dev/full")
            #expect(devices.output == "4\n4\n" && devices.errors.contains("No space"))
        }
    }

    @Test func untrustedCodeReachesTheGatewaysPortAndNoOther() async throws {
        let script =
            "timeout 3 nc -l -p 8000 >/dev/null & sleep 0.2; "
            + "for p in 8000 9; do timeout 1 nc 127.0.0.1 $p </dev/null; done"
        try await withFixture { fixture in
            for profile in [SandboxProfile.untrusted, .code] {
                let sandbox = try await fixture.launcher.launch(
                    fixture.request(["/bin/sh", "-c", script], profile: profile) { $0.gatewayPort = 9 })
                let gateway = try #require(sandbox.gateway)
                let errors = await SandboxFixture.read(sandbox.standardError)
                _ = await sandbox.wait()
                #expect(accept(gateway.raw, nil, nil) >= 0)  // a descriptor of the test's own, gone with it
                #expect(errors.contains("Permission denied") == (profile == .untrusted), "\(errors)")
            }
        }
    }

    /// CVE-2019-5736: a script whose interpreter is whatever executes it would run, and later overwrite, the shim.
    @Test(arguments: [true, false]) func theShimCannotBeMadeToRunInside(isConfined: Bool) async throws {
        try await withFixture(require: [], leaveOut: isConfined ? [] : [.landlock]) { fixture in
            let workspace = try fixture.owned("workspace")
            let script = workspace + "/script"
            try "#!/proc/self/exe\n".write(toFile: script, atomically: false, encoding: .utf8)
            chmod(script, 0o755)
            try WorkspaceOwner.current.own(script)
            let start = { () async throws in
                try await fixture.run(arguments: ["/workspace/script"]) { $0.workspace = workspace }
            }
            if isConfined {
                let error = await #expect(throws: CodeForgeError.self) { _ = try await start() }
                #expect(error?.message.contains("exec") == true)
                let sandbox = try await fixture.launcher.launch(
                    fixture.request(["/bin/sleep", "100"]) { $0.workspace = workspace })
                await #expect(throws: CodeForgeError.self) {
                    _ = try await sandbox.execute(
                        ["/workspace/script"], environment: [:], workingDirectory: "/", input: 0, output: 1, errors: 2)
                }
                sandbox.kill()
                _ = await sandbox.wait()
            } else {
                #expect(try await start().exit.status == .exited(code: 1))  // the shim, without its options
            }
        }
    }

    @Test func signalsDoNotLeaveTheDomain() async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run("kill -0 1; sleep 100 & kill $! && wait $!; echo $?")
            #expect(outcome.errors.contains("not permitted"))
            #expect(outcome.output == "143\n")
        }
    }

    @Test func terminalsArePrivate() async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run(
                "exec 3<>/dev/ptmx; ls /dev/pts; [ -t 3 ] && echo terminal; tty; readlink /dev/ptmx")
            #expect(outcome.output == "0\nptmx\nterminal\nnot a tty\npts/ptmx\n", "\(outcome.errors)")
        }
    }

    @Test func pidOneIsNotListed() async throws {
        try await withFixture { fixture in
            let outcome = try await fixture.run("ls -d /proc/[0-9]*; cat /proc/1/cmdline || echo hidden")
            #expect(!outcome.output.split(separator: "\n").contains("/proc/1"))
            #expect(outcome.output.hasSuffix("hidden\n"))
        }
    }
}
