import Domain
import Testing

@Suite struct SafeTextTests {
    private static let hostile = "one\ttwo\r\n\u{1B}[2J\u{9B}1m bell\u{07} né 漢字 😀\u{202E}\rover\r"
    private static let shown = "one\ttwo\n?[2J?1m bell? né 漢字 😀??over?"

    @Test func linesKeepTabsAndLineEndsAlone() {
        #expect(SafeText.lines(Self.hostile.utf8) == Self.shown)
        #expect(SafeText.lines([0x41, 0xFF, 0x0A]) == "A\u{FFFD}\n")
    }

    /// Where a pipe cuts must not matter.
    @Test(arguments: 1...7) func piecesReadAsTheWhole(_ size: Int) {
        let bytes = Array(Self.hostile.utf8) + [0xE6, 0xBC]
        var text = TerminalText()
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            out += text.fit(bytes[start..<min(start + size, bytes.count)])
        }
        out += text.end()
        #expect(String(decoding: out, as: UTF8.self) == SafeText.lines(bytes))
    }
}
