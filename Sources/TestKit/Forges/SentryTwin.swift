package import Domain

/// What the test server's Sentry knows, and its rules.
///
/// Source: Sentry documentation, "API reference".
package struct SentryTwin: Sendable {
    package var tokens: Set<String> = ["sntrys_good"]
    package var organizations: [JSONValue] = []
    /// By organization.
    package var projects: [String: [JSONValue]] = [:]
    /// By `organization/project`.
    package var issues: [String: [JSONValue]] = [:]
    /// By id.
    package var issue: [String: JSONValue] = [:]
    package var latestEvent: [String: JSONValue] = [:]

    func answer(_ request: ForgeRequest, _ path: [String], _ violations: inout [String]) -> ForgeAnswer {
        if request.method != "GET" { violations.append("only reads are known") }
        violations += ForgeQueries.violations(of: request, path, in: ForgeQueries.sentry)
        // Sentry redirects a path without its slash, and the token does not follow.
        if !request.path.hasSuffix("/") { violations.append("no slash at the end") }
        guard let value = request.headers["authorization"], value.hasPrefix("Bearer "),
            tokens.contains(String(value.dropFirst("Bearer ".count)))
        else { return ForgeAnswer(401, ["detail": "Invalid token"]) }
        let missing = ForgeAnswer(404, ["detail": "The requested resource does not exist"])
        switch (path.count, path.first, path.last) {
        case (1, "organizations", _): return ForgeAnswer(200, .array(organizations))
        case (3, "organizations", "projects"):
            return projects[path[1]].map { ForgeAnswer(200, .array($0)) } ?? missing
        case (4, "projects", "issues"):
            if let limit = request.query["limit"], Int(limit) == nil {
                return ForgeAnswer(400, ["detail": "Invalid limit"])
            }
            return issues[path[1] + "/" + path[2]].map { ForgeAnswer(200, .array($0)) } ?? missing
        case (2, "issues", _): return issue[path[1]].map { ForgeAnswer(200, $0) } ?? missing
        case (4, "issues", "latest") where path[2] == "events":
            return latestEvent[path[1]].map { ForgeAnswer(200, $0) } ?? missing
        default:
            violations.append("no such path")
            return missing
        }
    }
}
