import Domain
import Testing

@testable import Workspaces

@Suite struct ChangesReportTests {
    @Test func countsEachKindOnce() throws {
        let status = "?? new dir/\0A  staged\0 D gone\0 M changed\0R  to\0from\0UU conflict\0"
        let output = Array((" 3 files changed, 1 insertion(+), 20 deletions(-)\n\040960\t/workspace\n\0" + status).utf8)
        let report = try ChangesReport(output, diffBytes: 100)
        #expect(
            report.summary
                == ChangesSummary(filesModified: 2, filesCreated: 2, filesDeleted: 1, diffStats: "+1 -20"))
        #expect(report.bytes == 40960)
    }

    @Test func nothingChangedIsAllZero() throws {
        let report = try ChangesReport(Array("\0512\t/workspace\n\0\0\0".utf8), diffBytes: 0)
        #expect(report.summary == ChangesSummary())
        #expect(report.diff == WorkspaceDiff(text: "", isTruncated: false))
    }

    @Test func outputThatIsNotTheScriptsIsRefused() {
        #expect(throws: CodeForgeError.self) { try ChangesReport(Array("?? a\0".utf8), diffBytes: 0) }
        #expect(throws: CodeForgeError.self) { try ChangesReport([], diffBytes: 0) }
    }

    /// More changes than are read: those before the cut count.
    @Test func aCutListCountsToTheCut() throws {
        let report = try ChangesReport(Array("\0\0?? a\0?? b\0?? verylo".utf8), diffBytes: 100)
        #expect(report.summary.filesCreated == 2 && report.bytes == nil && report.diff == nil)
    }

    @Test(arguments: [
        ("one\ntwo\n", "", "one\ntwo\n", false), ("one\ntwo\n", "partial", "one\ntwo\n", true),
        ("one\ntwo\nx", "partial", "one\ntwo\n", true), ("one two three", "", "", true), ("a\0b", "", "a\0b", false),
        ("", "", "", false),
    ])
    func theDiffIsCutBetweenLinesAndSaysSo(_ printed: String, _ mark: String, _ text: String, _ cut: Bool) throws {
        let output = Array("\0\0 M a\0\0\(printed)\0\(mark)".utf8)
        let report = try ChangesReport(output, diffBytes: 8)
        #expect(report.diff == WorkspaceDiff(text: text, isTruncated: cut) && report.summary.filesModified == 1)
    }

    @Test func bytesThatAreNoTextAreReplaced() throws {
        let report = try ChangesReport(Array("\0\0 M a\0\0+".utf8) + [0xE9, 10, 0], diffBytes: 8)
        #expect(report.diff?.text == "+\u{FFFD}\n")
    }

    @Test func textForErrorsIsOneHarmlessLine() {
        let bytes = Array("fatal: \u{1B}[31mno\u{202E}\nhttps://tok@h\n\n".utf8) + [0xFF]
        #expect(SafeText.line(bytes, limit: 100, hiding: ["tok", nil, ""]) == "fatal: [31mno; https://***@h; \u{FFFD}")
        #expect(SafeText.line(Array("abcdef".utf8), limit: 3) == "…ef")
    }
}
