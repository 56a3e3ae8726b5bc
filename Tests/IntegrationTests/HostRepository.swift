import Foundation

/// Git repositories on the host's disk.
enum HostRepository {
    /// A bare repository below `directory`/repos with `files` on branch `main`.
    ///
    /// - Returns: Its `file://` URL.
    static func make(_ files: [String: String], under directory: String) throws -> String {
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
    static func shell(_ script: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure("failed: \(script)") }
        return String(decoding: output, as: UTF8.self)
    }
}
