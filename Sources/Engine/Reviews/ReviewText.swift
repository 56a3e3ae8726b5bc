import Domain

/// A review as the text of comments.
///
/// Its words come from a model that read foreign code, and are posted in our name: they may notify nobody, run no
/// command of the forge, load nothing from elsewhere and hide nothing.
enum ReviewText {
    /// Bytes of a comment's text; GitHub takes 65 536 characters, and ours end with a footer and a marker.
    static let mostBytes = 60_000

    /// The comment about all of it.
    ///
    /// - Parameters:
    ///   - general: Issues that have no comment of their own.
    ///   - marker: An invisible line at the end.
    static func summary(_ review: ReviewResult, general: [ReviewIssue], marker: String) -> String {
        var text = "## CodeForge review\n\n**\(title(review.verdict))** · **\(review.score)/10**\n"
        let summary = harmless(review.summary)
        if !summary.isEmpty { text += "\n\(summary)\n" }
        var shown = 0
        for issue in general {
            let item = bullet(issue)
            guard text.utf8.count + item.utf8.count < mostBytes else { break }
            if shown == 0 { text += "\n### General issues\n\n" }
            text += item
            shown += 1
        }
        let left = general.count - shown
        if left > 0 { text += "\n(\(left) more \(left == 1 ? "issue" : "issues") left out.)\n" }
        return text + "\n---\n*Reviewed by CodeForge with \(harmless(review.reviewedBy))*\n\n\(marker)"
    }

    /// The comment about one line.
    static func line(_ issue: ReviewIssue, marker: String) -> String {
        var text = heading(issue)
        if let suggestion = issue.suggestion { text += "\n\n" + quoted(suggestion) }
        return text + "\n\n" + marker
    }

    /// Invisible, and not to be guessed.
    static func marker(_ secret: String, _ part: String) -> String { "<!-- codeforge:\(secret):\(part) -->" }

    private static func title(_ verdict: String) -> String {
        switch verdict {
        case "approve": "Approve"
        case "request_changes": "Request changes"
        default: "Comment"
        }
    }

    private static func heading(_ issue: ReviewIssue) -> String {
        "**[\(issue.severity.uppercased())]** \(harmless(issue.description))"
    }

    private static func quoted(_ text: String) -> String {
        harmless(text).split(separator: "\n", omittingEmptySubsequences: false).map { "> " + $0 }
            .joined(separator: "\n")
    }

    private static func bullet(_ issue: ReviewIssue) -> String {
        var text = heading(issue)
        if !issue.file.isEmpty {
            let place = harmless(issue.file).filter { $0 != "`" } + (issue.line > 0 ? ":\(issue.line)" : "")
            text += " (`\(place)`)"
        }
        if let suggestion = issue.suggestion { text += "\n" + quoted(suggestion) }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return "- " + lines.joined(separator: "\n  ") + "\n"
    }

    /// The text without effects: a zero-width space breaks mentions, commands at the start of a line (GitLab's quick
    /// actions), images and HTML; controls and characters that reorder text are gone.
    static func harmless(_ text: String) -> String {
        let blank: Unicode.Scalar = "\u{200B}"
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        var isLineStart = true
        for (index, scalar) in scalars.enumerated() {
            let next = index + 1 < scalars.count ? scalars[index + 1] : " "
            switch scalar {
            case "\r":
                if next != "\n" { result.append("\n") }
                isLineStart = true
                continue
            case "\n", "\u{0B}", "\u{0C}", "\u{85}", "\u{2028}", "\u{2029}":
                result.append("\n")
                isLineStart = true
                continue
            case "/" where isLineStart: result.append(blank)
            default: break
            }
            guard !isHidden(scalar) else { continue }
            result.append(scalar)
            let breaks =
                switch scalar {
                case "@": isWord(next)
                case "!": next == "["
                case "<": isWord(next) || next == "!" || next == "/" || next == "?"
                default: false
                }
            if breaks { result.append(blank) }
            if !scalar.properties.isWhitespace { isLineStart = false }
        }
        return String(result)
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_" || scalar == "-"
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\t": false
        case "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}", "\u{200E}", "\u{200F}", "\u{61C}", "\u{FEFF}": true
        default: scalar.properties.generalCategory == .control
        }
    }
}

/// Lines of a pull request's new side that a comment may stand at.
enum DiffLines {
    /// By path: lines added, and lines shown around them.
    static func of(_ files: [ChangedFile]) -> [String: Set<Int>] {
        Dictionary(files.map { ($0.path, lines($0.patch ?? "")) }, uniquingKeysWith: { $0.union($1) })
    }

    static func lines(_ patch: String) -> Set<Int> {
        var lines: Set<Int> = []
        var next: Int?
        for line in patch.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            switch line.first {
            case UInt8(ascii: "@"): next = start(line)
            case UInt8(ascii: "+"), UInt8(ascii: " "):
                guard let number = next else { continue }
                lines.insert(number)
                next = number < .max ? number + 1 : nil
            default: continue  // a removed line, or "\ No newline at end of file"
            }
        }
        return lines
    }

    /// The number after `+` in `@@ -1,2 +3,4 @@`.
    private static func start(_ header: Substring.UTF8View.SubSequence) -> Int? {
        guard let plus = header.firstIndex(of: UInt8(ascii: "+")) else { return nil }
        let digits = header[header.index(after: plus)...].prefix { (48...57).contains($0) }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
