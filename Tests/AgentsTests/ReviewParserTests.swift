import Domain
import Testing

@testable import Agents

@Suite struct ReviewParserTests {
    private func parse(_ answer: String) -> ReviewResult { ReviewParser.parse(answer, by: "codex:m", seconds: 1.5) }

    private static let review = """
        {"verdict":"request_changes","score":4,"summary":"s","auto_fixable":true,"issues":[
        {"severity":"major","file":"a.swift","line":3,"description":"d","suggestion":"use } and \\" here"}]}
        """

    private func isTheReview(_ result: ReviewResult) -> Bool {
        result
            == ReviewResult(
                verdict: "request_changes", score: 4, summary: "s",
                issues: [
                    ReviewIssue(
                        severity: "major", file: "a.swift", line: 3, description: "d",
                        suggestion: "use } and \" here")
                ], autoFixable: true, reviewedBy: "codex:m", durationSeconds: 1.5)
    }

    @Test(arguments: [
        review, "\n \(review)\r\n", "Here it is:\n```json\n\(review)\n```\nBye.", "```json\r\n\(review)\r\n```",
        "I looked at {everything}. \(review) That is all {}.", "```\n\(review)\n```", #"{"review":\#(review)}"#,
        "First {\"a\": [\n1, 2 \(review)", "[\(review)]",
        #"```json\#n{"other":"verdict"}\#n```\#n\#(review)"#,
        "The form is {\"verdict\": \"approve\" | \"comment\", …}:\n\(review)",
        #"{"verdict":""} {"verdict":null} {"verdict":7} \#(review)"#,
        #"{"issues":[{"verdict_of":1}],"note":"\"verdict\": {"} \#(review)"#,
    ])
    func aReviewIsFound(answer: String) { #expect(isTheReview(parse(answer))) }

    /// The naive walk back from `"verdict"` ends inside `issues` then.
    @Test func issuesMayComeFirst() {
        let result = parse(
            #"So: {"issues":[{"description":"{"},{"description":"b","line":2}],"score":9,"verdict":"approve"}"#)
        #expect(result.verdict == "approve" && result.score == 9 && result.issues.map(\.line) == [0, 2])
    }

    @Test(arguments: [
        "", "  \n", "no review", "{}", #"{"verdict":""}"#, #"{"verdict":["approve"]}"#, #""verdict" {"#,
        #"{"verdict":"approve""#, #"{'verdict':'approve'}"#, "```json\n```",
    ])
    func anAnswerWithoutOneIsAComment(answer: String) {
        let result = parse(answer)
        #expect(result.verdict == "comment" && result.isFallback && result.issues.isEmpty && !result.autoFixable)
        #expect(result.summary == answer.trimmingSpace && result.reviewedBy == "codex:m")
    }

    @Test func theFallbackShowsTheBeginning() {
        #expect(parse(" x" + String(repeating: "é", count: 400)).summary == "x" + String(repeating: "é", count: 249))
    }

    @Test(arguments: [
        ("8", 8), ("0", 1), ("-3", 1), ("11", 10), ("7.6", 7), ("1e400", 1), ("\"9\"", 9), ("\"8/10\"", 8),
        ("\"good\"", 1), ("null", 1), ("[8]", 1), ("99999999999999999999", 10), ("-1e300", 1),
    ])
    func scoresAreTolerated(_ json: String, _ score: Int) {
        #expect(parse(#"{"verdict":"approve","score":\#(json)}"#).score == score)
    }

    @Test(arguments: [
        ("approve", "approve"), ("APPROVE", "approve"), ("Request Changes", "request_changes"),
        ("request-changes", "request_changes"), ("comment", "comment"), ("lgtm", "comment"),
    ])
    func verdictsAreNormalized(_ verdict: String, _ expected: String) {
        #expect(parse(#"{"verdict":"\#(verdict)"}"#).verdict == expected)
    }

    @Test func membersOfAWrongTypeAreTolerated() {
        let result = parse(
            """
            {"verdict":"approve","summary":["x"],"auto_fixable":"true","issues":[
            "text", null, {"severity":"BLOCKER","file":7,"line":"42-50","description":"a"},
            {"severity":"Critical","file":"b\\nc","line":-1,"description":"b","suggestion":""},
            {"file":"only.swift","line":1}]}
            """)
        #expect(result.summary.isEmpty && result.autoFixable && result.score == 1)
        #expect(
            result.issues == [
                ReviewIssue(severity: "suggestion", file: "", line: 42, description: "a", suggestion: nil),
                ReviewIssue(severity: "critical", file: "", line: 0, description: "b", suggestion: nil),
            ])
        #expect(parse(#"{"verdict":"approve","issues":{"a":1}}"#).issues.isEmpty)
    }

    @Test func sizesAreBounded() {
        let long = String(repeating: "é", count: 20_000)
        let path = String(repeating: "f", count: 5000)
        let issue = #"{"file":"\#(path)","line":1,"description":"\#(long)","suggestion":"s"}"#
        let many = Array(repeating: issue, count: 34).joined(separator: ",")
        let result = parse(#"{"verdict":"approve","summary":"\#(long)","issues":[\#(many)]}"#)
        #expect(result.summary.utf8.count == ReviewParser.summaryBytes)
        #expect(result.issues.count == 31 && result.issues[0].file.isEmpty)
        #expect(result.issues[0].description.utf8.count == ReviewParser.textBytes)
        let small = Array(repeating: #"{"description":"d"}"#, count: 300).joined(separator: ",")
        #expect(parse(#"{"verdict":"approve","issues":[\#(small)]}"#).issues.count == ReviewParser.mostIssues)
    }

    /// Each of these has as many beginnings as it is long.
    @Test(arguments: [#"{"a":"#, "{", #"{"a":[1,"#, #"{"a":{"b":0},"#, #"{"\"{"#, "[{"])
    func hostileNestingIsGivenUp(piece: String) {
        let text = String(repeating: piece, count: 100_000 / piece.utf8.count) + #""verdict""#
        let start = ContinuousClock.now
        #expect(parse(text).isFallback)
        #expect(ContinuousClock.now - start < .seconds(20), "quadratic")
    }
}

extension String {
    fileprivate var trimmingSpace: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
