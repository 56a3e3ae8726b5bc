import Foundation
import HostProcess

/// Git repositories on the host's disk.
package enum HostRepository {
    /// A bare repository below `directory`/repos with `files` on branch `main`.
    ///
    /// - Returns: Its `file://` URL.
    package static func make(_ files: [String: String], under directory: String) throws -> String {
        let name = UUID().uuidString.prefix(8)
        let work = directory + "/work-\(name)"
        let bare = directory + "/repos/\(name).git"
        for (path, text) in files {
            let url = URL(fileURLWithPath: work + "/" + path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        try FileManager.default.createDirectory(atPath: directory + "/repos", withIntermediateDirectories: true)
        try shell(
            "cd '\(work)' && git init -q -b main && git add -A -f"
                + " && git -c user.name=t -c user.email=t@t commit -qm one && git clone -q --bare . '\(bare)'")
        return "file://" + bare
    }

    /// Runs a script of the test itself.
    ///
    /// - Returns: Its standard output.
    @discardableResult
    package static func shell(_ script: String) throws -> String {
        // Not Foundation's `Process`: its `waitUntilExit` has been seen to miss the end, on a slow machine.
        let pipe = Pipe()
        let process = try HostProcess.start(
            "/bin/bash", ["bash", "-c", script], environment: ProcessInfo.processInfo.environment,
            descriptors: [.null, .inherit(pipe.fileHandleForWriting.fileDescriptor), .inherit(2)])
        try pipe.fileHandleForWriting.close()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        guard process.waitBlocking() == .exited(code: 0) else { throw Failure("failed: \(script)") }
        return String(decoding: output, as: UTF8.self)
    }
}
