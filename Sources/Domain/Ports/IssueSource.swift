/// Sentry over its REST API.
package protocol IssueSource: Sendable {
    /// - Returns: One JSON value of at most 1 MiB, as it came.
    /// - Throws: After 30 s at the latest; the message begins with `sentry API`.
    func fetch(_ query: IssueQuery, _ access: IssueAccess) async throws(ForgeError) -> [UInt8]

    /// How many organizations the token can see.
    func organizationCount(_ access: IssueAccess) async throws(ForgeError) -> Int
}

/// What can be asked of Sentry.
package enum IssueQuery: Sendable, Hashable {
    case organizations
    case projects(organization: String)
    /// - Parameters:
    ///   - search: In Sentry's search language.
    ///   - sort: `freq`, `date` and so on; `nil`: Sentry's default.
    case issues(organization: String, project: String, search: String, limit: String, sort: String?)
    case issue(String)
    case latestEvent(issue: String)
}
