import Testing

@testable import Domain

@Suite struct JSONTextTests {
    private func quoted(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.appendJSONString(bytes)
        #expect(String(validating: text, as: UTF8.self) != nil)
        return String(decoding: text, as: UTF8.self)
    }

    @Test func onlyWhatMustBeIsEscaped() {
        #expect(quoted("plain /é😀\u{7F}\u{2028}".utf8) == "\"plain /é😀\u{7F}\u{2028}\"")
        #expect(quoted("\"\\\n\r\t\u{8}\u{0}\u{1F}".utf8) == #""\"\\\n\r\t\u0008\u0000\u001f""#)
        #expect(quoted([]) == "\"\"")
        #expect(quoted("a".utf8.lazy.map { $0 }.reversed()) == "\"a\"")
    }

    /// The same as the standard library makes of it, for every pair of lead and next byte.
    @Test func brokenUTF8IsRepairedAsTheStandardLibraryDoes() {
        for first in UInt8(0x80)...0xFF {
            for second in UInt8(0)...0xFF {
                for rest: [UInt8] in [[], [0x80], [0x80, 0x80], [0x41], [0xE2, 0x82, 0xAC]] {
                    let bytes = [0x61, first, second] + rest
                    let string = String(decoding: bytes, as: UTF8.self)
                    if quoted(bytes) != quoted(string.utf8) { Issue.record("\(bytes)") }
                }
            }
        }
    }

    @Test func aWriterRepairsToo() {
        var writer = JSONWriter()
        writer.string(utf8: [0x61, 0xFF])
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "\"a\u{FFFD}\"")
    }
}
