import Foundation
import TestKit
import Testing

@testable import Workspaces

/// Host code meets trees that an agent wrote only when it removes them, and when it asks whether one is there.
@Suite struct HostTreeTests {
    /// Runs a script that builds something.
    private func shell(_ script: String, in directory: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-ec", script]
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(script)")
    }

    @Test func aHostileTreeIsRemovedAndNothingBesidesIt() async throws {
        let directory = try TemporaryDirectory()
        try shell(
            """
            mkdir outside tree && echo kept > outside/f
            cd tree
            ln -s ../outside out; ln -s ../outside/f file; ln -s loop loop; ln -s / root
            mkfifo fifo; truncate -s 1T huge; touch -- -rf --help "$(printf 'a\\nb\\033[31m\\377')"
            seq 100000 | xargs touch
            mkdir closed && touch closed/f && chmod 000 closed
            name=$(printf 'x%.0s' {1..200}); (for i in {1..100}; do mkdir $name && cd $name; done; touch bottom)
            """, in: directory.path)
        try await HostTree.remove(directory.file("tree"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["outside"])
        #expect(try String(contentsOfFile: directory.file("outside/f"), encoding: .utf8) == "kept\n")
    }

    @Test func whatIsNoDirectoryIsNotTakenForOne() async throws {
        let directory = try TemporaryDirectory()
        try shell("mkdir real; ln -s real link; mkfifo fifo; echo > file", in: directory.path)
        #expect(HostTree.isDirectory(directory.file("real")))
        for name in ["link", "fifo", "file", "nothing"] {
            #expect(!HostTree.isDirectory(directory.file(name)), "\(name)")
        }
        // A link in the place of a tree goes; where it leads stays.
        try await HostTree.remove(directory.file("link"))
        #expect(
            HostTree.isDirectory(directory.file("real"))
                && !FileManager.default.fileExists(atPath: directory.file("link")))
    }
}
