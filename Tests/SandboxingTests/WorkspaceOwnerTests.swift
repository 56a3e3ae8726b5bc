import Domain
import Foundation
import TestKit
import Testing

@testable import Sandboxing

@Suite struct WorkspaceOwnerTests {
    /// What stands where a workspace should be may have been put there by an agent.
    @Test func onlyADirectoryIsMadeTheOwners() throws {
        let directory = try TemporaryDirectory()
        let target = directory.file("target")
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
        symlink(target, directory.file("link"))
        mkfifo(directory.file("fifo"), 0o600)
        for name in ["link", "fifo"] {
            let error = #expect(throws: CodeForgeError.self) {
                try WorkspaceOwner.current.makeDirectory(directory.file(name))
            }
            #expect(error?.code == .conflict, "\(name)")
        }
        try WorkspaceOwner.current.own(directory.file("link"))
        var status = stat()
        #expect(stat(target, &status) == 0 && status.st_uid == geteuid(), "the link's target was changed")
    }
}
