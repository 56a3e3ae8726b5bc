package import Domain

/// Finds the review in what a CLI answered.
///
/// The answer is hostile: whoever wrote the code under review may have steered it. So work and sizes are bounded, and
/// an answer of any form yields a review. One that holds none becomes a comment with score 0 and the answer's beginning.
package enum ReviewParser {
    /// Longest summary, in bytes.
    package static let summaryBytes = 16 * 1024
    /// Longest description and longest suggestion of an issue, in bytes.
    package static let textBytes = 8 * 1024
    /// Longest path, in bytes; an issue with a longer one has none.
    package static let pathBytes = 4096
    /// Issues that are kept, and bytes of text in all of them; the rest is dropped.
    package static let mostIssues = 200
    package static let issueBytes = 256 * 1024
    /// Bytes of the answer shown when there is no review in it.
    static let fallbackBytes = 500

    /// - Parameters:
    ///   - reviewer: `<cli>:<model>`.
    ///   - seconds: Time the review took.
    package static func parse(_ answer: String, by reviewer: String, seconds: Double) -> ReviewResult {
        let bytes = trimmed(Array(answer.utf8)[...])
        var review = ReviewResult(
            verdict: "comment", score: 0, summary: "", issues: [], autoFixable: false, reviewedBy: reviewer,
            durationSeconds: seconds)
        guard let object = find(in: bytes) else {
            review.summary = Truncation.start(of: String(decoding: bytes, as: UTF8.self), utf8: fallbackBytes)
            return review
        }
        review.verdict = verdict(object["verdict"]?.string)
        review.score = min(max(number(object["score"]) ?? 1, 1), 10)
        review.summary = Truncation.start(of: object["summary"]?.string ?? "", utf8: summaryBytes)
        review.issues = issues(object["issues"])
        review.autoFixable = object["auto_fixable"].map { $0.isTrue || $0.matches("true") } ?? false
        return review
    }

    // MARK: Finding the object

    /// The whole answer, else its first block fenced as `json`, else the first object anywhere in it that is a review.
    private static func find(in bytes: ArraySlice<UInt8>) -> JSONView? {
        // Most answers without a review end here.
        guard bytes.firstRange(of: Array("\"verdict\"".utf8)) != nil else { return nil }
        if let whole = review(bytes) { return whole }
        if let block = fenced(bytes), let inside = review(block) { return inside }
        return firstObject(in: bytes)
    }

    private static func review(_ bytes: ArraySlice<UInt8>) -> JSONView? {
        guard let value = JSONView(line: bytes), value.isObject,
            let verdict = value["verdict"]?.text, !verdict.isEmpty
        else { return nil }
        return value
    }

    private static func fenced(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let start = bytes.firstRange(of: Array("```json".utf8)) else { return nil }
        var rest = bytes[start.upperBound...]
        if rest.first == 0x0D { rest = rest.dropFirst() }
        guard rest.first == 0x0A, let end = rest.firstRange(of: Array("\n```".utf8)) else { return nil }
        return trimmed(rest[..<end.lowerBound])
    }

    /// Tries each `{` as the start of a review, outermost first.
    ///
    /// Nested beginnings that break off late would make this quadratic: after some passes over the answer it gives up.
    private static func firstObject(in bytes: ArraySlice<UInt8>) -> JSONView? {
        var budget = 32 * bytes.count + 4096
        var start = bytes.startIndex
        while budget > 0, let open = bytes[start...].firstIndex(of: UInt8(ascii: "{")) {
            start = open + 1
            var scanner = JSONScanner(bytes, at: open)
            let isValue = scanner.skipValue()
            budget -= scanner.position - open
            guard isValue else { continue }
            let object = bytes[open..<scanner.position]
            budget -= object.count
            if let found = review(object) { return found }
        }
        return nil
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        var bytes = bytes.drop(while: isSpace)
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return bytes
    }

    // MARK: Reading its members

    private static func verdict(_ text: String?) -> String {
        let name = String((text ?? "").lowercased().map { $0 == " " || $0 == "-" ? "_" : $0 })
        return ["approve", "request_changes"].contains(name) ? name : "comment"
    }

    private static func severity(_ text: String?) -> String {
        let name = (text ?? "").lowercased()
        return ["critical", "major", "minor"].contains(name) ? name : "suggestion"
    }

    /// A number, also with a fraction, and one that begins a string, such as `"8/10"`.
    private static func number(_ value: JSONView?) -> Int? {
        guard let value else { return nil }
        if let number = value.number { return Int(max(min(number, 1e9), -1e9)) }
        guard let text = value.text else { return nil }
        let digits = text.drop { $0 == 0x20 }.prefix { (48...57).contains($0) }
        return digits.isEmpty ? nil : Int(String(decoding: digits.prefix(9), as: UTF8.self))
    }

    private static func issues(_ list: JSONView?) -> [ReviewIssue] {
        var issues: [ReviewIssue] = []
        var room = issueBytes
        for item in (list?.elements ?? []).prefix(4 * mostIssues)
        where issues.count < mostIssues && item.isObject {
            let suggestion = Truncation.start(of: item["suggestion"]?.string ?? "", utf8: textBytes)
            var file = item["file"]?.string ?? ""
            // A path is one line, and one that was cut is another path.
            if file.utf8.count > pathBytes || file.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { file = "" }
            let issue = ReviewIssue(
                severity: severity(item["severity"]?.string), file: file, line: max(0, number(item["line"]) ?? 0),
                description: Truncation.start(of: item["description"]?.string ?? "", utf8: textBytes),
                suggestion: suggestion.isEmpty ? nil : suggestion)
            guard !issue.description.isEmpty || issue.suggestion != nil else { continue }
            room -= issue.file.utf8.count + issue.description.utf8.count + suggestion.utf8.count
            guard room >= 0 else { break }
            issues.append(issue)
        }
        return issues
    }
}
