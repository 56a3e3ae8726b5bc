import CLinux
package import Domain
import Glibc
import HostProcess

/// What directories that hostile code writes to take on the disk.
package enum DirectoryUsage {
    /// Bytes (blocks in use) and files of `paths` together. No link is followed, no other file system entered, a file
    /// with several names counts once; what does not exist counts nothing.
    ///
    /// `du` does it: it walks by descriptors however deep a tree is. An ordinary user's becomes root of a user namespace
    /// of its own first, or a directory without permissions would hide what is in it.
    ///
    /// - Parameter seconds: Longest time, ≥ 1.
    /// - Throws: `.timeout` when it took longer; `.failed` when it could not be done at all.
    package static func measure(
        _ paths: [String], within seconds: Int
    ) async throws(CodeForgeError) -> (bytes: Int64, inodes: Int64) {
        (
            try await total(["-B1"] + ["--"] + paths, seconds), try await total(["--inodes"] + ["--"] + paths, seconds)
        )
    }

    private static func total(_ arguments: [String], _ seconds: Int) async throws(CodeForgeError) -> Int64 {
        var command = ["/usr/bin/du", "-s", "-x", "-c"] + arguments
        if geteuid() != 0 { command = ["/usr/bin/unshare", "--map-root-user", "--"] + command }
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe2(&ends, O_CLOEXEC) == 0 else {
            throw CodeForgeError(.failed, "pipe: \(String(cString: strerror(errno)))")
        }
        let (output, input) = (HostDescriptor(ends[0]), HostDescriptor(ends[1]))
        let process = try HostProcess.start(
            command[0], command, environment: ["LANG": "C"], descriptors: [.null, .inherit(input.raw), .null])
        input.close()
        let limit = Task {
            try await Task.sleep(for: .seconds(seconds))
            kill(process.pid, SIGKILL)
        }
        // It writes a line for each path and one for them all, at its end; files that vanish meanwhile make it fail, and
        // count nothing.
        let text = await withoutBlocking {
            var bytes = [UInt8](repeating: 0, count: 65_536)
            var count = 0
            while count < bytes.count {
                let got = bytes.withUnsafeMutableBytes {
                    read(output.raw, $0.baseAddress?.advanced(by: count), $0.count - count)
                }
                if got <= 0 { break }
                count += got
            }
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
        limit.cancel()
        let end = await process.waitForExit()
        if end == .signalled(SIGKILL) { throw CodeForgeError(.timeout, "it took longer than \(seconds) s") }
        guard case .exited = end, let line = text.split(separator: "\n").last, line.hasSuffix("\ttotal"),
            let total = Int64(line.prefix { $0.isNumber })
        else { throw CodeForgeError(.failed, "\(command.prefix(2).joined(separator: " ")) does not work here") }
        return total
    }
}
