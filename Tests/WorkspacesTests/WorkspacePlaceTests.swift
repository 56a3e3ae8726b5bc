import Domain
import Foundation
import TestKit
import Testing

@testable import Workspaces

@Suite struct WorkspacePlaceTests {
    private let directory = try! TemporaryDirectory()
    private var place: WorkspacePlace { WorkspacePlace(".mcp.json", in: directory.path) }
    private var path: String { directory.file(".mcp.json") }
    private var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? [] }

    @Test func aPlaceThatWasMadeIsTakenAwayAgainAlsoByAnotherRun() throws {
        #expect(place.content() == .missing)
        try place.make()
        try place.make()
        #expect(names == [".mcp.json"])
        #expect(place.content() == .missing, "it is nobody's file")
        WorkspacePlace(".mcp.json", in: directory.path).clear()
        #expect(names == [])
        place.clear()
    }

    @Test(arguments: ["", "{}"]) func aFileOfTheRepositoryStays(text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        #expect(place.content() == .file)
        try place.make()
        place.clear()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }

    @Test func aLinkOrDirectoryIsNoPlaceAndIsNotTouched() throws {
        let elsewhere = directory.file("elsewhere")
        symlink(elsewhere, path)
        #expect(place.content() == .other)
        let error = #expect(throws: CodeForgeError.self) { try place.make() }
        #expect(error?.code == .conflict)
        place.clear()
        #expect(names == [".mcp.json"])
        unlink(path)
        mkdir(path, 0)
        #expect(throws: CodeForgeError.self) { try place.make() }
        place.clear()
        #expect(names == [".mcp.json"])
    }
}
