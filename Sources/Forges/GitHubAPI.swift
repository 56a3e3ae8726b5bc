import Domain

/// GitHub's REST API, version 2022-11-28.
///
/// Source: GitHub documentation, "REST API endpoints" for users, repositories, pull requests, reviews, labels and
/// collaborators.
struct GitHubAPI {
    let http: ForgeHTTP
    let access: ForgeAccess

    init(_ transport: any HTTPTransport, _ addresses: AddressRule, _ access: ForgeAccess) {
        http = ForgeHTTP(transport, addresses, title: "GitHub API")
        self.access = access
    }

    private func get(_ path: String) -> ForgeCall { call("GET", path) }
    private func post(_ path: String, _ body: JSONValue) -> ForgeCall { call("POST", path, body) }

    private func call(_ method: String, _ path: String, _ body: JSONValue? = nil) -> ForgeCall {
        var headers: HeaderList = ["Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"]
        if let token = access.token { headers.append("Authorization", "Bearer \(token)") }
        return ForgeCall(
            method: method, url: access.apiURL + path, headers: headers, body: body, token: access.token)
    }

    private func path(_ project: ForgeProject, _ rest: String) -> String {
        "/repos/\(PercentEncoding.encoded(project.owner))/\(PercentEncoding.encoded(project.name))/\(rest)"
    }

    func account() async throws(ForgeError) -> ForgeAccount {
        let reply = try await http.send(get("/user"))
        let user = try http.decode(User.self, from: reply.body)
        return ForgeAccount(
            username: user.login, email: user.email ?? "", scopes: reply.headers["x-oauth-scopes"] ?? "")
    }

    func repositories(page: Int, perPage: Int) async throws(ForgeError) -> [ForgeRepository] {
        var call = get("/user/repos?per_page=\(perPage)&page=\(page)&sort=updated&type=all")
        call.limit = 8 << 20
        return try await http.ask(call, for: [Repository].self).map { found in
            ForgeRepository(
                name: found.name, fullName: found.full_name, cloneURL: found.clone_url,
                defaultBranch: found.default_branch ?? "", isPrivate: found.private,
                description: found.description ?? "", updatedAt: found.updated_at ?? "")
        }
    }

    func create(_ draft: PullRequestDraft, in project: ForgeProject) async throws(ForgeError) -> PullRequestLink {
        var creation = post(
            path(project, "pulls"),
            [
                "title": .string(draft.title), "body": .string(draft.body), "head": .string(draft.head),
                "base": .string(draft.base),
            ])
        creation.expected = 201
        let pull = try await http.ask(creation, for: Link.self)
        if !draft.label.isEmpty {
            // The pull request is there; a label that is missing is no reason to say it is not.
            _ = try? await http.send(
                post(path(project, "issues/\(pull.number)/labels"), ["labels": [.string(draft.label)]]))
        }
        return pull.link
    }

    func open(from branch: String, in project: ForgeProject) async throws(ForgeError) -> PullRequestLink? {
        let head = PercentEncoding.encoded("\(project.owner):\(branch)")
        let found = try await http.ask(
            get(path(project, "pulls?state=open&head=\(head)&sort=created&direction=desc&per_page=10")),
            for: [Pull].self)
        // A filter GitHub can't read is ignored by it.
        let pull = found.first { $0.head.ref == branch && !$0.isFork && $0.state == "open" }
        return pull?.link
    }

    func pull(_ number: Int, in project: ForgeProject) async throws(ForgeError) -> PullRequest {
        let pull = try await http.ask(get(path(project, "pulls/\(number)")), for: Pull.self)
        return PullRequest(
            link: pull.link, isOpen: pull.state == "open",
            isDraft: pull.draft ?? false, author: ForgeUser(name: pull.user?.login ?? ""), headBranch: pull.head.ref,
            headSHA: pull.head.sha, baseBranch: pull.base.ref,
            isFork: pull.isFork)
    }

    func permission(of user: ForgeUser, in project: ForgeProject) async throws(ForgeError) -> ForgePermission {
        guard !user.name.isEmpty else { return .none }
        let name = PercentEncoding.encoded(user.name)
        do throws(ForgeError) {
            let found = try await http.ask(
                get(path(project, "collaborators/\(name)/permission")), for: Permission.self)
            return switch found.permission {
            case "admin": .admin
            case "write", "maintain": .write
            case "read", "triage": .read
            default: .none
            }
        } catch {
            guard error.status == 404 else { throw error }
            return .none
        }
    }

    func files(of number: Int, in project: ForgeProject) async throws(ForgeError) -> [ChangedFile] {
        try await http.pages(of: path(project, "pulls/\(number)/files"), get, as: File.self)
            .map { ChangedFile(path: $0.filename, patch: $0.patch) }
    }

    func reviews(of number: Int, in project: ForgeProject) async throws(ForgeError) -> [ForgeRemark] {
        try await http.pages(of: path(project, "pulls/\(number)/reviews"), get, as: Submitted.self)
            .map { ForgeRemark(body: $0.body ?? "", url: $0.html_url) }
    }

    func submit(_ review: ReviewDraft, of number: Int, in project: ForgeProject) async throws(ForgeError) -> String {
        let comments = review.comments.map { comment -> JSONValue in
            [
                "path": .string(comment.path), "line": .int(Int64(comment.line)), "side": "RIGHT",
                "body": .string(comment.body),
            ]
        }
        var call = post(
            path(project, "pulls/\(number)/reviews"),
            ["body": .string(review.body), "event": .string(review.event.rawValue), "comments": .array(comments)])
        call.seconds = 30
        return try await http.ask(call, for: Submitted.self).html_url
    }
}

// Members as GitHub names them.
extension GitHubAPI {
    private struct User: Decodable {
        var login: String
        var email: String?
    }

    private struct Repository: Decodable {
        var name: String
        var full_name: String
        var clone_url: String
        var default_branch: String?
        var `private`: Bool
        var description: String?
        var updated_at: String?
    }

    private struct Link: Decodable {
        var number: Int
        var html_url: String
        var link: PullRequestLink { PullRequestLink(number: number, url: html_url) }
    }

    private struct Pull: Decodable {
        struct End: Decodable {
            struct Repo: Decodable { var id: Int }
            var ref: String
            var sha: String
            /// `nil` when the fork is gone.
            var repo: Repo?
        }
        var number: Int
        var html_url: String
        var state: String
        var draft: Bool?
        var user: User?
        var head: End
        var base: End

        var link: PullRequestLink { PullRequestLink(number: number, url: html_url) }
        var isFork: Bool { head.repo == nil || head.repo?.id != base.repo?.id }
    }

    private struct Permission: Decodable { var permission: String }

    private struct File: Decodable {
        var filename: String
        var patch: String?
    }

    private struct Submitted: Decodable {
        var html_url: String
        var body: String?
    }
}
