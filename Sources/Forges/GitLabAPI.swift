import Domain

/// GitLab's REST API, version 4.
///
/// Source: GitLab documentation, "REST API resources": users, projects, merge requests, discussions, members.
struct GitLabAPI {
    let http: ForgeHTTP
    let access: ForgeAccess

    init(_ transport: any HTTPTransport, _ addresses: AddressRule, _ access: ForgeAccess) {
        http = ForgeHTTP(transport, addresses, title: "GitLab API")
        self.access = access
    }

    private func get(_ path: String) -> ForgeCall { call("GET", path) }
    private func post(_ path: String, _ body: JSONValue) -> ForgeCall { call("POST", path, body) }

    private func call(_ method: String, _ path: String, _ body: JSONValue? = nil) -> ForgeCall {
        var headers: HeaderList = ["Accept": "application/json"]
        if let token = access.token { headers.append("PRIVATE-TOKEN", token) }
        return ForgeCall(
            method: method, url: access.apiURL + path, headers: headers, body: body, token: access.token)
    }

    private func path(_ project: ForgeProject, _ rest: String) -> String {
        "/projects/\(PercentEncoding.encoded(project.description))/\(rest)"
    }

    func account() async throws(ForgeError) -> ForgeAccount {
        let user = try await http.ask(get("/user"), for: User.self)
        return ForgeAccount(username: user.username, email: user.email ?? "")
    }

    func repositories(page: Int, perPage: Int) async throws(ForgeError) -> [ForgeRepository] {
        var call = get("/projects?membership=true&per_page=\(perPage)&page=\(page)&order_by=last_activity_at")
        call.limit = 8 << 20
        return try await http.ask(call, for: [Project].self).map { found in
            ForgeRepository(
                name: found.name, fullName: found.path_with_namespace, cloneURL: found.http_url_to_repo,
                defaultBranch: found.default_branch ?? "", isPrivate: found.visibility != "public",
                description: found.description ?? "", updatedAt: found.last_activity_at ?? "")
        }
    }

    func create(_ draft: PullRequestDraft, in project: ForgeProject) async throws(ForgeError) -> PullRequestLink {
        var body: [String: JSONValue] = [
            "title": .string(draft.title), "description": .string(draft.body), "source_branch": .string(draft.head),
            "target_branch": .string(draft.base),
        ]
        if !draft.label.isEmpty { body["labels"] = .string(draft.label) }
        var call = post(path(project, "merge_requests"), .object(body))
        call.expected = 201
        return try await http.ask(call, for: Link.self).link
    }

    func open(from branch: String, in project: ForgeProject) async throws(ForgeError) -> PullRequestLink? {
        let branchText = PercentEncoding.encoded(branch)
        let found = try await http.ask(
            get(
                path(project, "merge_requests?state=opened&source_branch=\(branchText)&order_by=created_at&per_page=10")
            ), for: [MergeRequest].self)
        return found.first { $0.source_branch == branch && !$0.isFork && $0.state == "opened" }.map(\.link)
    }

    func mergeRequest(_ number: Int, in project: ForgeProject) async throws(ForgeError) -> PullRequest {
        let found = try await http.ask(get(path(project, "merge_requests/\(number)")), for: MergeRequest.self)
        return PullRequest(
            link: found.link, isOpen: found.state == "opened",
            isDraft: found.draft ?? found.work_in_progress ?? false,
            author: ForgeUser(name: found.author?.username ?? "", id: found.author?.id ?? 0),
            headBranch: found.source_branch, headSHA: found.sha ?? "", baseBranch: found.target_branch,
            isFork: found.isFork)
    }

    func permission(of user: ForgeUser, in project: ForgeProject) async throws(ForgeError) -> ForgePermission {
        var id = user.id
        if id == 0 {
            guard !user.name.isEmpty else { return .none }
            let name = PercentEncoding.encoded(user.name)
            let users = try await http.ask(get("/users?username=\(name)"), for: [User].self)
            id = users.first { $0.username.lowercased() == user.name.lowercased() }?.id ?? 0
            guard id > 0 else { return .none }
        }
        do throws(ForgeError) {
            // With those who are members of a group above.
            let member = try await http.ask(get(path(project, "members/all/\(id)")), for: Member.self)
            guard member.state == nil || member.state == "active" else { return .none }
            switch member.access_level {
            case 40...: return .admin
            case 30...: return .write
            case 10...: return .read
            default: return .none
            }
        } catch {
            guard error.status == 404 else { throw error }
            return .none
        }
    }

    func versions(of number: Int, in project: ForgeProject) async throws(ForgeError) -> [MergeRequestVersion] {
        var call = get(path(project, "merge_requests/\(number)/versions"))
        call.seconds = 30
        return try await http.ask(call, for: [Version].self).map {
            MergeRequestVersion(baseSHA: $0.base_commit_sha, startSHA: $0.start_commit_sha, headSHA: $0.head_commit_sha)
        }
    }

    func discussions(of number: Int, in project: ForgeProject) async throws(ForgeError) -> [ForgeRemark] {
        try await http.pages(of: path(project, "merge_requests/\(number)/discussions"), get, as: Discussion.self)
            .flatMap(\.notes).map { ForgeRemark(body: $0.body, url: "") }
    }

    func discuss(
        _ body: String, at position: DiscussionPosition?, of number: Int, in project: ForgeProject
    ) async throws(ForgeError) {
        var members: [String: JSONValue] = ["body": .string(body)]
        if let position {
            members["position"] = [
                "base_sha": .string(position.version.baseSHA), "start_sha": .string(position.version.startSHA),
                "head_sha": .string(position.version.headSHA), "position_type": "text",
                "new_path": .string(position.path), "new_line": .int(Int64(position.line)),
            ]
        }
        var call = post(path(project, "merge_requests/\(number)/discussions"), .object(members))
        call.expected = 201
        call.seconds = 30
        _ = try await http.send(call)
    }
}

// Members as GitLab names them.
extension GitLabAPI {
    private struct User: Decodable {
        var id: Int
        var username: String
        var email: String?
    }

    private struct Project: Decodable {
        var name: String
        var path_with_namespace: String
        var http_url_to_repo: String
        var default_branch: String?
        var visibility: String?
        var description: String?
        var last_activity_at: String?
    }

    private struct Link: Decodable {
        var iid: Int
        var web_url: String
        var link: PullRequestLink { PullRequestLink(number: iid, url: web_url) }
    }

    private struct MergeRequest: Decodable {
        var iid: Int
        var web_url: String
        var state: String
        var draft: Bool?
        var work_in_progress: Bool?
        var author: User?
        var source_branch: String
        var target_branch: String
        var sha: String?
        /// `nil` when the fork is gone.
        var source_project_id: Int?
        var target_project_id: Int?

        var link: PullRequestLink { PullRequestLink(number: iid, url: web_url) }
        var isFork: Bool { source_project_id == nil || source_project_id != target_project_id }
    }

    private struct Member: Decodable {
        var access_level: Int
        var state: String?
    }

    private struct Discussion: Decodable {
        struct Note: Decodable { var body: String }
        var notes: [Note]
    }

    private struct Version: Decodable {
        var base_commit_sha: String
        var start_commit_sha: String
        var head_commit_sha: String
    }
}
