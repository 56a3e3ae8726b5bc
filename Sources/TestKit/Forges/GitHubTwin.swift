package import Domain

/// What the test server's GitHub knows, and its rules.
///
/// Source: GitHub documentation, "REST API endpoints", version 2022-11-28.
package struct GitHubTwin: Sendable {
    package struct Account: Sendable {
        package var login: String
        package var email: String?
        package var scopes: String

        package init(login: String, email: String? = nil, scopes: String = "repo") {
            self.login = login
            self.email = email
            self.scopes = scopes
        }
    }

    package struct Repository: Sendable {
        /// `owner/name`.
        package var path: String
        package var isPrivate = false
        package var description: String?
        package var defaultBranch = "main"
        package var updatedAt = "2026-02-20T10:00:00Z"
        /// Branches a pull request may name; empty: any.
        package var branches: Set<String> = []
        /// `admin`, `write`, `read` by login.
        package var permissions: [String: String] = [:]
    }

    package struct Pull: Sendable {
        package var repository: String
        package var number: Int
        package var title: String
        package var body: String
        package var head: String
        package var base: String
        package var author: String
        package var state = "open"
        package var isDraft = false
        package var sha = String(repeating: "a", count: 40)
        /// Where the head is; `nil`: that fork is gone.
        package var headRepository: String?
        package var labels: [String] = []
        package var files: [ChangedFile] = []
        package var reviews: [Review] = []
    }

    package struct Review: Sendable {
        package var author: String
        package var body: String
        package var event: String
        package var comments: [ReviewDraft.Comment]
    }

    /// By token.
    package var accounts = [
        "ghp_good": Account(login: "octocat", email: "octocat@github.com", scopes: "repo, read:org")
    ]
    package var repositories: [Repository] = []
    package var pulls: [Pull] = []
    /// By `owner/name#number`.
    package var issues: [String: JSONValue] = [:]

    /// A repository.
    package mutating func add(_ path: String, _ change: (inout Repository) -> Void = { _ in }) {
        var repository = Repository(path: path)
        change(&repository)
        repositories.append(repository)
    }

    /// A pull request by somebody else.
    package mutating func addPull(
        _ number: Int, in path: String, head: String = "feature", _ change: (inout Pull) -> Void = { _ in }
    ) {
        var pull = Pull(
            repository: path, number: number, title: "Add it", body: "", head: head, base: "main", author: "mona",
            headRepository: path)
        change(&pull)
        pulls.append(pull)
    }

    // MARK: Rules

    mutating func answer(_ request: ForgeRequest, _ path: [String], _ violations: inout [String]) -> ForgeAnswer {
        if request.headers["accept"] != "application/vnd.github+json" { violations.append("Accept is another") }
        // Workflows of people send none, which is allowed; our own client always does.
        let isIssue = path.count == 5 && path[3] == "issues"
        if request.headers["x-github-api-version"] != "2022-11-28", !isIssue {
            violations.append("X-GitHub-Api-Version is another")
        }
        if request.headers["private-token"] != nil { violations.append("PRIVATE-TOKEN is GitLab's") }
        violations += ForgeQueries.violations(of: request, path, in: ForgeQueries.github)
        guard let account = account(request, &violations) else {
            return ForgeAnswer(401, ["message": "Bad credentials"])
        }
        switch (request.method, path.count, path.first) {
        case ("GET", 1, "user"):
            return ForgeAnswer(
                200, ["login": .string(account.login), "id": 1, "email": account.email.map { .string($0) } ?? nil],
                headers: [("X-OAuth-Scopes", account.scopes)])
        case ("GET", 2, "user") where path[1] == "repos": return list(request, &violations)
        case (_, 3..., "repos"):
            let name = path[1] + "/" + path[2]
            guard let repository = repositories.first(where: { $0.path == name }) else { return GitHubTwin.missing }
            return answer(request, repository, Array(path.dropFirst(3)), account, &violations)
        default:
            violations.append("no such path")
            return GitHubTwin.missing
        }
    }

    private static let missing = ForgeAnswer(404, ["message": "Not Found"])

    private func account(_ request: ForgeRequest, _ violations: inout [String]) -> Account? {
        guard let value = request.headers["authorization"] else { return nil }
        guard value.hasPrefix("Bearer ") else {
            violations.append("Authorization is not Bearer")
            return nil
        }
        return accounts[String(value.dropFirst("Bearer ".count))]
    }

    private mutating func answer(
        _ request: ForgeRequest, _ repository: Repository, _ path: [String], _ account: Account,
        _ violations: inout [String]
    ) -> ForgeAnswer {
        func pull(_ text: String) -> Int? {
            pulls.firstIndex { $0.repository == repository.path && String($0.number) == text }
        }
        switch (request.method, path.count, path.first, path.last) {
        case ("GET", 2, "issues", _):
            return issues["\(repository.path)#\(path[1])"].map { ForgeAnswer(200, $0) } ?? GitHubTwin.missing
        case ("GET", 1, "pulls", _): return search(request, repository, &violations)
        case ("POST", 1, "pulls", _): return create(request, repository, account, &violations)
        case ("GET", 2, "pulls", _):
            return pull(path[1]).map { ForgeAnswer(200, json(pulls[$0])) } ?? GitHubTwin.missing
        case ("GET", 3, "pulls", "files"):
            return pull(path[1]).map { files(request, pulls[$0], &violations) } ?? GitHubTwin.missing
        case ("GET", 3, "pulls", "reviews"):
            return pull(path[1]).map { reviews(request, pulls[$0], &violations) } ?? GitHubTwin.missing
        case ("POST", 3, "pulls", "reviews"):
            return pull(path[1]).map { review(request, $0, account, &violations) } ?? GitHubTwin.missing
        case ("POST", 3, "issues", "labels"):
            violations += JSONShape.object(["labels": .array(.filled)], required: ["labels"])
                .violations(of: request.body ?? nil)
            guard let index = pull(path[1]) else { return GitHubTwin.missing }
            pulls[index].labels += request.body?["labels"]?.arrayValue?.compactMap(\.stringValue) ?? []
            return ForgeAnswer(200, .array(pulls[index].labels.map { ["name": .string($0)] }))
        case ("GET", 3, "collaborators", "permission"):
            guard let permission = repository.permissions[path[1]] else { return GitHubTwin.missing }
            return ForgeAnswer(
                200,
                [
                    "permission": .string(permission), "role_name": .string(permission),
                    "user": ["login": .string(path[1])],
                ])
        default:
            violations.append("no such path")
            return GitHubTwin.missing
        }
    }

    private func page<Item>(_ items: [Item], _ request: ForgeRequest, _ violations: inout [String]) -> [Item] {
        let size = Int(request.query["per_page"] ?? "30") ?? 0
        let page = Int(request.query["page"] ?? "1") ?? 0
        if !(1...100).contains(size) { violations.append("per_page is \(size)") }
        if page < 1 { violations.append("page is \(page)") }
        return Array(items.dropFirst(max(0, page - 1) * size).prefix(max(0, size)))
    }

    private func list(_ request: ForgeRequest, _ violations: inout [String]) -> ForgeAnswer {
        let allowed = [
            "sort": ["created", "updated", "pushed", "full_name"],
            "type": ["all", "owner", "public", "private", "member"],
        ]
        for (name, values) in allowed where !values.contains(request.query[name] ?? values[0]) {
            violations.append("\(name) is \(request.query[name] ?? "")")
        }
        return ForgeAnswer(
            200,
            .array(
                page(repositories, request, &violations).map { repository in
                    [
                        "id": 1, "name": .string(String(repository.path.split(separator: "/")[1])),
                        "full_name": .string(repository.path), "private": .bool(repository.isPrivate),
                        "clone_url": .string("https://github.com/\(repository.path).git"),
                        "default_branch": .string(repository.defaultBranch),
                        "description": repository.description.map { .string($0) } ?? nil,
                        "updated_at": .string(repository.updatedAt),
                    ]
                }))
    }

    private func search(
        _ request: ForgeRequest, _ repository: Repository, _ violations: inout [String]
    ) -> ForgeAnswer {
        let state = request.query["state"] ?? "open"
        for (name, values) in [
            "sort": ["created", "updated", "popularity", "long-running"], "direction": ["asc", "desc"],
        ] where !values.contains(request.query[name] ?? values[0]) {
            violations.append("\(name) is \(request.query[name] ?? "")")
        }
        if !["open", "closed", "all"].contains(state) { violations.append("state is \(state)") }
        var found = pulls.filter { $0.repository == repository.path && (state == "all" || $0.state == state) }
        // As GitHub does: a head without an owner is ignored.
        if let head = request.query["head"], let colon = head.firstIndex(of: ":") {
            let branch = String(head[head.index(after: colon)...])
            found = found.filter {
                $0.head == branch && ($0.headRepository ?? "").hasPrefix(head[..<colon] + "/")
            }
        } else if request.query["head"] != nil {
            violations.append("head has no owner")
        }
        return ForgeAnswer(200, .array(page(found.reversed(), request, &violations).map(json)))
    }

    private mutating func create(
        _ request: ForgeRequest, _ repository: Repository, _ account: Account, _ violations: inout [String]
    ) -> ForgeAnswer {
        let body = request.body ?? nil
        let problems = JSONShape.object(
            [
                "title": .filled, "head": .filled, "base": .filled, "body": .string, "draft": .bool,
                "maintainer_can_modify": .bool,
            ], required: ["title", "head", "base"]
        ).violations(of: body)
        violations += problems
        guard problems.isEmpty, let head = body["head"]?.stringValue, let base = body["base"]?.stringValue else {
            return ForgeAnswer(422, ["message": "Validation Failed"])
        }
        for (name, branch) in [("head", head), ("base", base)]
        where !repository.branches.isEmpty && !repository.branches.contains(branch) {
            return ForgeAnswer(
                422,
                [
                    "message": "Validation Failed",
                    "errors": [["resource": "PullRequest", "field": .string(name), "code": "invalid"]],
                ])
        }
        let isThere = pulls.contains { $0.repository == repository.path && $0.head == head && $0.state == "open" }
        guard !isThere else {
            return ForgeAnswer(
                422,
                [
                    "message": "Validation Failed",
                    "errors": [["message": .string("A pull request already exists for \(account.login):\(head).")]],
                ])
        }
        var pull = Pull(
            repository: repository.path, number: (pulls.map(\.number).max() ?? 0) + 1,
            title: body["title"]?.stringValue ?? "", body: body["body"]?.stringValue ?? "", head: head, base: base,
            author: account.login, headRepository: repository.path)
        pull.isDraft = body["draft"] == true
        pulls.append(pull)
        return ForgeAnswer(201, json(pull))
    }

    private func files(_ request: ForgeRequest, _ pull: Pull, _ violations: inout [String]) -> ForgeAnswer {
        ForgeAnswer(
            200,
            .array(
                page(pull.files, request, &violations).map { file in
                    var members: [String: JSONValue] = ["filename": .string(file.path), "status": "modified"]
                    if let patch = file.patch { members["patch"] = .string(patch) }
                    return .object(members)
                }))
    }

    private func reviews(_ request: ForgeRequest, _ pull: Pull, _ violations: inout [String]) -> ForgeAnswer {
        let all = pull.reviews.enumerated().map { index, review -> JSONValue in
            [
                "id": .int(Int64(index + 1)), "body": .string(review.body), "state": .string(review.event),
                "html_url": .string("\(url(pull))#pullrequestreview-\(index + 1)"),
            ]
        }
        return ForgeAnswer(200, .array(page(all, request, &violations)))
    }

    private mutating func review(
        _ request: ForgeRequest, _ index: Int, _ account: Account, _ violations: inout [String]
    ) -> ForgeAnswer {
        let sides = JSONShape.oneOf(["LEFT", "RIGHT"])
        let comment = JSONShape.object(
            [
                "path": .filled, "body": .filled, "line": .positive, "side": sides, "start_line": .positive,
                "start_side": sides,
            ], required: ["path", "body", "line"])
        let body = request.body ?? nil
        let problems = JSONShape.object(
            [
                "body": .string, "event": .oneOf(["APPROVE", "REQUEST_CHANGES", "COMMENT"]), "commit_id": .filled,
                "comments": .array(comment),
            ], required: ["event"]
        ).violations(of: body)
        violations += problems
        guard problems.isEmpty, let event = body["event"]?.stringValue else {
            return ForgeAnswer(422, ["message": "Unprocessable Entity"])
        }
        func refused(_ why: String) -> ForgeAnswer {
            ForgeAnswer(422, ["message": "Unprocessable Entity", "errors": [.string(why)]])
        }
        let text = body["body"]?.stringValue ?? ""
        if event != "APPROVE", text.isEmpty {
            violations.append("body is needed with \(event)")
            return refused("Body is required")
        }
        if event != "COMMENT", account.login == pulls[index].author {
            return refused("Can not \(event.lowercased().replacing("_", with: " ")) on your own pull request")
        }
        let comments = (body["comments"]?.arrayValue ?? []).map { comment in
            ReviewDraft.Comment(
                path: comment["path"]?.stringValue ?? "", line: Int(comment["line"]?.intValue ?? 0),
                body: comment["body"]?.stringValue ?? "")
        }
        for comment in comments {
            guard let file = pulls[index].files.first(where: { $0.path == comment.path }) else {
                return refused("Path could not be resolved")
            }
            guard commentableLines(file.patch ?? "").contains(comment.line) else {
                return refused("Line could not be resolved")
            }
        }
        pulls[index].reviews.append(Review(author: account.login, body: text, event: event, comments: comments))
        let id = pulls[index].reviews.count
        return ForgeAnswer(
            200,
            [
                "id": .int(Int64(id)), "state": .string(event),
                "html_url": .string("\(url(pulls[index]))#pullrequestreview-\(id)"),
            ])
    }

    private func url(_ pull: Pull) -> String { "https://github.com/\(pull.repository)/pull/\(pull.number)" }

    private func json(_ pull: Pull) -> JSONValue {
        func repository(_ path: String?) -> JSONValue {
            guard let path else { return nil }
            let id = repositories.firstIndex { $0.path == path }.map { $0 + 1 } ?? 1000 + path.utf8.count
            return ["id": .int(Int64(id)), "full_name": .string(path)]
        }
        return [
            "number": .int(Int64(pull.number)), "html_url": .string(url(pull)), "state": .string(pull.state),
            "draft": .bool(pull.isDraft), "title": .string(pull.title), "body": .string(pull.body),
            "user": ["login": .string(pull.author)],
            "head": [
                "ref": .string(pull.head), "sha": .string(pull.sha), "repo": repository(pull.headRepository),
            ],
            "base": [
                "ref": .string(pull.base), "sha": .string(String(repeating: "b", count: 40)),
                "repo": repository(pull.repository),
            ],
        ]
    }
}
