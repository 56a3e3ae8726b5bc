import Domain
import Foundation
import TestKit
import Testing

@testable import Supervision

@Suite struct HostBinaryTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private var root: String { directory.path }

    private func write(_ path: String) throws -> String {
        let full = root + "/" + path
        try FileManager.default.createDirectory(
            atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try "x".write(toFile: full, atomically: false, encoding: .utf8)
        return full
    }

    private func link(_ name: String, to target: String) throws -> String {
        try FileManager.default.createSymbolicLink(atPath: root + "/" + name, withDestinationPath: target)
        return root + "/" + name
    }

    @Test func aLinkIsFollowedToItsEnd() throws {
        let file = try write("lib/claude-bin")
        let first = try link("one", to: "lib/claude-bin")
        let second = try link("two", to: first)
        let binary = try HostBinary(at: second, hiding: [])
        #expect(binary.source == file && binary.target == "/opt/codeforge/cli" && binary.path == binary.target)
    }

    @Test func aScriptKeepsItsEnding() throws {
        let file = try write("lib/cli.mjs")
        let binary = try HostBinary(at: try link("claude", to: file), hiding: [])
        #expect(binary == (try HostBinary(at: file, hiding: [])))
        #expect(binary.source == file && binary.target == "/opt/codeforge/cli.mjs" && binary.path == binary.target)
    }

    @Test func aPackageIsShownWithItsScript() throws {
        let file = try write("node_modules/codex/bin/codex.js")
        _ = try write("node_modules/codex/package.json")
        _ = try write("node_modules/package.json")
        let binary = try HostBinary(at: try link("codex", to: file), hiding: [root + "/data"])
        #expect(binary.source == root + "/node_modules/codex", "the nearest")
        #expect(binary.target == "/opt/codeforge/cli" && binary.path == "/opt/codeforge/cli/bin/codex.js")
    }

    @Test func whatHoldsOurOwnDataIsNoPackage() throws {
        let file = try write("cli.js")
        _ = try write("package.json")
        let binary = try HostBinary(at: file, hiding: [root + "/data/runs/t"])
        #expect(binary.source == file && binary.path == "/opt/codeforge/cli.js")
        let other = try HostBinary(at: file, hiding: [root + "-other"])
        #expect(other.source == root)
    }

    @Test func whatIsFarAboveOrFarTooMuchIsNoPackage() throws {
        let deep = try write("a/b/c/d/e/cli.js")
        _ = try write("package.json")
        #expect(try HostBinary(at: deep, hiding: []).source == deep)
        let file = try write("many/cli.js")
        _ = try write("many/package.json")
        for number in 0...HostBinary.mostEntries {
            #expect(FileManager.default.createFile(atPath: root + "/many/\(number)", contents: nil))
        }
        #expect(try HostBinary(at: file, hiding: []).source == file)
    }

    @Test func whatIsNotThereIsSaid() {
        #expect(throws: CodeForgeError.self) { try HostBinary(at: root + "/none", hiding: []) }
    }
}
