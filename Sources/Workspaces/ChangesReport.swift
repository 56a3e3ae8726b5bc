package import Domain

/// What `GitScript.changes()` printed.
package struct ChangesReport: Sendable, Equatable {
    package var summary: ChangesSummary
    /// Bytes of disk the work tree takes; `nil` when it could not be read.
    package var bytes: Int?

    /// `nil` when not even its beginning was there.
    package var diff: WorkspaceDiff?

    /// - Parameter diffBytes: As given to the script.
    /// - Throws: `.internal` when the output is not of the script's form.
    package init(_ output: [UInt8], diffBytes: Int) throws(CodeForgeError) {
        var rest = output[...]
        func field() -> ArraySlice<UInt8>? {
            guard let end = rest.firstIndex(of: 0) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return rest[..<end]
        }
        guard let shortstat = field(), let size = field() else {
            throw CodeForgeError(.internal, "reading the change summary: unexpected output of git")
        }
        // Every status entry ends in NUL, but for one that was cut; an empty one ends them.
        var entries: [ArraySlice<UInt8>] = []
        var isWhole = false
        while !isWhole, let entry = field() {
            if entry.isEmpty { isWhole = true } else { entries.append(entry) }
        }
        summary = ChangesReport.count(entries[...])
        summary.diffStats = ChangesReport.stats(String(decoding: shortstat, as: UTF8.self))
        // du(1): the size, a tab, the path.
        bytes = Int(String(decoding: size.prefix { $0 != UInt8(ascii: "\t") }, as: UTF8.self))
        // What follows the diff's NUL says whether something is missing.
        if isWhole, let end = rest.lastIndex(of: 0) {
            diff = ChangesReport.diff(rest[..<end], diffBytes, isPartial: end + 1 < rest.endIndex)
        }
    }

    /// Cut between two lines.
    private static func diff(_ bytes: ArraySlice<UInt8>, _ limit: Int, isPartial: Bool) -> WorkspaceDiff {
        guard bytes.count > limit else {
            return WorkspaceDiff(text: String(decoding: bytes, as: UTF8.self), isTruncated: isPartial)
        }
        let kept = bytes.prefix(limit)
        let end = kept.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? kept.startIndex
        return WorkspaceDiff(text: String(decoding: kept[..<end], as: UTF8.self), isTruncated: true)
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
