import Foundation

/// What GitHub and GitLab send about a pull or merge request, with the members of their public documentation.
///
/// Source: GitHub documentation, "Webhook events and payloads"; GitLab documentation, "Webhook events".
package struct WebhookFixture: Sendable {
    package var action: String
    package var number = 42
    package var title = "Add login"
    package var isDraft = false
    package var sha = String(repeating: "a1", count: 20)
    package var headBranch = "feature/login"
    package var baseBranch = "main"
    package var repositoryURL = "https://github.com/acme/app.git"
    package var isFork = false
    /// `nil` for a fork that is gone.
    package var headExists = true
    package var author = "mona"

    package init(_ action: String, _ change: (inout WebhookFixture) -> Void = { _ in }) {
        self.action = action
        change(&self)
    }

    private func text(_ value: String) -> String {
        String(decoding: (try? JSONEncoder().encode(value)) ?? Data("\"\"".utf8), as: UTF8.self)
    }

    private func gitHubUser(_ name: String, _ id: Int) -> String {
        """
        {"login": \(text(name)), "id": \(id), "node_id": "U_\(id)", "avatar_url": "https://avatars.example/u/\(id)",
         "gravatar_id": "", "url": "https://api.github.com/users/x", "html_url": "https://github.com/x",
         "type": "User", "user_view_type": "public", "site_admin": false}
        """
    }

    private func gitHubRepository(_ id: Int, _ owner: String, fork: Bool) -> String {
        """
        {"id": \(id), "node_id": "R_\(id)", "name": "app", "full_name": "\(owner)/app", "private": false,
         "owner": \(gitHubUser(owner, id + 1000)), "html_url": "https://github.com/\(owner)/app", "description": null,
         "fork": \(fork), "url": "https://api.github.com/repos/\(owner)/app", "created_at": "2024-05-01T08:00:00Z",
         "updated_at": "2026-02-01T08:00:00Z", "pushed_at": "2026-02-20T10:00:00Z",
         "git_url": "git://github.com/\(owner)/app.git", "ssh_url": "git@github.com:\(owner)/app.git",
         "clone_url": \(id == 1 ? text(repositoryURL) : "\"https://github.com/\(owner)/app.git\""),
         "size": 108, "stargazers_count": 3, "language": "Swift", "has_issues": true, "archived": false,
         "disabled": false, "open_issues_count": 2, "license": null, "allow_forking": true, "is_template": false,
         "topics": [], "visibility": "public", "default_branch": "main", "allow_squash_merge": true,
         "allow_merge_commit": true, "delete_branch_on_merge": false, "merge_commit_title": "MERGE_MESSAGE"}
        """
    }

    /// The body of a `pull_request` event.
    package var github: [UInt8] {
        let owner = isFork ? author : "acme"
        let head = headExists ? gitHubRepository(isFork ? 2 : 1, owner, fork: isFork) : "null"
        let before = action == "synchronize" ? "\"before\": \"\(String(repeating: "0b", count: 20))\", " : ""
        let json = """
            {"action": \(text(action)), "number": \(number), \(before)"pull_request": {
             "url": "https://api.github.com/repos/acme/app/pulls/\(number)", "id": 1910000001,
             "node_id": "PR_kwDO", "html_url": "https://github.com/acme/app/pull/\(number)",
             "diff_url": "https://github.com/acme/app/pull/\(number).diff", "number": \(number), "state": "open",
             "locked": false, "title": \(text(title)), "user": \(gitHubUser(author, 77)), "body": null,
             "created_at": "2026-02-20T10:00:00Z", "updated_at": "2026-02-20T10:00:00Z", "closed_at": null,
             "merged_at": null, "merge_commit_sha": null, "assignee": null, "assignees": [],
             "requested_reviewers": [], "requested_teams": [], "labels": [{"id": 5, "name": "bug", "color": "d73a4a",
             "default": true, "description": null}], "milestone": null, "draft": \(isDraft),
             "head": {"label": "\(owner):x", "ref": \(text(headBranch)), "sha": \(text(sha)),
             "user": \(gitHubUser(owner, 78)), "repo": \(head)},
             "base": {"label": "acme:main", "ref": \(text(baseBranch)), "sha": "\(String(repeating: "b2", count: 20))",
             "user": \(gitHubUser("acme", 79)), "repo": \(gitHubRepository(1, "acme", fork: false))},
             "_links": {"self": {"href": "https://api.github.com/repos/acme/app/pulls/\(number)"}},
             "author_association": "COLLABORATOR", "auto_merge": null, "active_lock_reason": null, "merged": false,
             "mergeable": null, "rebaseable": null, "mergeable_state": "unknown", "merged_by": null, "comments": 0,
             "review_comments": 0, "maintainer_can_modify": false, "commits": 1, "additions": 3, "deletions": 1,
             "changed_files": 1},
             "repository": \(gitHubRepository(1, "acme", fork: false)),
             "organization": {"login": "acme", "id": 6, "description": null},
             "installation": {"id": 9, "node_id": "I_9"}, "sender": \(gitHubUser(author, 77))}
            """
        return Array(json.utf8)
    }

    private func gitLabProject(_ id: Int, _ path: String) -> String {
        """
        {"id": \(id), "name": "App", "description": "", "web_url": "https://gitlab.com/\(path)", "avatar_url": null,
         "git_ssh_url": "git@gitlab.com:\(path).git", "git_http_url": \(text(repositoryURL)), "namespace": "acme",
         "visibility_level": 0, "path_with_namespace": "\(path)", "default_branch": "main", "ci_config_path": null,
         "homepage": "https://gitlab.com/\(path)", "url": "git@gitlab.com:\(path).git",
         "ssh_url": "git@gitlab.com:\(path).git", "http_url": \(text(repositoryURL))
        """
    }

    /// The body of a `Merge Request Hook`.
    package var gitlab: [UInt8] {
        let source = headExists ? (isFork ? "15" : "14") : "null"
        let target = gitLabProject(14, "acme/app") + "}"
        let json = """
            {"object_kind": "merge_request", "event_type": "merge_request",
             "user": {"id": 7, "name": \(text(author)), "username": \(text(author)), "avatar_url": null,
             "email": "[REDACTED]"},
             "project": \(gitLabProject(14, "acme/app")), "http_url_to_repo": \(text(repositoryURL))},
             "repository": {"name": "App", "url": "git@gitlab.com:acme/app.git", "description": "",
             "homepage": "https://gitlab.com/acme/app"},
             "object_attributes": {"id": 93, "iid": \(number), "target_branch": \(text(baseBranch)),
             "source_branch": \(text(headBranch)), "source_project_id": \(source), "target_project_id": 14,
             "author_id": 7, "assignee_ids": [], "assignee_id": null, "reviewer_ids": [], "title": \(text(title)),
             "created_at": "2026-02-20 10:00:00 UTC", "updated_at": "2026-02-20 10:00:00 UTC", "last_edited_at": null,
             "milestone_id": null, "state_id": 1, "state": "opened", "blocking_discussions_resolved": true,
             "work_in_progress": \(isDraft), "draft": \(isDraft), "first_contribution": false,
             "merge_status": "unchecked", "detailed_merge_status": "not_open", "description": "", "prepared_at": null,
             "total_time_spent": 0, "time_change": 0, "time_estimate": 0, "human_time_estimate": null,
             "url": "https://gitlab.com/acme/app/-/merge_requests/\(number)", "source": \(target), "target": \(target),
             "last_commit": {"id": \(text(sha)), "message": "Add login\\n", "title": "Add login",
             "timestamp": "2026-02-20T10:00:00+00:00", "url": "https://gitlab.com/acme/app/-/commit/1",
             "author": {"name": \(text(author)), "email": "m@example.com"}},
             "labels": [], "action": \(text(action)), "system": false},
             "labels": [], "changes": {"updated_at": {"previous": null, "current": "2026-02-20 10:00:00 UTC"}},
             "assignees": [], "reviewers": []}
            """
        return Array(json.utf8)
    }
}
