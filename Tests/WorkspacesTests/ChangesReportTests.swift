import Domain
import Testing

@testable import Workspaces

@Suite struct ChangesReportTests {
    @Test func countsEachKindOnce() throws {
        let status = "?? new dir/\0A  staged\0 D gone\0 M changed\0R  to\0from\0UU conflict\0"
        let output = Array((" 3 files changed, 1 insertion(+), 20 deletions(-)\n\040960\t/workspace\n\0" + status).utf8)
        let report = try ChangesReport(output)
        #expect(
            report.summary
                == ChangesSummary(filesModified: 2, filesCreated: 2, filesDeleted: 1, diffStats: "+1 -20"))
        #expect(report.bytes == 40960)
    }

    @Test func nothingChangedIsAllZero() throws {
        let report = try ChangesReport(Array("\0512\t/workspace\n\0".utf8))
        #expect(report.summary == ChangesSummary())
    }

    @Test func outputThatIsNotTheScriptsIsRefused() {
        #expect(throws: CodeForgeError.self) { try ChangesReport(Array("?? a\0".utf8)) }
        #expect(throws: CodeForgeError.self) { try ChangesReport([]) }
    }

    /// More changes than are read: those before the cut count.
    @Test func aCutListCountsToTheCut() throws {
        let report = try ChangesReport(Array("\0\0?? a\0?? b\0?? verylo".utf8))
        #expect(report.summary.filesCreated == 2 && report.bytes == nil)
    }

    @Test func textForErrorsIsOneHarmlessLine() {
        let bytes = Array("fatal: \u{1B}[31mno\u{202E}\nhttps://tok@h\n\n".utf8) + [0xFF]
        #expect(SafeText.line(bytes, limit: 100, hiding: ["tok", nil, ""]) == "fatal: [31mno; https://***@h; \u{FFFD}")
        #expect(SafeText.line(Array("abcdef".utf8), limit: 3) == "…ef")
    }
}
