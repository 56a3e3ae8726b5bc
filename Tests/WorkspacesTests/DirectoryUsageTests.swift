import Foundation
import TestKit
import Testing

@testable import Workspaces

@Suite struct DirectoryUsageTests {
    @Test func filesAreCountedOnceWhereverTheyHide() async throws {
        let directory = try TemporaryDirectory()
        let tree = directory.file("tree")
        for folder in ["a/b", "closed"] {
            try FileManager.default.createDirectory(atPath: tree + "/" + folder, withIntermediateDirectories: true)
        }
        try Data(count: 1 << 20).write(to: URL(fileURLWithPath: tree + "/a/b/file"))
        link(tree + "/a/b/file", tree + "/again")
        try Data(count: 2 << 20).write(to: URL(fileURLWithPath: tree + "/closed/file"))
        symlink("/usr", tree + "/link")
        chmod(tree + "/closed", 0)
        defer { chmod(tree + "/closed", 0o700) }
        let usage = try await DirectoryUsage.measure([tree + "/a", tree, directory.file("absent")], within: 30)
        #expect(usage.inodes == 7)
        #expect(usage.bytes >= 3 << 20 && usage.bytes < 4 << 20, "\(usage)")
    }
}
