package import Domain

/// What `GitScript.changes()` printed.
package struct ChangesReport: Sendable, Equatable {
    package var summary: ChangesSummary
    /// Bytes of disk the work tree takes; `nil` when it could not be read.
    package var bytes: Int?

    /// - Throws: `.internal` when the output is not of the script's form.
    package init(_ output: [UInt8]) throws(CodeForgeError) {
        var fields = output.split(separator: 0, omittingEmptySubsequences: false)[...]
        // Two fields are the script's own; every status entry after them ends in NUL, but for one that was cut.
        guard fields.count >= 3, let shortstat = fields.popFirst(), let size = fields.popFirst() else {
            throw CodeForgeError(.internal, "reading the change summary: unexpected output of git")
        }
        summary = ChangesReport.count(fields.dropLast())
        summary.diffStats = ChangesReport.stats(String(decoding: shortstat, as: UTF8.self))
        // du(1): the size, a tab, the path.
        bytes = Int(String(decoding: size.prefix { $0 != UInt8(ascii: "\t") }, as: UTF8.self))
    }

    /// Counts the entries of `git status --porcelain -z` (git-status(1), "Porcelain Format Version 1").
    static func count(_ entries: ArraySlice<ArraySlice<UInt8>>) -> ChangesSummary {
        var summary = ChangesSummary()
        var entries = entries
        while let entry = entries.popFirst() {
            guard entry.count > 3 else { continue }
            let code = String(decoding: entry.prefix(2), as: UTF8.self)
            switch code {
            case "??", "A ", " A", "AM": summary.filesCreated += 1
            case " D", "D ": summary.filesDeleted += 1
            case " M", "M ", "MM", "R ", "RM": summary.filesModified += 1
            default: break
            }
            // A rename or copy has its old path as a field of its own.
            if code.contains("R") || code.contains("C") { _ = entries.popFirst() }
        }
        return summary
    }

    /// ` 1 file changed, 2 insertions(+), 3 deletions(-)` → `+2 -3`.
    static func stats(_ shortstat: String) -> String {
        var insertions = 0
        var deletions = 0
        for part in shortstat.split(separator: ",") {
            let number = Int(part.filter(\.isNumber)) ?? 0
            if part.contains("insertion") { insertions = number }
            if part.contains("deletion") { deletions = number }
        }
        return "+\(insertions) -\(deletions)"
    }
}
