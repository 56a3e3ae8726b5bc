import Testing

@testable import Supervision

@Suite struct LineSplitterTests {
    private func split(_ chunks: [String], limit: Int = 8) -> [LineSplitter.Line] {
        var splitter = LineSplitter(limit: limit)
        var lines: [LineSplitter.Line] = []
        for chunk in chunks {
            Array(chunk.utf8).withUnsafeBytes { bytes in splitter.feed(bytes) { lines.append($0) } }
        }
        splitter.finish { lines.append($0) }
        return lines
    }

    private func whole(_ texts: String...) -> [LineSplitter.Line] { texts.map { .whole(Array($0.utf8)) } }

    @Test func joinsLinesAcrossChunks() {
        #expect(split(["a\nb", "c\r", "\n\nd"]) == whole("a", "bc", "", "d"))
    }

    @Test func keepsALineOfExactlyTheLimit() {
        #expect(split(["12345678\n"]) == whole("12345678"))
        #expect(split(["1234", "5678\n"]) == whole("12345678"))
    }

    @Test func dropsALongerLineAndGoesOnWithTheNext() {
        #expect(split(["123456789\nok\n"]) == [.dropped(bytes: 9)] + whole("ok"))
        #expect(split(["1234567", "89", "0\nok"]) == [.dropped(bytes: 10)] + whole("ok"))
        #expect(split(["1234567890"]) == [.dropped(bytes: 10)])
    }
}
