import Domain

@testable import Agents
@testable import Supervision

enum NormalizerFuzz {
    static func run(_ input: [UInt8], _ agent: String) throws(FuzzTarget.Broken) {
        guard let adapter = AgentCatalog.adapter(named: agent) else {
            throw FuzzTarget.Broken(description: "no agent \(agent)")
        }
        var normalizer = adapter.makeNormalizer()
        for line in input.split(separator: 0x0A, omittingEmptySubsequences: false) {
            if let output = normalizer.line(line) { try check(output, of: line.count) }
        }
        let tail = input.suffix(64)
        if let output = normalizer.finish(standardError: tail) { try check(output, of: tail.count) }
        let summary = normalizer.summary
        try FuzzTarget.require(summary.inputTokens >= 0 && summary.outputTokens >= 0, "counts do not run backwards")
        if let id = summary.sessionID { try FuzzTarget.require(SessionID.isValid(id), "a valid session id") }
        // U+FFFD for a byte that is no UTF-8 is three bytes.
        try FuzzTarget.require(summary.result.utf8.count <= 3 * input.count + 64, "a result no longer than the output")
    }

    private static func check(_ output: StreamOutput, of bytes: Int) throws(FuzzTarget.Broken) {
        try FuzzTarget.require(!output.data.contains { $0 == 0x0A || $0 == 0x0D }, "an event is one line")
        try FuzzTarget.require(
            String(validating: output.data, as: UTF8.self) != nil, "an event is UTF-8")
        try FuzzTarget.require(JSONView(line: output.data[...]) != nil, "an event is one JSON value")
        // A control character becomes six bytes, once in `content` and once in `raw`.
        try FuzzTarget.require(output.data.count <= 12 * bytes + 128, "an event is bounded by its line")
    }
}

enum LineFuzz {
    static func run(_ input: [UInt8]) throws(FuzzTarget.Broken) {
        guard input.count >= 2 else { return }
        let limit = Int(input[0]) + 1
        let bytes = Array(input.dropFirst(2))
        var splitter = LineSplitter(limit: limit)
        var lines: [LineSplitter.Line] = []
        for piece in Pieces(bytes, seed: input[1]) {
            piece.withUnsafeBytes { splitter.feed($0) { lines.append($0) } }
        }
        splitter.finish { lines.append($0) }
        var expected: [LineSplitter.Line] = []
        var parts = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true { parts.removeLast() }
        for part in parts {
            if part.count > limit {
                expected.append(.dropped(bytes: part.count))
            } else {
                expected.append(.whole(Array(part.last == 0x0D ? part.dropLast() : part)))
            }
        }
        try FuzzTarget.require(lines == expected, "no byte is lost, none made up")
    }
}

enum ReviewFuzz {
    static func run(_ input: [UInt8]) throws(FuzzTarget.Broken) {
        let review = ReviewParser.parse(String(decoding: input, as: UTF8.self), by: "r", seconds: 0)
        try FuzzTarget.require(
            ["approve", "request_changes", "comment"].contains(review.verdict), "a known verdict")
        try FuzzTarget.require((0...10).contains(review.score), "a score in range")
        try FuzzTarget.require(
            !review.isFallback || (review.issues.isEmpty && review.verdict == "comment"), "a fallback claims nothing")
        try FuzzTarget.require(review.summary.utf8.count <= ReviewParser.summaryBytes, "a bounded summary")
        try FuzzTarget.require(review.issues.count <= ReviewParser.mostIssues, "a bounded number of issues")
        var bytes = 0
        for issue in review.issues {
            try FuzzTarget.require(
                ["critical", "major", "minor", "suggestion"].contains(issue.severity), "a known severity")
            try FuzzTarget.require(issue.line >= 0, "no negative line")
            try FuzzTarget.require(!issue.file.utf8.contains { $0 < 0x20 }, "a path is one line")
            try FuzzTarget.require(issue.suggestion != "", "no empty suggestion")
            bytes += issue.file.utf8.count + issue.description.utf8.count + (issue.suggestion?.utf8.count ?? 0)
        }
        try FuzzTarget.require(bytes <= ReviewParser.issueBytes, "bounded issues")
    }
}
