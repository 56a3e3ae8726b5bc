/// The query parameters the forges document, by method and path; what a path does not name it does not have.
///
/// Source: GitHub documentation, "REST API endpoints"; GitLab documentation, "REST API resources"; Sentry documentation,
/// "API reference".
enum ForgeQueries {
    private static let paging: Set<String> = ["page", "per_page"]

    static let github: [(String, Set<String>)] = [
        (
            "GET user/repos",
            paging.union(["visibility", "affiliation", "type", "sort", "direction", "since", "before"])
        ),
        ("GET repos/*/*/pulls", paging.union(["state", "head", "base", "sort", "direction"])),
        ("GET repos/*/*/pulls/*/files", paging), ("GET repos/*/*/pulls/*/reviews", paging),
    ]

    static let gitlab: [(String, Set<String>)] = [
        (
            "GET users",
            paging.union(["username", "public_email", "search", "active", "external", "blocked", "humans", "order_by"])
        ),
        (
            "GET projects",
            paging.union([
                "archived", "membership", "min_access_level", "order_by", "owned", "search", "simple", "sort",
                "starred",
                "visibility", "with_issues_enabled", "with_merge_requests_enabled",
            ])
        ),
        (
            "GET projects/*/merge_requests",
            paging.union([
                "state", "scope", "author_id", "labels", "milestone", "order_by", "search", "sort", "source_branch",
                "target_branch", "view", "wip",
            ])
        ),
        (
            "GET projects/*/merge_requests/*",
            ["include_diverged_commits_count", "include_rebase_in_progress", "render_html"]
        ),
        ("GET projects/*/merge_requests/*/versions", paging),
        ("GET projects/*/merge_requests/*/discussions", paging),
    ]

    static let sentry: [(String, Set<String>)] = [
        ("GET organizations", ["owner", "cursor", "query", "sortBy"]), ("GET organizations/*/projects", ["cursor"]),
        // `sort` is what its own pages send.
        (
            "GET projects/*/*/issues",
            ["statsPeriod", "shortIdLookup", "query", "hashes", "cursor", "limit", "sort"]
        ),
        ("GET issues/*/events/latest", ["environment"]),
    ]

    /// One line for each parameter of the request that the API does not have, or that came twice.
    static func violations(
        of request: ForgeRequest, _ path: [String], in table: [(String, Set<String>)]
    ) -> [String] {
        let known = table.first { entry in
            let words = entry.0.split(separator: " ")
            let parts = words.last?.split(separator: "/") ?? []
            return words.first.map(String.init) == request.method && parts.count == path.count
                && zip(parts, path).allSatisfy { $0 == "*" || String($0) == $1 }
        }
        return request.query.keys.sorted().filter { known?.1.contains($0) != true }.map { "query has \($0)" }
            + request.repeated.map { "query has \($0) twice" }
    }
}
