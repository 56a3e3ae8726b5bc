import Foundation

/// Where the executables under test are: beside the test bundle that runs.
package enum BuiltProducts {
    package static let directory: String = {
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: path).deletingLastPathComponent().path
    }()

    /// - Throws: When it was not built.
    package static func executable(_ name: String) throws -> String {
        let path = directory + "/" + name
        try require(
            FileManager.default.isExecutableFile(atPath: path), "\(path) is missing: run `swift build` first")
        return path
    }

    /// The source tree.
    package static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Directory with the sandbox images.
    package static func images() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let data =
            environment["CODEFORGE_DATA_DIR"]
            ?? (geteuid() == 0
                ? "/var/lib/codeforge"
                : (environment["XDG_STATE_HOME"] ?? NSHomeDirectory() + "/.local/state") + "/codeforge")
        try require(
            FileManager.default.fileExists(atPath: data + "/images/base/rootfs/usr/bin/git"),
            "the base image is missing in \(data)/images: run scripts/setup")
        return data + "/images"
    }
}
