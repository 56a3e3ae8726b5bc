package import Domain

/// Sentry out there.
///
/// Source: Sentry documentation, "API reference": organizations, projects, events and issues.
package struct RemoteIssueSource: IssueSource {
    private let http: ForgeHTTP

    package init(_ transport: any HTTPTransport, addresses: AddressRule) {
        http = ForgeHTTP(transport, addresses, title: "sentry API", quoted: 200)
    }

    package func fetch(_ query: IssueQuery, _ access: IssueAccess) async throws(ForgeError) -> [UInt8] {
        let body = try await http.send(call(query, access)).body
        // It becomes part of an answer of ours: nothing but one JSON value may.
        _ = try http.decode(JSONValue.self, from: body)
        return body
    }

    package func organizationCount(_ access: IssueAccess) async throws(ForgeError) -> Int {
        try await http.ask(call(.organizations, access), for: [JSONValue].self).count
    }

    private func call(_ query: IssueQuery, _ access: IssueAccess) -> ForgeCall {
        ForgeCall(
            url: access.apiURL + query.path,
            headers: ["Accept": "application/json", "Authorization": "Bearer \(access.token)"], seconds: 30,
            limit: 1 << 20, token: access.token)
    }
}

extension IssueQuery {
    fileprivate var path: String {
        func encoded(_ text: String) -> String { PercentEncoding.encoded(text) }
        switch self {
        case .organizations: return "/organizations/"
        case .projects(let organization): return "/organizations/\(encoded(organization))/projects/"
        case .issues(let organization, let project, let search, let limit, let sort):
            let order = sort.map { "&sort=\(encoded($0))" } ?? ""
            return "/projects/\(encoded(organization))/\(encoded(project))/issues/"
                + "?query=\(encoded(search))&limit=\(encoded(limit))\(order)"
        case .issue(let id): return "/issues/\(encoded(id))/"
        case .latestEvent(let id): return "/issues/\(encoded(id))/events/latest/"
        }
    }
}
