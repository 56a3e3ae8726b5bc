import Domain
import Engine
import HTTPTypes
import Hummingbird

/// Looking at repositories and Sentry issues with a key.
struct ForgeRoutes: Sendable {
    private let browser: ForgeBrowser

    init(_ dependencies: APIDependencies) { browser = dependencies.browser }

    var routes: [Route] {
        [
            Route(.get, "/api/v1/repositories", "List repositories of a token", access: .submit, handler: repositories),
            Route(.get, "/api/v1/sentry/organizations", "List Sentry organizations", access: .submit) { request, _ in
                try await list("organizations", request) { _ in .organizations }
            },
            Route(.get, "/api/v1/sentry/projects", "List a Sentry organization's projects", access: .submit) {
                request, _ in
                try await list("projects", request) { query in
                    guard let organization = query.filled("org") else { throw required("org query param is required") }
                    return .projects(organization: try segment("org", organization))
                }
            },
            Route(.get, "/api/v1/sentry/issues", "List a Sentry project's issues", access: .submit) { request, _ in
                try await list("issues", request, issues)
            },
            Route(.get, "/api/v1/sentry/issues/{issueID}", "Get a Sentry issue", access: .submit) { request, context in
                try await one(request) { .issue(try issueID(context)) }
            },
            Route(
                .get, "/api/v1/sentry/issues/{issueID}/latest-event", "Get a Sentry issue's latest event",
                access: .submit
            ) {
                request, context in try await one(request) { .latestEvent(issue: try issueID(context)) }
            },
        ]
    }

    // MARK: Repositories

    @Sendable private func repositories(_ request: Request, _ context: APIContext) async throws -> Response {
        let query = QueryItems(request)
        let token = request.headers[.providerToken]?.filled
        let holder: ForgeBrowser.Holder
        if let key = query.filled("provider_key") {
            holder = .key(key)
        } else if let provider = query.filled("provider"), let token {
            holder = .token(token, provider: provider)
        } else {
            throw required(
                "provide either provider_key query param, or provider query param with X-Provider-Token header")
        }
        let page = query["page"].flatMap { Int($0) }.flatMap { $0 >= 1 ? $0 : nil } ?? 1
        let perPage = query["per_page"].flatMap { Int($0) }.flatMap { (1...100).contains($0) ? $0 : nil } ?? 30
        let (provider, found) = try await browser.repositories(of: holder, page: page, perPage: perPage)
        return .json { json in
            json.name("repositories")
            json.beginArray()
            for repository in found { ForgeRoutes.write(repository, to: &json) }
            json.endArray()
            json.member("count", found.count)
            json.member("provider", provider.rawValue)
            json.member("page", page)
            json.member("per_page", perPage)
        }
    }

    private static func write(_ repository: ForgeRepository, to json: inout JSONWriter) {
        json.beginObject()
        json.member("name", repository.name)
        json.member("full_name", repository.fullName)
        json.member("clone_url", repository.cloneURL)
        json.member("default_branch", repository.defaultBranch)
        json.member("private", repository.isPrivate)
        json.member("description", repository.description)
        json.member("updated_at", repository.updatedAt)
        json.endObject()
    }

    // MARK: Sentry

    private func issues(_ query: QueryItems) throws -> IssueQuery {
        guard let organization = query.filled("org"), let project = query.filled("project") else {
            throw required("org and project query params are required")
        }
        return .issues(
            organization: try segment("org", organization), project: try segment("project", project),
            search: query["query"] ?? "is:unresolved", limit: query.filled("limit") ?? "50",
            sort: query.filled("sort"))
    }

    /// What Sentry lists, under a name.
    private func list(
        _ name: StaticString, _ request: Request, _ question: (QueryItems) throws -> IssueQuery
    ) async throws -> Response {
        let query = QueryItems(request)
        let found = try await browser.issues(try question(query), key: try keyName(query))
        return .json { json in
            json.name(name)
            json.raw(found)
        }
    }

    /// One thing, as Sentry tells it.
    private func one(_ request: Request, _ question: () throws -> IssueQuery) async throws -> Response {
        let found = try await browser.issues(try question(), key: try keyName(QueryItems(request)))
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: found + [UInt8(ascii: "\n")])))
    }

    private func keyName(_ query: QueryItems) throws -> String {
        guard let name = query.filled("key_name") else { throw required("key_name query param is required") }
        return name
    }

    private func issueID(_ context: APIContext) throws -> String {
        try segment("issueID", context.decoded("issueID"))
    }

    /// It becomes part of a path, and must not lead elsewhere.
    private func segment(_ name: String, _ text: String) throws -> String {
        guard ForgeProject.isSegment(text) else { throw required("\(name) is malformed") }
        return text
    }

    private func required(_ message: String) -> CodeForgeError { CodeForgeError(.invalidArgument, message) }
}

extension HTTPField.Name {
    static let providerToken = HTTPField.Name("X-Provider-Token") ?? .upgrade
}
