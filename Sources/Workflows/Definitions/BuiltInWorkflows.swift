package import Domain

/// The workflows that come with CodeForge. Data of the release: an upgrade changes them for everybody.
package enum BuiltInWorkflows {
    /// In the order they are listed.
    package static let all = [sentryFixer, gitHubIssueFixer, gitLabIssueFixer, codeReview, knowledgeUpdate]

    /// One time for all, so that the record of one does not change with each start.
    private static let createdAt = Timestamp(nanoseconds: 1_771_977_600_000_000_000)

    private static func workflow(
        _ name: String, _ description: String, _ parameters: [WorkflowParameter], _ steps: [WorkflowStep]
    ) -> Workflow {
        Workflow(
            name: name, description: description, isBuiltIn: true, steps: steps, parameters: parameters,
            createdAt: createdAt)
    }

    private static func required(_ name: String) -> WorkflowParameter { WorkflowParameter(name: name, required: true) }

    private static func optional(_ name: String, _ value: String? = nil) -> WorkflowParameter {
        WorkflowParameter(name: name, default: value)
    }

    private static func fetch(_ name: String, _ config: JSONValue) -> WorkflowStep {
        WorkflowStep(name: name, type: "fetch", config: config)
    }

    private static func task(_ name: String, _ config: JSONValue) -> WorkflowStep {
        WorkflowStep(name: name, type: "task", config: config)
    }

    private static func action(_ name: String, _ config: JSONValue) -> WorkflowStep {
        WorkflowStep(name: name, type: "action", config: config)
    }

    // MARK: Errors and issues

    private static let sentryFixer = workflow(
        "sentry-fixer", "Fetches an error from Sentry, fixes its root cause and opens a pull request",
        [
            required("sentry_url"), required("issue_id"), required("repo_url"), required("key_name"),
            optional("provider_key"),
        ],
        [
            fetch(
                "fetch_issue",
                [
                    "url": "{{.Params.sentry_url}}/api/0/issues/{{.Params.issue_id}}/", "method": "GET",
                    "key_name": "{{.Params.key_name}}",
                    "outputs": [
                        "title": "$.title", "culprit": "$.culprit", "message": "$.metadata.value",
                        "platform": "$.platform",
                    ],
                ]),
            task(
                "fix_bug",
                [
                    "repo_url": "{{.Params.repo_url}}", "provider_key": "{{.Params.provider_key}}",
                    "tools": [["name": "sentry"]], "tool_key_ref": "{{.Params.key_name}}",
                    "prompt": .string(BuiltInPrompts.sentryFix),
                ]),
            action(
                "create_pr",
                [
                    "kind": "create_pr", "task_step_ref": "fix_bug",
                    "title": "fix(sentry): {{.Steps.fetch_issue.culprit}}",
                    "description": .string(BuiltInPrompts.sentryDescription),
                ]),
        ])

    private static let gitHubIssueFixer = workflow(
        "github-issue-fixer", "Fetches a GitHub issue, fixes it and opens a pull request that closes it",
        [required("repo_url"), required("issue_number"), optional("key_name"), optional("provider_key")],
        [
            fetch(
                "fetch_issue",
                [
                    "url":
                        "https://api.github.com/repos/{{repoPath .Params.repo_url}}/issues/{{.Params.issue_number}}",
                    "method": "GET", "headers": ["Accept": "application/vnd.github+json"],
                    "key_name": "{{.Params.key_name}}",
                    "outputs": [
                        "title": "$.title", "body": "$.body", "number": "$.number", "labels": "$.labels[*].name",
                    ],
                ]),
            task(
                "fix_issue",
                [
                    "repo_url": "{{.Params.repo_url}}", "provider_key": "{{.Params.provider_key}}",
                    "prompt": .string(BuiltInPrompts.issueFix(forge: "GitHub", number: "number", text: "body")),
                ]),
            action(
                "create_pr",
                [
                    "kind": "create_pr", "task_step_ref": "fix_issue",
                    "title": "fix: {{.Steps.fetch_issue.title}} (#{{.Steps.fetch_issue.number}})",
                    "description": "Closes #{{.Steps.fetch_issue.number}}.",
                ]),
        ])

    private static let gitLabIssueFixer = workflow(
        "gitlab-issue-fixer", "Fetches a GitLab issue, fixes it and opens a merge request that closes it",
        [required("repo_url"), required("issue_iid"), required("key_name"), optional("provider_key")],
        [
            fetch(
                "fetch_issue",
                [
                    // The whole path: a project may lie in a group of a group.
                    "url": .string(
                        "{{repoHost .Params.repo_url}}/api/v4/projects/"
                            + "{{urlEncode (projectPath .Params.repo_url)}}/issues/{{.Params.issue_iid}}"),
                    "method": "GET", "key_name": "{{.Params.key_name}}",
                    "outputs": [
                        "title": "$.title", "description": "$.description", "iid": "$.iid", "labels": "$.labels",
                    ],
                ]),
            task(
                "fix_issue",
                [
                    "repo_url": "{{.Params.repo_url}}", "provider_key": "{{.Params.provider_key}}",
                    "prompt": .string(BuiltInPrompts.issueFix(forge: "GitLab", number: "iid", text: "description")),
                ]),
            action(
                "create_mr",
                [
                    "kind": "create_mr", "task_step_ref": "fix_issue",
                    "title": "fix: {{.Steps.fetch_issue.title}} (#{{.Steps.fetch_issue.iid}})",
                    "description": "Closes #{{.Steps.fetch_issue.iid}}.",
                ]),
        ])

    // MARK: Repositories

    private static let codeReview = workflow(
        "code-review", "Has one CLI do a task and another one review its changes",
        [
            required("repo_url"), required("prompt"), optional("provider_key"), optional("access_token"),
            optional("source_branch"), optional("cli", "claude-code"), optional("review_cli", "codex"),
        ],
        [
            task(
                "execute_task",
                [
                    "repo_url": "{{.Params.repo_url}}", "prompt": "{{.Params.prompt}}",
                    "provider_key": "{{.Params.provider_key}}", "access_token": "{{.Params.access_token}}",
                    "cli": "{{.Params.cli}}", "source_branch": "{{.Params.source_branch}}",
                ]),
            task(
                "code_review",
                [
                    "repo_url": "{{.Params.repo_url}}", "prompt": .string(BuiltInPrompts.codeReview),
                    "provider_key": "{{.Params.provider_key}}", "access_token": "{{.Params.access_token}}",
                    "cli": "{{.Params.review_cli}}", "workspace_task_ref": "execute_task",
                ]),
        ])

    private static let knowledgeUpdate = workflow(
        "knowledge-update", "Explores a repository and opens a pull request with an up-to-date .codeforge/",
        [required("repo_url"), optional("focus"), required("provider_key"), optional("cli")],
        [
            task(
                "analyze_repo",
                [
                    "repo_url": "{{.Params.repo_url}}", "task_type": "plan",
                    "provider_key": "{{.Params.provider_key}}", "cli": "{{.Params.cli}}",
                    "prompt": .string(BuiltInPrompts.analyze),
                ]),
            task(
                "update_knowledge",
                [
                    "repo_url": "{{.Params.repo_url}}", "task_type": "code",
                    "provider_key": "{{.Params.provider_key}}", "cli": "{{.Params.cli}}",
                    "workspace_task_ref": "analyze_repo", "prompt": .string(BuiltInPrompts.writeKnowledge),
                ]),
            action(
                "create_pr",
                [
                    "kind": "create_pr", "task_step_ref": "update_knowledge",
                    "title": "docs: update .codeforge/ knowledge base",
                    "description": .string(BuiltInPrompts.knowledgeDescription),
                ]),
        ])
}
