import Domain
import Foundation
import TestKit
import Testing

@testable import Workspaces

@Suite struct TaskFilesTests {
    private let directory: TemporaryDirectory
    private let files: TaskFiles

    init() throws {
        directory = try TemporaryDirectory()
        files = TaskFiles(dataDirectory: directory.file("data"), workspaceBase: directory.file("base"))
    }

    private func make(_ paths: String...) throws {
        for path in paths {
            let url = URL(fileURLWithPath: directory.file(path))
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("x".utf8).write(to: url)
        }
    }

    private func names(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory.file(path))) ?? []).sorted()
    }

    @Test func nothingIsThereBeforeTheFirstTask() async throws {
        #expect(try await files.slugs() == [])
        #expect(try await files.taskIDs() == [])
        #expect(try await files.runs(unchangedFor: 0) == [])
        try files.discard(slug: "a", taskID: "b")
        try await files.removeDiscarded()
    }

    @Test func bothFormsOfAWorkspaceAreFound() async throws {
        try make("base/a/f", "base/b.ext4", "base/.template-1-2-3.ext4", "data/git/a/HEAD", "data/homes/c/f")
        #expect(try await files.slugs() == ["a", "b"])
        #expect(try await files.taskIDs() == ["a", "c"])
        #expect(files.volumeBytes(of: "b") ?? 0 > 0)
        #expect(files.volumeBytes(of: "a") == nil && files.volumeBytes(of: "../base/b") == nil)
    }

    @Test func whatIsDiscardedIsGoneAtOnceAndRemovedLater() async throws {
        try make("base/s/f", "base/s.ext4", "base/other/f", "data/git/t/HEAD", "data/homes/t/f", "data/runs/t/lock")
        try make("data/git/u/HEAD", "data/runs/u/lock", "base/.template-1.ext4")
        try files.discard(slug: "s", taskID: "t")
        #expect(try await files.slugs() == ["other"])
        #expect(try await files.taskIDs() == ["u"])
        #expect(try await files.runs(unchangedFor: 0) == ["u"])
        // By another process, after a crash of this one.
        try await TaskFiles(dataDirectory: directory.file("data"), workspaceBase: directory.file("base"))
            .removeDiscarded()
        #expect(names("base") == [".template-1.ext4", "other"])
        #expect(names("data/git") == ["u"] && names("data/homes") == [] && names("data/runs") == ["u"])
    }

    @Test func onlyOldRunDirectoriesAreFoundAndLinksAreNone() async throws {
        try make("data/runs/new/lock", "data/runs/old/lock", "elsewhere/f")
        let past = Date(timeIntervalSinceNow: -100)
        try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: directory.file("data/runs/old"))
        symlink(directory.file("elsewhere"), directory.file("data/runs/link"))
        #expect(try await files.runs(unchangedFor: 60) == ["old"])
        try files.discardRun(of: "old")
        try await files.removeDiscarded()
        #expect(names("data/runs") == ["link", "new"])
    }

    @Test func aLinkGoesAndWhereItLeadsStays() async throws {
        try make("elsewhere/f", "base/x/f")
        symlink(directory.file("elsewhere"), directory.file("base/s"))
        symlink(directory.file("elsewhere/f"), directory.file("base/s.ext4"))
        #expect(files.volumeBytes(of: "s") == nil)
        try files.discard(slug: "s", taskID: "t")
        try await files.removeDiscarded()
        #expect(names("base") == ["x"] && names("elsewhere") == ["f"])
    }

    @Test(arguments: ["", ".", "..", "../elsewhere", "a/b", "/", ".template-1.ext4", "a\u{0}b"])
    func noNameLeadsOut(_ name: String) async throws {
        try make("elsewhere/f", "base/.template-1.ext4", "base/a/b/f", "data/git/t/HEAD")
        #expect(throws: CodeForgeError.self) { try files.discard(slug: nil, taskID: name) }
        // The suffix makes a name of some of them, which is not there.
        _ = try? files.discard(slug: name, taskID: "u")
        try await files.removeDiscarded()
        #expect(names("elsewhere") == ["f"] && names("base") == [".template-1.ext4", "a"] && names("base/a") == ["b"])
    }
}
