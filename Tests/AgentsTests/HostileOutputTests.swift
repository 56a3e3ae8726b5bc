import Foundation
import Testing

@testable import Agents

/// What a CLI prints is what a stranger's repository made it print.
@Suite struct HostileOutputTests {
    @Test func invalidUTF8IsRepairedInEveryMember() throws {
        let bad: [UInt8] = [0xFF, 0xC3, 0x28, 0xED, 0xA0, 0x80, 0xF4, 0x90, 0x80, 0x80, 0xE2, 0x82]
        let line = Array(#"{"type":"result","result":""#.utf8) + bad + Array(#""}"#.utf8)
        for (name, output) in [
            ("claude-code", ClaudeCodeNormalizer().first(line)), ("shell", ShellNormalizer().first(bad)),
        ] {
            let data = try #require(output).data
            #expect(String(validating: data, as: UTF8.self) != nil, "\(name)")
            let json = try #require(try JSONSerialization.jsonObject(with: Data(data)) as? [String: Any])
            #expect((json["content"] as? String)?.contains("\u{FFFD}(\u{FFFD}") == true, "\(name)")
        }
    }

    /// A carriage return ends a line of an event stream, so one between JSON tokens could forge a frame.
    @Test func aCarriageReturnNeverLeaves() throws {
        let line = "{\"type\":\"result\",\r\"result\":\"x\"\r,\n\"a\":1}"
        let data = try #require(ClaudeCodeNormalizer().first(Array(line.utf8))).data
        #expect(!data.contains(0x0D) && !data.contains(0x0A))
        let shell = try #require(ShellNormalizer().first(Array("a\rdata: forged".utf8))).data
        #expect(!shell.contains(0x0D))
        let bare = try #require(CodexNormalizer().first(Array("[1,\r2]".utf8))).data
        #expect(String(decoding: bare, as: UTF8.self) == "[1, 2]")
    }

    @Test func nestingEndsWithoutExhaustingTheStack() {
        for depth in [JSONScanner.deepest, 1_000_000] {
            let arrays = [UInt8](repeating: UInt8(ascii: "["), count: depth)
            #expect(CodexNormalizer().first(arrays) == nil)
            #expect(CodexNormalizer().first(arrays + [UInt8](repeating: UInt8(ascii: "]"), count: depth + 1)) == nil)
        }
        let fine = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(CodexNormalizer().first(Array(fine.utf8))?.kind == nil)
    }

    @Test func aRawMemberCannotCloseItsObject() throws {
        // Lenient readers take these; they would change what our event says.
        for line in [
            #"{"a":"x"},"type":"result""#, #"{"a":1}{"b":2}"#, "{\"a\":\"\u{0}\"}", #"{"a":"\x"}"#, #"{"a":.5}"#,
        ] {
            #expect(ClaudeCodeNormalizer().first(Array(line.utf8)) == nil, "\(line)")
        }
    }

    @Test func surrogatesAreJoinedOrReplaced() throws {
        let line = #"{"type":"result","result":"\ud83d\ude00 \ud800x \udc00 \ud83d\ud83d\ude00"}"#
        var normalizer = ClaudeCodeNormalizer()
        _ = normalizer.line(Array(line.utf8))
        #expect(normalizer.summary.result == "😀 \u{FFFD}x \u{FFFD} \u{FFFD}😀")
    }

    @Test func everyByteSurvivesAsJSON() throws {
        let all = (0...255).map { UInt8($0) }
        let data = try #require(ShellNormalizer().first(all)).data
        let json = try #require(try JSONSerialization.jsonObject(with: Data(data)) as? [String: Any])
        #expect(json["content"] as? String == String(decoding: all, as: UTF8.self))
        #expect(json["raw"] as? String == String(decoding: all, as: UTF8.self))
    }

    @Test func truncatedLinesNeverTrap() {
        let line = Array(
            #"{"type":"assistant","message":{"content":[{"type":"text","text":"a\u00e9\n\"é😀"}]},"n":-1.5e+3}"#.utf8)
        for end in 0..<line.count {
            #expect(ClaudeCodeNormalizer().first(Array(line[..<end])) == nil)
        }
        #expect(ClaudeCodeNormalizer().first(line)?.kind == .text)
        // A slice that does not start at zero, as a relay hands them out.
        var normalizer = ClaudeCodeNormalizer()
        let event = normalizer.line((Array("xx".utf8) + line)[2...])
        #expect(event?.kind == .text)
    }
}

extension OutputNormalizer {
    /// The event of one line, of a normalizer that has seen no other.
    func first(_ line: [UInt8]) -> StreamOutput? {
        var copy = self
        return copy.line(line)
    }
}
