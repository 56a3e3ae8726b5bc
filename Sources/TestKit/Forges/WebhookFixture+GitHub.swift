extension WebhookFixture {
    private static let api = "https://api.github.com"
    private static let label =
        """
        {"id": 5, "node_id": "LA_5", "url": "https://api.github.com/repos/acme/app/labels/bug", "name": "bug",
         "color": "d73a4a", "default": true, "description": "Something isn't working", "archived_at": null,
         "archived_by": null}
        """

    private func gitHubUser(_ name: String, _ id: Int, isOrganization: Bool = false) -> String {
        let url = "\(Self.api)/users/\(name)"
        let places = [
            ("followers_url", "/followers"), ("following_url", "/following{/other_user}"),
            ("gists_url", "/gists{/gist_id}"), ("starred_url", "/starred{/owner}{/repo}"),
            ("subscriptions_url", "/subscriptions"), ("organizations_url", "/orgs"), ("repos_url", "/repos"),
            ("events_url", "/events{/privacy}"), ("received_events_url", "/received_events"),
        ]
        return """
            {"login": \(text(name)), "id": \(id), "node_id": "U_\(id)", "gravatar_id": "", "url": \(text(url)),
             "avatar_url": "https://avatars.githubusercontent.com/u/\(id)?v=4",
             "html_url": \(text("https://github.com/\(name)")), \(members(places.map { ($0.0, url + $0.1) })),
             "type": "\(isOrganization ? "Organization" : "User")", "user_view_type": "public", "site_admin": false}
            """
    }

    /// Where a repository's parts are, below its own URL.
    private static let places = [
        ("forks_url", "/forks"), ("keys_url", "/keys{/key_id}"), ("collaborators_url", "/collaborators{/collaborator}"),
        ("teams_url", "/teams"), ("hooks_url", "/hooks"), ("issue_events_url", "/issues/events{/number}"),
        ("events_url", "/events"), ("assignees_url", "/assignees{/user}"), ("branches_url", "/branches{/branch}"),
        ("tags_url", "/tags"), ("blobs_url", "/git/blobs{/sha}"), ("git_tags_url", "/git/tags{/sha}"),
        ("git_refs_url", "/git/refs{/sha}"), ("trees_url", "/git/trees{/sha}"), ("statuses_url", "/statuses/{sha}"),
        ("languages_url", "/languages"), ("stargazers_url", "/stargazers"), ("contributors_url", "/contributors"),
        ("subscribers_url", "/subscribers"), ("subscription_url", "/subscription"), ("commits_url", "/commits{/sha}"),
        ("git_commits_url", "/git/commits{/sha}"), ("comments_url", "/comments{/number}"),
        ("issue_comment_url", "/issues/comments{/number}"), ("contents_url", "/contents/{+path}"),
        ("compare_url", "/compare/{base}...{head}"), ("merges_url", "/merges"),
        ("archive_url", "/{archive_format}{/ref}"), ("downloads_url", "/downloads"), ("issues_url", "/issues{/number}"),
        ("pulls_url", "/pulls{/number}"), ("milestones_url", "/milestones{/number}"),
        ("notifications_url", "/notifications{?since,all,participating}"), ("labels_url", "/labels{/name}"),
        ("releases_url", "/releases{/id}"), ("deployments_url", "/deployments"),
    ]

    /// - Parameter isPart: As a pull request's head and base have it; the event's own lacks how it is merged.
    private func gitHubRepository(_ id: Int, _ owner: String, fork: Bool, isPart: Bool) -> String {
        let url = "\(Self.api)/repos/\(owner)/app"
        let page = "https://github.com/\(owner)/app"
        let merging =
            """
            "allow_squash_merge": true, "allow_merge_commit": true, "allow_rebase_merge": true,
             "allow_auto_merge": false, "delete_branch_on_merge": false, "allow_update_branch": false,
             "use_squash_pr_title_as_default": false, "squash_merge_commit_message": "COMMIT_MESSAGES",
             "squash_merge_commit_title": "COMMIT_OR_PR_TITLE", "merge_commit_message": "PR_TITLE",
             "merge_commit_title": "MERGE_MESSAGE"
            """
        return """
            {"id": \(id), "node_id": "R_\(id)", "name": "app", "full_name": "\(owner)/app", "private": false,
             "owner": \(gitHubUser(owner, id + 1000, isOrganization: !fork)), "html_url": "\(page)",
             "description": null, "fork": \(fork), "url": "\(url)",
             \(members(Self.places.map { ($0.0, url + $0.1) })),
             "created_at": "2024-05-01T08:00:00Z", "updated_at": "2026-02-01T08:00:00Z",
             "pushed_at": "2026-02-20T10:00:00Z", "git_url": "git://github.com/\(owner)/app.git",
             "ssh_url": "git@github.com:\(owner)/app.git",
             "clone_url": \(id == 1 ? text(repositoryURL) : text("\(page).git")), "svn_url": "\(page)",
             "homepage": null, "size": 108, "stargazers_count": 3, "watchers_count": 3, "language": "Swift",
             "has_issues": true, "has_projects": true, "has_downloads": true, "has_wiki": true, "has_pages": false,
             "has_discussions": false, "forks_count": 1, "mirror_url": null, "archived": false, "disabled": false,
             "open_issues_count": 2, "license": {"key": "mit", "name": "MIT License", "spdx_id": "MIT",
             "url": "https://api.github.com/licenses/mit", "node_id": "MDc6TGljZW5zZTEz"}, "allow_forking": true,
             "is_template": false, "web_commit_signoff_required": false, "topics": ["words"], "visibility": "public",
             "forks": 1, "open_issues": 2, "watchers": 3, "default_branch": "main",
             \(isPart ? merging : "\"custom_properties\": {}")}
            """
    }

    private var milestone: String {
        let url = "\(Self.api)/repos/acme/app/milestones/1"
        return """
            {"url": "\(url)", "html_url": "https://github.com/acme/app/milestone/1", "labels_url": "\(url)/labels",
             "id": 11, "node_id": "MI_11", "number": 1, "title": "1.0", "description": null,
             "creator": \(gitHubUser("acme-lead", 80)), "open_issues": 1, "closed_issues": 0, "state": "open",
             "created_at": "2026-01-01T10:00:00Z", "updated_at": "2026-02-01T10:00:00Z", "due_on": null,
             "closed_at": null}
            """
    }

    /// What an action adds beside the pull request, each with a comma in front.
    private var actionMembers: String {
        switch action {
        case "synchronize": #", "before": "\#(String(repeating: "0b", count: 20))", "after": \#(text(sha))"#
        case "edited": #", "changes": {"title": {"from": "Add a login"}, "body": {"from": "wip"}}"#
        case "labeled", "unlabeled": ", \"label\": \(Self.label)"
        case "assigned", "unassigned": ", \"assignee\": \(gitHubUser("acme-lead", 80))"
        case "review_requested", "review_request_removed":
            ", \"requested_reviewer\": \(gitHubUser("acme-lead", 80))"
        case "milestoned", "demilestoned": ", \"milestone\": \(milestone)"
        case "dequeued": #", "reason": "MANUAL""#
        case "auto_merge_disabled": #", "reason": "disabled by a person""#
        default: ""
        }
    }

    private var pullRequest: String {
        let url = "\(Self.api)/repos/acme/app/pulls/\(number)"
        let issue = "\(Self.api)/repos/acme/app/issues/\(number)"
        let page = "https://github.com/acme/app/pull/\(number)"
        let statuses = "\(Self.api)/repos/acme/app/statuses/\(String(repeating: "a1", count: 20))"
        let links = [
            ("self", url), ("html", page), ("issue", issue), ("comments", issue + "/comments"),
            ("review_comments", url + "/comments"),
            ("review_comment", "\(Self.api)/repos/acme/app/pulls/comments{/number}"), ("commits", url + "/commits"),
            ("statuses", statuses),
        ].map { "\(text($0.0)): {\"href\": \(text($0.1))}" }.joined(separator: ", ")
        let owner = isFork ? author : "acme"
        let head = headExists ? gitHubRepository(isFork ? 2 : 1, owner, fork: isFork, isPart: true) : "null"
        let isClosed = action == "closed"
        let isAssigned = action == "assigned"
        let lead = gitHubUser("acme-lead", 80)
        return """
            {"url": "\(url)", "id": 1910000001, "node_id": "PR_kwDO", "html_url": "\(page)",
             "diff_url": "\(page).diff", "patch_url": "\(page).patch", "issue_url": "\(issue)", "number": \(number),
             "state": "\(isClosed ? "closed" : "open")", "locked": \(action == "locked"), "title": \(text(title)),
             "user": \(gitHubUser(author, 77)), "body": null, "created_at": "2026-02-20T10:00:00Z",
             "updated_at": "2026-02-20T10:00:00Z", "closed_at": \(isClosed ? "\"2026-02-20T10:00:00Z\"" : "null"),
             "merged_at": null, "merge_commit_sha": null, "assignee": \(isAssigned ? lead : "null"),
             "assignees": [\(isAssigned ? lead : "")],
             "requested_reviewers": [\(action == "review_requested" ? lead : "")], "requested_teams": [],
             "labels": [\(action == "unlabeled" ? "" : Self.label)],
             "milestone": \(action == "milestoned" ? milestone : "null"), "draft": \(isDraft),
             "commits_url": "\(url)/commits", "review_comments_url": "\(url)/comments",
             "review_comment_url": "\(Self.api)/repos/acme/app/pulls/comments{/number}",
             "comments_url": "\(issue)/comments", "statuses_url": "\(statuses)",
             "head": {"label": \(text("\(owner):\(headBranch)")), "ref": \(text(headBranch)), "sha": \(text(sha)),
             "user": \(gitHubUser(owner, isFork ? 1002 : 1001)), "repo": \(head)},
             "base": {"label": \(text("acme:\(baseBranch)")), "ref": \(text(baseBranch)),
             "sha": "\(String(repeating: "b2", count: 20))", "user": \(gitHubUser("acme", 1001, isOrganization: true)),
             "repo": \(gitHubRepository(1, "acme", fork: false, isPart: true))},
             "_links": {\(links)}, "author_association": "COLLABORATOR",
             "auto_merge": \(autoMerge), "active_lock_reason": \(action == "locked" ? "\"resolved\"" : "null"),
             "merged": false, "mergeable": null, "rebaseable": null, "mergeable_state": "unknown", "merged_by": null,
             "comments": 0, "review_comments": 0, "maintainer_can_modify": \(isFork), "commits": 1, "additions": 3,
             "deletions": 1, "changed_files": 1}
            """
    }

    private var autoMerge: String {
        guard action == "auto_merge_enabled" else { return "null" }
        return """
            {"enabled_by": \(gitHubUser("acme-lead", 80)), "merge_method": "squash", "commit_title": "Add login",
             "commit_message": "Adds it."}
            """
    }

    /// The body of a `pull_request` event.
    package var github: [UInt8] {
        let organization = "\(Self.api)/orgs/acme"
        let places = [
            ("url", ""), ("repos_url", "/repos"), ("events_url", "/events"), ("hooks_url", "/hooks"),
            ("issues_url", "/issues"), ("members_url", "/members{/member}"),
            ("public_members_url", "/public_members{/member}"),
        ]
        let json = """
            {"action": \(text(action)), "number": \(number), "pull_request": \(pullRequest)\(actionMembers),
             "repository": \(gitHubRepository(1, "acme", fork: false, isPart: false)),
             "organization": {"login": "acme", "id": 1001, "node_id": "O_1001",
             \(members(places.map { ($0.0, organization + $0.1) })),
             "avatar_url": "https://avatars.githubusercontent.com/u/1001?v=4", "description": null},
             "installation": {"id": 9, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uOQ=="},
             "sender": \(gitHubUser(author, 77))}
            """
        return Array(json.utf8)
    }
}
