import Domain
import Testing
import Workflows

@Suite struct BuiltInWorkflowsTests {
    private func workflow(_ name: String) throws -> Workflow {
        try #require(BuiltInWorkflows.all.first { $0.name == name })
    }

    private func config(_ workflow: Workflow, _ step: String) throws -> JSONValue {
        try #require(workflow.steps.first { $0.name == step }).config
    }

    /// The step's member, as a run with these values renders it.
    private func render(
        _ name: String, _ step: String, _ member: String, _ params: [String: String],
        _ outputs: [String: [String: String]] = [:]
    ) throws -> String {
        let workflow = try workflow(name)
        var context = TemplateContext(
            of: WorkflowRun(id: "r", workflow: workflow, params: params, createdAt: workflow.createdAt), steps: [])
        context.steps = outputs
        return try Template(#require(try config(workflow, step)[member]?.stringValue)).render(context)
    }

    @Test func theyPassTheRulesOfClientsWorkflows() throws {
        for workflow in BuiltInWorkflows.all {
            try WorkflowValidator.check(workflow)
            #expect(workflow.isBuiltIn && !workflow.description.isEmpty)
            for step in workflow.steps {
                for (_, value) in (try #require(step.config.objectValue)) {
                    guard let text = value.stringValue else { continue }
                    let declared = Set(workflow.parameters.map(\.name))
                    #expect(declared.isSuperset(of: try Template(text).parameterReferences), "\(step.name)")
                }
            }
        }
    }

    @Test(
        arguments: [
            ("sentry-fixer", "sentry_url* issue_id* repo_url* key_name* provider_key", "fetch_issue fix_bug create_pr"),
            ("github-issue-fixer", "repo_url* issue_number* key_name provider_key", "fetch_issue fix_issue create_pr"),
            ("gitlab-issue-fixer", "repo_url* issue_iid* key_name* provider_key", "fetch_issue fix_issue create_mr"),
            (
                "code-review",
                "repo_url* prompt* provider_key access_token source_branch cli=claude-code review_cli=codex",
                "execute_task code_review"
            ), ("knowledge-update", "repo_url* focus provider_key* cli", "analyze_repo update_knowledge create_pr"),
        ])
    func theyTakeTheseParameters(name: String, parameters: String, steps: String) throws {
        let workflow = try workflow(name)
        let told = workflow.parameters.map { parameter in
            parameter.name + (parameter.required ? "*" : "") + (parameter.default.map { "=\($0)" } ?? "")
        }
        #expect(told.joined(separator: " ") == parameters)
        #expect(workflow.steps.map(\.name).joined(separator: " ") == steps)
        #expect(BuiltInWorkflows.all.count == 5)
    }

    @Test func theyFetchFromTheseURLs() throws {
        #expect(
            try render(
                "sentry-fixer", "fetch_issue", "url", ["sentry_url": "https://sentry.io", "issue_id": "7"])
                == "https://sentry.io/api/0/issues/7/")
        #expect(
            try render(
                "github-issue-fixer", "fetch_issue", "url",
                ["repo_url": "git@github.com:octo/app.git", "issue_number": "42"])
                == "https://api.github.com/repos/octo/app/issues/42")
        for (url, expected) in [
            ("https://gitlab.com/octo/app.git", "https://gitlab.com/api/v4/projects/octo%2Fapp/issues/3"),
            ("http://127.0.0.1:80/a/b/app", "http://127.0.0.1:80/api/v4/projects/a%2Fb%2Fapp/issues/3"),
        ] {
            let params = ["repo_url": url, "issue_iid": "3"]
            #expect(try render("gitlab-issue-fixer", "fetch_issue", "url", params) == expected)
        }
        let github = try FetchConfig(#require(try workflow("github-issue-fixer").steps.first))
        #expect(github.headers.map { "\($0.name): \($0.value)" } == ["Accept: application/vnd.github+json"])
        #expect(github.outputs.map(\.name) == ["body", "labels", "number", "title"])
        // No key: an unauthenticated fetch.
        #expect(try render("github-issue-fixer", "fetch_issue", "key_name", [:]) == "")
    }

    @Test func pullRequestsHaveTheseTitles() throws {
        let issue = ["title": "Crash", "number": "42", "iid": "42", "culprit": "app.views in index"]
        for (name, step, title) in [
            ("sentry-fixer", "create_pr", "fix(sentry): app.views in index"),
            ("github-issue-fixer", "create_pr", "fix: Crash (#42)"),
            ("gitlab-issue-fixer", "create_mr", "fix: Crash (#42)"),
            ("knowledge-update", "create_pr", "docs: update .codeforge/ knowledge base"),
        ] {
            #expect(try render(name, step, "title", [:], ["fetch_issue": issue]) == title)
        }
        for (name, step) in [("github-issue-fixer", "create_pr"), ("gitlab-issue-fixer", "create_mr")] {
            #expect(try render(name, step, "description", [:], ["fetch_issue": issue]) == "Closes #42.")
        }
    }

    @Test func promptsHoldWhatWasFetchedAndNoGaps() throws {
        let error = ["title": "KeyError: 'id'", "culprit": "app.views", "message": "'id'", "platform": "python"]
        let prompt = try render("sentry-fixer", "fix_bug", "prompt", ["issue_id": "7"], ["fetch_issue": error])
        for text in ["Error: KeyError: 'id'\n- Location: app.views\n- Message: 'id'\n- Platform: python\n", "issue 7"] {
            #expect(prompt.contains(text), "\(prompt)")
        }
        let bare = ["title": "T", "culprit": "C", "message": "", "platform": ""]
        let short = try render("sentry-fixer", "fix_bug", "prompt", ["issue_id": "7"], ["fetch_issue": bare])
        #expect(short.contains("- Location: C\n- Sentry issue: 7\n"), "\(short)")

        let issue = ["title": "Crash", "number": "42", "body": "It {{crashes}}.", "labels": #"["bug"]"#]
        let fix = try render("github-issue-fixer", "fix_issue", "prompt", [:], ["fetch_issue": issue])
        #expect(
            fix.contains("issue #42 ") && fix.contains("## Crash\n\nIt {{crashes}}.\n\nLabels: [\"bug\"]\n\n## How"),
            "\(fix)")
        let silent = ["title": "Crash", "iid": "42", "description": "", "labels": ""]
        let empty = try render("gitlab-issue-fixer", "fix_issue", "prompt", [:], ["fetch_issue": silent])
        #expect(empty.contains("## Crash\n\n(The issue has no text beyond its title.)\n\n## How"), "\(empty)")
    }

    @Test func aReviewIsAskedForInItsOwnWords() throws {
        let prompt = try render("code-review", "code_review", "prompt", ["prompt": "Add a cache"])
        #expect(
            prompt.contains("senior code reviewer") && prompt.contains("Add a cache") && prompt.contains("\"verdict\""))
        #expect(try config(workflow("code-review"), "code_review")["workspace_task_ref"] == "execute_task")
        #expect(try render("code-review", "code_review", "cli", ["review_cli": "claude-code"]) == "claude-code")
    }

    @Test func knowledgeIsGatheredWithOrWithoutAFocus() throws {
        let plain = try render("knowledge-update", "analyze_repo", "prompt", [:])
        #expect(!plain.contains("above all") && plain.contains("afterwards.\n\nFind out"), "\(plain)")
        let focused = try render("knowledge-update", "analyze_repo", "prompt", ["focus": "storage"])
        #expect(focused.contains("above all: storage\n\nFind out"), "\(focused)")
        let outputs = ["analyze_repo": ["result": "It is a server."]]
        let write = try render("knowledge-update", "update_knowledge", "prompt", ["focus": "storage"], outputs)
        for text in [
            "attention to: storage\n\n##", "It is a server.", "OVERVIEW.md", "ARCHITECTURE.md", "CONVENTIONS.md",
        ] {
            #expect(write.contains(text), "\(write)")
        }
        #expect(try render("knowledge-update", "create_pr", "description", [:]).hasSuffix("the repository."))
    }
}

extension JSONValue {
    fileprivate var objectValue: [String: JSONValue]? {
        if case .object(let members) = self { return members }
        return nil
    }
}
