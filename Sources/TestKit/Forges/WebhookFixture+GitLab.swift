extension WebhookFixture {
    private func gitLabUser(_ name: String, _ id: Int) -> String {
        """
        {"id": \(id), "name": \(text(name)), "username": \(text(name)),
         "avatar_url": "https://www.gravatar.com/avatar/\(id)?s=80&d=identicon", "email": "[REDACTED]"}
        """
    }

    private func gitLabProject(_ id: Int, _ path: String) -> String {
        """
        {"id": \(id), "name": "App", "description": "", "web_url": "https://gitlab.com/\(path)", "avatar_url": null,
         "git_ssh_url": "git@gitlab.com:\(path).git", "git_http_url": \(text(repositoryURL)), "namespace": "acme",
         "visibility_level": 0, "path_with_namespace": "\(path)", "default_branch": "main", "ci_config_path": null,
         "homepage": "https://gitlab.com/\(path)", "url": "git@gitlab.com:\(path).git",
         "ssh_url": "git@gitlab.com:\(path).git", "http_url": \(text(repositoryURL))}
        """
    }

    private var label: String {
        """
        {"id": 206, "title": "API", "color": "#ffffff", "project_id": 14, "created_at": "2024-12-03T17:15:27Z",
         "updated_at": "2024-12-03T17:15:27Z", "template": false, "description": "API related issues",
         "type": "ProjectLabel", "group_id": null}
        """
    }

    /// What the action changed, as GitLab tells it.
    private var changes: String {
        let moved = #""updated_at": {"previous": "2026-02-20 09:00:00 UTC", "current": "2026-02-20 10:00:00 UTC"}"#
        switch action {
        case "open", "approval", "approved", "unapproval", "unapproved": return "{}"
        case "close": return #"{"state_id": {"previous": 1, "current": 2}, \#(moved)}"#
        case "reopen": return #"{"state_id": {"previous": 2, "current": 1}, \#(moved)}"#
        case "merge": return #"{"state_id": {"previous": 4, "current": 3}, \#(moved)}"#
        default:
            return """
                {"title": {"previous": "Add a login", "current": \(text(title))}, \(moved),
                 "last_edited_at": {"previous": null, "current": "2026-02-20 10:00:00 UTC"},
                 "labels": {"previous": [], "current": [\(label)]}}
                """
        }
    }

    private var state: (id: Int, name: String) {
        switch action {
        case "close": (2, "closed")
        case "merge": (3, "merged")
        default: (1, "opened")
        }
    }

    /// The body of a `Merge Request Hook`.
    package var gitlab: [UInt8] {
        let source = headExists ? (isFork ? "15" : "14") : "null"
        let target = gitLabProject(14, "acme/app")
        let from = headExists ? (isFork ? gitLabProject(15, "\(author)/app") : target) : "null"
        // Only a push has one: other updates (a label, the title) come without.
        let oldRevision = action == "update" ? #""oldrev": "\#(String(repeating: "0b", count: 20))", "# : ""
        let json = """
            {"object_kind": "merge_request", "event_type": "merge_request", "user": \(gitLabUser(author, 7)),
             "project": \(target),
             "repository": {"name": "App", "url": "git@gitlab.com:acme/app.git", "description": "",
             "homepage": "https://gitlab.com/acme/app"},
             "object_attributes": {"id": 93, "iid": \(number), "target_branch": \(text(baseBranch)),
             "source_branch": \(text(headBranch)), "source_project_id": \(source), "target_project_id": 14,
             "author_id": 7, "assignee_ids": [6], "assignee_id": 6, "reviewer_ids": [6], "title": \(text(title)),
             "created_at": "2026-02-20 10:00:00 UTC", "updated_at": "2026-02-20 10:00:00 UTC",
             "last_edited_at": null, "last_edited_by_id": null, "milestone_id": null, "state_id": \(state.id),
             "state": "\(state.name)", "blocking_discussions_resolved": true, "work_in_progress": \(isDraft),
             "draft": \(isDraft), "first_contribution": false, "merge_status": "unchecked",
             "detailed_merge_status": "not_open", "merge_commit_sha": null, "merge_error": null, "merge_params": {},
             "merge_user_id": null, "merge_when_pipeline_succeeds": false, "head_pipeline_id": null,
             "description": "", "prepared_at": "2026-02-20T10:00:00Z", "total_time_spent": 0, "time_change": 0,
             "time_estimate": 0, "human_total_time_spent": null, "human_time_change": null,
             "human_time_estimate": null, "updated_by_id": null,
             "url": "https://gitlab.com/acme/app/-/merge_requests/\(number)", "source": \(from), "target": \(target),
             "last_commit": {"id": \(text(sha)), "message": "Add login\\n", "title": "Add login",
             "timestamp": "2026-02-20T10:00:00+00:00", "url": "https://gitlab.com/acme/app/-/commit/1",
             "author": {"name": \(text(author)), "email": "m@example.com"}},
             "labels": [\(label)], \(oldRevision)"action": \(text(action)), "system": false,
             "approval_rules": []},
             "labels": [\(label)], "changes": \(changes), "assignees": [\(gitLabUser("lead", 6))],
             "reviewers": [{"id": 6, "name": "lead", "username": "lead", "state": "unreviewed",
             "re_requested": false, "avatar_url": null, "email": "[REDACTED]"}]}
            """
        return Array(json.utf8)
    }
}
