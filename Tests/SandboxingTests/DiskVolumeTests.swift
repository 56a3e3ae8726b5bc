import Domain
import Foundation
import Glibc
import Testing

@testable import Sandboxing

@Suite(.serialized) struct DiskVolumeTests {
    /// Runs `body` on a thread whose mounts end with it.
    private func onOwnMounts<T: Sendable>(
        _ body: @escaping @Sendable (MountNamespace) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        guard let namespace = MountNamespace.enter() else {
                            throw SandboxFixture.Missing(description: "no mount namespace for root")
                        }
                        return try body(namespace)
                    })
            }
        }
    }

    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        var template = Array((NSTemporaryDirectory() + "codeforge-disk-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw SandboxFixture.Missing(description: "no temporary directory") }
        let directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        mkdir(directory + "/mount", 0o700)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        guard SandboxFixture.isRoot else {
            // An ordinary user is told so, and gets nothing mounted.
            #expect(DiskVolume.obstacle()?.hasPrefix("not root") == true)
            #expect(MountNamespace.enter() == nil)
            return
        }
        #expect(DiskVolume.obstacle() == nil)
        try await body(directory)
    }

    private func mount(_ directory: String, fresh: Bool, _ namespace: MountNamespace) throws -> DiskVolume? {
        try DiskVolume.mount(
            directory + "/v.ext4", fresh: fresh ? .init(bytes: 64 << 20, mostInodes: 2048) : nil,
            at: directory + "/mount", in: namespace)
    }

    /// Mounts an existing volume as soon as the thread that had it is gone.
    private func mountAgain(_ directory: String, _ namespace: MountNamespace) throws -> DiskVolume {
        for _ in 0..<500 {
            if let volume = try mount(directory, fresh: false, namespace) { return volume }
            usleep(10_000)
        }
        throw SandboxFixture.Missing(description: "the volume stays locked")
    }

    @Test func itHoldsWhatItShouldAndNoMore() async throws {
        try await withDirectory { directory in
            try await onOwnMounts { namespace in
                let volume = try #require(try mount(directory, fresh: true, namespace))
                #expect(volume.bytes == 64 << 20)
                let usage = try #require(volume.usage())
                #expect(usage.byteLimit > 60 << 20 && usage.byteLimit <= 64 << 20 && usage.bytes < 1 << 20)
                #expect((2048...2100).contains(usage.inodeLimit) && usage.inodes < 20)
                #expect(volume.fault() == nil)
                var last: Int32 = 0
                for number in 0..<4096 where last == 0 {
                    let file = open("\(directory)/mount/\(number)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
                    if file < 0 { last = errno } else { close(file) }
                }
                #expect(last == ENOSPC && volume.fault() == .noInodes)
                for number in 0..<100 { unlink("\(directory)/mount/\(number)") }
                let file = open(directory + "/mount/bomb", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
                let block = [UInt8](repeating: 1, count: 1 << 20)
                var written = 0
                while written < 100 << 20 {
                    let count = write(file, block, block.count)
                    if count < 0 { break }
                    written += count
                }
                #expect(errno == ENOSPC && written > 50 << 20 && written < 64 << 20, "\(written)")
                close(file)
                #expect(volume.fault() == .noSpace)
            }
        }
    }

    @Test func nobodyElseMountsItMeanwhileAndItComesBack() async throws {
        try await withDirectory { directory in
            try await onOwnMounts { namespace in
                let volume = try mount(directory, fresh: true, namespace)
                #expect(volume != nil)
                #expect(try mount(directory, fresh: false, namespace) == nil, "locked by its loop device")
                #expect(try mount(directory, fresh: true, namespace) == nil)
                try Data("kept".utf8).write(to: URL(fileURLWithPath: directory + "/mount/file"))
            }
            #expect(!FileManager.default.fileExists(atPath: directory + "/mount/file"), "not the host's mount")
            try await onOwnMounts { namespace in
                let volume = try mountAgain(directory, namespace)
                #expect(try String(contentsOfFile: directory + "/mount/file", encoding: .utf8) == "kept")
                withExtendedLifetime(volume) {}
            }
            try await onOwnMounts { namespace in
                var volume: DiskVolume?
                while volume == nil { volume = try mount(directory, fresh: true, namespace) }
                #expect(!FileManager.default.fileExists(atPath: directory + "/mount/file"), "made anew")
            }
        }
    }

    /// As after a crash of the host: the file system says so itself, or was last written before the host came up.
    @Test(arguments: [true, false])
    func aVolumeThatWasNotUnmountedIsCheckedFirst(_ byItsState: Bool) async throws {
        try await withDirectory { directory in
            try await onOwnMounts { namespace in
                _ = try mount(directory, fresh: true, namespace)
                try Data("kept".utf8).write(to: URL(fileURLWithPath: directory + "/mount/file"))
            }
            let path = directory + "/v.ext4"
            while true {
                guard let file = try VolumeFile.claim(path, create: false) else { continue }
                file.close()
                break
            }
            try shell("PATH=$PATH:/sbin debugfs -w -R 'set_super_value lastcheck 1' '\(path)'")
            if byItsState {
                try shell("PATH=$PATH:/sbin debugfs -w -R 'set_super_value state 0' '\(path)'")
            } else {
                try shell("touch -d @100000 '\(path)'")
            }
            #expect(lastCheck(path) == 1)
            try await onOwnMounts { namespace in
                _ = try mountAgain(directory, namespace)
                #expect(try String(contentsOfFile: directory + "/mount/file", encoding: .utf8) == "kept")
            }
            #expect(lastCheck(path) > 1)
        }
    }

    @Test func whatIsNoVolumeOfOursIsNotMounted() async throws {
        try await withDirectory { directory in
            let path = directory + "/v.ext4"
            try await onOwnMounts { namespace in
                #expect(throws: CodeForgeError.self) { try mount(directory, fresh: false, namespace) }
                try Data(count: 1 << 20).write(to: URL(fileURLWithPath: path))
                chmod(path, 0o600)
                #expect(throws: CodeForgeError.self, "empty") { try mount(directory, fresh: false, namespace) }
                _ = try mount(directory, fresh: true, namespace)
            }
            chmod(path, 0o644)
            try await onOwnMounts { namespace in
                #expect(throws: CodeForgeError.self, "others may read it") { try mountAgain(directory, namespace) }
            }
            unlink(path)
            symlink(directory + "/.template-1-67108864-2048.ext4", path)
            try await onOwnMounts { namespace in
                #expect(throws: CodeForgeError.self, "a link") { try mount(directory, fresh: true, namespace) }
            }
        }
    }

    private func lastCheck(_ path: String) -> UInt32 {
        var value: UInt32 = 0
        let file = open(path, O_RDONLY | O_CLOEXEC)
        pread(file, &value, 4, 1024 + 0x40)
        close(file)
        return value
    }

    private func shell(_ script: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script + " >/dev/null 2>&1"]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(script)")
    }
}
