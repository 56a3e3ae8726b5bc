package import Domain

/// What the test server's GitLab knows, and its rules.
///
/// Source: GitLab documentation, "REST API resources".
package struct GitLabTwin: Sendable {
    package struct User: Sendable {
        package var id: Int
        package var username: String
        package var email = ""

        package init(id: Int, username: String, email: String = "") {
            self.id = id
            self.username = username
            self.email = email
        }
    }

    package struct Project: Sendable {
        package var id: Int
        /// With its groups.
        package var path: String
        package var visibility = "private"
        package var description: String?
        package var defaultBranch = "main"
        package var lastActivityAt = "2026-02-20T10:00:00.000Z"
        /// Branches a merge request may name; empty: any.
        package var branches: Set<String> = []
        /// Access level by user id.
        package var members: [Int: Int] = [:]
    }

    package struct MergeRequest: Sendable {
        package var project: String
        package var iid: Int
        package var title: String
        package var description: String
        package var source: String
        package var target: String
        package var author: User
        package var labels: [String] = []
        package var state = "opened"
        package var isDraft = false
        package var sha = String(repeating: "a", count: 40)
        /// `nil`: that fork is gone.
        package var sourceProjectID: Int?
        package var versions: [MergeRequestVersion] = []
        package var files: [ChangedFile] = []
        package var discussions: [Discussion] = []
    }

    package struct Discussion: Sendable {
        package var body: String
        package var position: DiscussionPosition?
    }

    /// By token.
    package var accounts = ["glpat-good": User(id: 7, username: "tanuki", email: "tanuki@gitlab.com")]
    /// Those that can be looked up.
    package var users: [User] = []
    package var projects: [Project] = []
    package var mergeRequests: [MergeRequest] = []
    /// By `path#iid`.
    package var issues: [String: JSONValue] = [:]

    /// A project.
    package mutating func add(_ path: String, _ change: (inout Project) -> Void = { _ in }) {
        var project = Project(id: projects.count + 1, path: path)
        change(&project)
        projects.append(project)
    }

    /// A merge request by somebody else, with one version.
    package mutating func addMergeRequest(
        _ iid: Int, in path: String, source: String = "feature", _ change: (inout MergeRequest) -> Void = { _ in }
    ) {
        var request = MergeRequest(
            project: path, iid: iid, title: "Add it", description: "", source: source, target: "main",
            author: User(id: 8, username: "mona"), sourceProjectID: projects.first { $0.path == path }?.id,
            versions: [MergeRequestVersion(baseSHA: "b1", startSHA: "s1", headSHA: "h1")])
        change(&request)
        mergeRequests.append(request)
    }

    // MARK: Rules

    private static let missing = ForgeAnswer(404, ["message": "404 Not found"])

    mutating func answer(_ request: ForgeRequest, _ path: [String], _ violations: inout [String]) -> ForgeAnswer {
        if request.headers["accept"] != "application/json" { violations.append("Accept is another") }
        violations += ForgeQueries.violations(of: request, path, in: ForgeQueries.gitlab)
        if request.headers["authorization"] != nil { violations.append("Authorization instead of PRIVATE-TOKEN") }
        guard let account = request.headers["private-token"].flatMap({ accounts[$0] }) else {
            return ForgeAnswer(401, ["message": "401 Unauthorized"])
        }
        switch (request.method, path.count, path.first) {
        case ("GET", 1, "user"):
            return ForgeAnswer(
                200,
                [
                    "id": .int(Int64(account.id)), "username": .string(account.username),
                    "email": .string(account.email),
                ])
        case ("GET", 1, "users"):
            let found = users.filter { $0.username == request.query["username"] }
            return ForgeAnswer(
                200, .array(found.map { ["id": .int(Int64($0.id)), "username": .string($0.username)] }))
        case ("GET", 1, "projects"): return list(request, &violations)
        case (_, 3..., "projects"):
            guard let project = projects.first(where: { $0.path == path[1] || String($0.id) == path[1] }) else {
                return GitLabTwin.missing
            }
            return answer(request, project, Array(path.dropFirst(2)), account, &violations)
        default:
            violations.append("no such path")
            return GitLabTwin.missing
        }
    }

    private mutating func answer(
        _ request: ForgeRequest, _ project: Project, _ path: [String], _ account: User, _ violations: inout [String]
    ) -> ForgeAnswer {
        func index(_ text: String) -> Int? {
            mergeRequests.firstIndex { $0.project == project.path && String($0.iid) == text }
        }
        switch (request.method, path.count, path.first, path.last) {
        case ("GET", 2, "issues", _):
            return issues["\(project.path)#\(path[1])"].map { ForgeAnswer(200, $0) } ?? GitLabTwin.missing
        case ("GET", 1, "merge_requests", _): return search(request, project, &violations)
        case ("POST", 1, "merge_requests", _): return create(request, project, account, &violations)
        case ("GET", 2, "merge_requests", _):
            return index(path[1]).map { ForgeAnswer(200, json(mergeRequests[$0], project)) } ?? GitLabTwin.missing
        case ("GET", 3, "merge_requests", "versions"):
            return index(path[1]).map { index in
                ForgeAnswer(
                    200,
                    .array(
                        mergeRequests[index].versions.map {
                            [
                                "id": 1, "base_commit_sha": .string($0.baseSHA),
                                "start_commit_sha": .string($0.startSHA),
                                "head_commit_sha": .string($0.headSHA),
                            ]
                        }))
            } ?? GitLabTwin.missing
        case ("GET", 3, "merge_requests", "discussions"):
            return index(path[1]).map { at in
                ForgeAnswer(
                    200,
                    .array(
                        page(mergeRequests[at].discussions, request, &violations).map {
                            ["id": "d", "notes": [["body": .string($0.body)]]]
                        }))
            } ?? GitLabTwin.missing
        case ("POST", 3, "merge_requests", "discussions"):
            return index(path[1]).map { discuss(request, $0, &violations) } ?? GitLabTwin.missing
        case ("GET", 3, "members", _) where path[1] == "all":
            guard let id = Int(path[2]) else {
                violations.append("a member's id is a number")
                return GitLabTwin.missing
            }
            guard let level = project.members[id] else { return GitLabTwin.missing }
            return ForgeAnswer(
                200, ["id": .int(Int64(id)), "access_level": .int(Int64(level)), "state": "active"])
        default:
            violations.append("no such path")
            return GitLabTwin.missing
        }
    }

    private func page<Item>(_ items: [Item], _ request: ForgeRequest, _ violations: inout [String]) -> [Item] {
        let size = Int(request.query["per_page"] ?? "20") ?? 0
        let page = Int(request.query["page"] ?? "1") ?? 0
        if !(1...100).contains(size) { violations.append("per_page is \(size)") }
        if page < 1 { violations.append("page is \(page)") }
        return Array(items.dropFirst(max(0, page - 1) * size).prefix(max(0, size)))
    }

    private func list(_ request: ForgeRequest, _ violations: inout [String]) -> ForgeAnswer {
        if request.query["membership"] != "true" { violations.append("projects of everybody") }
        let orders = ["id", "name", "path", "created_at", "updated_at", "star_count", "last_activity_at", "similarity"]
        if !orders.contains(request.query["order_by"] ?? "id") { violations.append("order_by is another") }
        return ForgeAnswer(
            200,
            .array(
                page(projects, request, &violations).map { project in
                    [
                        "id": .int(Int64(project.id)),
                        "name": .string(project.path.split(separator: "/").last.map(String.init) ?? ""),
                        "path_with_namespace": .string(project.path), "visibility": .string(project.visibility),
                        "http_url_to_repo": .string("https://gitlab.com/\(project.path).git"),
                        "default_branch": .string(project.defaultBranch),
                        "description": project.description.map { .string($0) } ?? nil,
                        "last_activity_at": .string(project.lastActivityAt),
                    ]
                }))
    }

    private func search(_ request: ForgeRequest, _ project: Project, _ violations: inout [String]) -> ForgeAnswer {
        let state = request.query["state"] ?? "all"
        let orders = [
            "created_at", "label_priority", "merged_at", "milestone_due", "popularity", "priority", "title",
            "updated_at",
        ]
        if !orders.contains(request.query["order_by"] ?? "created_at") { violations.append("order_by is another") }
        if !["opened", "closed", "locked", "merged", "all"].contains(state) { violations.append("state is \(state)") }
        let found = mergeRequests.filter {
            $0.project == project.path && (state == "all" || $0.state == state)
                && $0.source == request.query["source_branch"] ?? $0.source
        }
        return ForgeAnswer(200, .array(page(found.reversed(), request, &violations).map { json($0, project) }))
    }

    private mutating func create(
        _ request: ForgeRequest, _ project: Project, _ account: User, _ violations: inout [String]
    ) -> ForgeAnswer {
        let body = request.body ?? nil
        let problems = JSONShape.object(
            [
                "source_branch": .filled, "target_branch": .filled, "title": .filled, "description": .string,
                "labels": .string, "remove_source_branch": .bool, "squash": .bool,
            ], required: ["source_branch", "target_branch", "title"]
        ).violations(of: body)
        violations += problems
        guard problems.isEmpty, let source = body["source_branch"]?.stringValue,
            let target = body["target_branch"]?.stringValue
        else { return ForgeAnswer(400, ["error": "invalid parameter"]) }
        for branch in [source, target] where !project.branches.isEmpty && !project.branches.contains(branch) {
            return ForgeAnswer(422, ["message": .array([.string("branch \"\(branch)\" does not exist")])])
        }
        if let other = mergeRequests.first(where: {
            $0.project == project.path && $0.source == source && $0.state == "opened"
        }) {
            return ForgeAnswer(
                409,
                [
                    "message": [
                        .string("Another open merge request already exists for this source branch: !\(other.iid)")
                    ]
                ])
        }
        var created = MergeRequest(
            project: project.path, iid: (mergeRequests.map(\.iid).max() ?? 0) + 1,
            title: body["title"]?.stringValue ?? "", description: body["description"]?.stringValue ?? "",
            source: source, target: target, author: account, sourceProjectID: project.id)
        created.labels = (body["labels"]?.stringValue ?? "").split(separator: ",").map(String.init)
        mergeRequests.append(created)
        return ForgeAnswer(201, json(created, project))
    }

    private mutating func discuss(_ request: ForgeRequest, _ index: Int, _ violations: inout [String]) -> ForgeAnswer {
        let position = JSONShape.object(
            [
                "base_sha": .filled, "start_sha": .filled, "head_sha": .filled,
                "position_type": .oneOf(["text", "image", "file"]), "new_path": .filled, "old_path": .filled,
                "new_line": .positive, "old_line": .positive,
            ], required: ["base_sha", "start_sha", "head_sha", "position_type", "new_path"])
        let body = request.body ?? nil
        let problems = JSONShape.object(["body": .filled, "position": position], required: ["body"])
            .violations(of: body)
        violations += problems
        guard problems.isEmpty else { return ForgeAnswer(400, ["error": "invalid parameter"]) }
        var place: DiscussionPosition?
        if let given = body["position"] {
            func text(_ name: String) -> String { given[name]?.stringValue ?? "" }
            let version = MergeRequestVersion(
                baseSHA: text("base_sha"), startSHA: text("start_sha"), headSHA: text("head_sha"))
            place = DiscussionPosition(
                version: version, path: text("new_path"), line: Int(given["new_line"]?.intValue ?? 0))
            let file = mergeRequests[index].files.first { $0.path == text("new_path") }
            // Without files the twin takes any line.
            let isInDiff =
                mergeRequests[index].files.isEmpty
                || file.map { commentableLines($0.patch ?? "").contains(place?.line ?? 0) } == true
            guard isInDiff, mergeRequests[index].versions.contains(version) else {
                return ForgeAnswer(
                    400, ["message": #"400 Bad request - Note {:line_code=>["can't be blank"]}"#])
            }
        }
        mergeRequests[index].discussions.append(
            Discussion(body: body["body"]?.stringValue ?? "", position: place))
        return ForgeAnswer(201, ["id": .string("d\(mergeRequests[index].discussions.count)"), "notes": []])
    }

    private func json(_ request: MergeRequest, _ project: Project) -> JSONValue {
        [
            "iid": .int(Int64(request.iid)), "state": .string(request.state), "draft": .bool(request.isDraft),
            "title": .string(request.title), "description": .string(request.description),
            "source_branch": .string(request.source), "target_branch": .string(request.target),
            "sha": .string(request.sha), "labels": .array(request.labels.map { .string($0) }),
            "author": ["id": .int(Int64(request.author.id)), "username": .string(request.author.username)],
            "source_project_id": request.sourceProjectID.map { .int(Int64($0)) } ?? nil,
            "target_project_id": .int(Int64(project.id)),
            "web_url": .string("https://gitlab.com/\(request.project)/-/merge_requests/\(request.iid)"),
        ]
    }
}
