import CLinux
import Domain
import Foundation
import Glibc
import HostProcess
import Sandboxing
import Testing

/// A small root file system and a launcher, for real sandboxes.
struct SandboxFixture {
    struct Missing: Error, CustomStringConvertible {
        var description: String
    }

    /// What a finished sandbox left.
    struct Outcome {
        var exit: SandboxExit
        var output: String
        var errors: String
    }

    let directory: String
    let image: String
    let launcher: SandboxLauncher

    static var isRoot: Bool { geteuid() == 0 }
    /// The group that was delegated to this process, where the machine was made so that there is one.
    static let delegatedGroup = ProcessInfo.processInfo.environment["CODEFORGE_TEST_DELEGATED_GROUP"]
    /// Control groups are root's; an ordinary user has them only where they were delegated.
    static var mustHaveGroups: Bool { isRoot || delegatedGroup != nil }

    /// Everything is below a temporary directory, removed by `remove()`.
    init(
        require: Set<SandboxLayer>? = nil, leaveOut: Set<SandboxLayer> = [],
        change: (inout SandboxLauncher.Configuration) -> Void = { _ in }
    ) throws {
        var template = Array((NSTemporaryDirectory() + "codeforge-sandbox-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw Missing(description: "no temporary directory") }
        directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        chmod(directory, 0o755)
        image = directory + "/image"
        var configuration = SandboxLauncher.Configuration(shim: try Self.shim(), require: require)
        configuration.leaveOut = leaveOut
        change(&configuration)
        launcher = SandboxLauncher(configuration)
        try makeImage()
    }

    func remove() {
        // The workspace's files belong to the storage id; root may remove them, an ordinary user owns them itself.
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func shim() throws -> String {
        if let path = ProcessInfo.processInfo.environment["CODEFORGE_SANDBOX_SHIM"] { return path }
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? own
        for place in [bundle, own] {
            let path = URL(fileURLWithPath: place).deletingLastPathComponent().path + "/codeforge-sandbox"
            if access(path, X_OK) == 0 { return path }
        }
        throw Missing(description: "codeforge-sandbox is not beside the test bundle: swift build first")
    }

    private func makeImage() throws {
        let busybox = "/bin/busybox"
        guard access(busybox, X_OK) == 0 else {
            throw Missing(description: "these tests need \(busybox): apt-get install busybox-static")
        }
        for name in [
            "", "/bin", "/proc", "/dev", "/tmp", "/workspace", "/home", "/home/agent", "/etc", "/var", "/var/tmp",
            "/srv",
        ] {
            mkdir(image + name, 0o755)
        }
        // Anybody may write here as far as ownership goes, and only in the first as far as the policy goes.
        for name in ["/var/tmp", "/srv"] { chmod(image + name, 0o1777) }
        try FileManager.default.copyItem(atPath: busybox, toPath: image + "/bin/busybox")
        chmod(image + "/bin/busybox", 0o755)
        for name in [
            "sh", "cat", "ls", "id", "env", "grep", "sleep", "true", "false", "mount", "unshare", "chroot", "ifconfig",
            "wget", "dd", "kill", "echo", "touch", "mkdir", "rm", "stat", "head", "readlink", "hostname", "seq", "nc",
            "find", "ps", "setsid", "wc", "sed", "tail", "ulimit", "pwd", "cut", "tr", "sort", "df", "awk", "test",
            "mv", "ln", "mkfifo", "truncate", "chmod", "cp", "tty", "mknod", "timeout",
        ] { symlink("busybox", image + "/bin/" + name) }
        try "root:x:0:0::/:/bin/sh\nagent:x:1000:1000::/home/agent:/bin/sh\n"
            .write(toFile: image + "/etc/passwd", atomically: false, encoding: .utf8)
    }

    /// A directory of the right owner for a workspace or home.
    func owned(_ name: String) throws -> String {
        let path = directory + "/" + name
        try WorkspaceOwner.current.makeDirectory(path)
        return path
    }

    func request(
        _ arguments: [String],
        profile: SandboxProfile = .code,
        id: String = "test",
        change: (inout SandboxRequest) -> Void = { _ in }
    ) -> SandboxRequest {
        var profile = profile
        profile.required.remove(.diskLimit)  // workspaces here are plain directories
        var request = SandboxRequest(
            id: id,
            profile: profile,
            image: image,
            arguments: arguments,
            environment: ["PATH": "/bin", "HOME": "/home/agent"]
        )
        change(&request)
        return request
    }

    /// Runs a shell script to its end.
    func run(
        _ script: String,
        profile: SandboxProfile = .code,
        change: (inout SandboxRequest) -> Void = { _ in }
    ) async throws -> Outcome {
        try await run(arguments: ["/bin/sh", "-c", script], profile: profile, change: change)
    }

    func run(
        arguments: [String],
        profile: SandboxProfile = .code,
        change: (inout SandboxRequest) -> Void = { _ in }
    ) async throws -> Outcome {
        let sandbox = try await launcher.launch(request(arguments, profile: profile, change: change))
        async let output = Self.read(sandbox.standardOutput)
        async let errors = Self.read(sandbox.standardError)
        return Outcome(exit: await sandbox.wait(), output: await output, errors: await errors)
    }

    /// Everything up to the end of `descriptor`, which is closed.
    static func read(_ descriptor: HostDescriptor) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 65_536)
                while true {
                    let count = Glibc.read(descriptor.raw, &buffer, buffer.count)
                    if count < 0, errno == EINTR { continue }
                    if count <= 0 { break }
                    bytes += buffer[..<count]
                }
                descriptor.close()
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    /// The next line of `descriptor`, read byte by byte off the pool.
    static func line(_ descriptor: HostDescriptor) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var bytes: [UInt8] = []
                var byte: UInt8 = 0
                while Glibc.read(descriptor.raw, &byte, 1) == 1, byte != 0x0A { bytes.append(byte) }
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
    }
}

/// Runs `body` with a fixture and removes it afterwards.
func withFixture<T>(
    require: Set<SandboxLayer>? = nil,
    leaveOut: Set<SandboxLayer> = [],
    change: (inout SandboxLauncher.Configuration) -> Void = { _ in },
    _ body: (SandboxFixture) async throws -> T
) async throws -> T {
    let fixture = try SandboxFixture(require: require, leaveOut: leaveOut, change: change)
    defer { fixture.remove() }
    return try await body(fixture)
}
