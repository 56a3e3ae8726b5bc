import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// The workflows that come with the service, with the real CLI and a scripted model.
@Suite(.serialized) struct BuiltInWorkflowTests {
    private static let script = """
        scenarios:
          - match: "Explore this repository"
            turns:
              - read: README.md
              - say: "FOUND: one Python program."
          - match: "FOUND: one Python program."
            turns:
              - run: mkdir -p .codeforge && echo 'One Python program.' > .codeforge/OVERVIEW.md
              - say: "Written."
          - match: "git diff"
            turns:
              - run: git diff HEAD
              - say: |-
                  After {result}:
                  ```json
                  {"verdict": "approve", "score": 9, "summary": "Right.", "issues": [], "auto_fixable": false}
                  ```
          - match: "are crooked"
            turns:
              - run: echo fixed > fixed.txt
              - say: "Fixed."
        """

    private func with(
        _ provider: GitProvider = .gitlab, _ body: (WorkflowFixture) async throws -> Void
    ) async throws {
        let model = try await ModelFixture(BuiltInWorkflowTests.script)
        try await WorkflowFixture.with(
            provider, model: model, ["CODEFORGE_CLI__DEFAULT": "claude-code"]
        ) { fixture async throws in
            try await body(fixture)
            #expect(fixture.forge.violations == [])
            #expect(try Set(model.statuses()) == [200])
        }
    }

    private func completed(
        _ fixture: WorkflowFixture, _ name: String, _ params: [String: String]
    ) async throws -> [JSONValue] {
        let parameters = params.merging(["repo_url": fixture.repository]) { $1 }
        let run = try await fixture.finished(try await fixture.start(name, parameters))
        try #require(run["status"] == "completed", "\(run)")
        return run["steps"]?.arrayValue ?? []
    }

    @Test func anIssueOnGitHubIsFixed() async throws {
        try await with(.github) { fixture async throws in
            fixture.forge.github.issues["acme/wordstat#7"] = [
                "number": 7, "title": "Bars", "body": "They are crooked.", "labels": [["name": "bug"]],
            ]
            let steps = try await completed(
                fixture, "github-issue-fixer", ["issue_number": "7", "key_name": "bot", "provider_key": "bot"])
            #expect(steps.first?["result"]?["number"] == "7", "\(steps)")
            let pull = try #require(fixture.forge.github.pulls.first)
            #expect(pull.title == "fix: Bars (#7)" && pull.body == "Closes #7.")
        }
    }

    @Test func anIssueOnGitLabIsFixed() async throws {
        try await with { fixture async throws in
            fixture.forge.gitlab.issues["acme/wordstat#7"] = [
                "iid": 7, "title": "Bars", "description": "They are crooked.", "labels": ["bug"],
            ]
            _ = try await completed(
                fixture, "gitlab-issue-fixer", ["issue_iid": "7", "key_name": "bot", "provider_key": "bot"])
            let request = try #require(fixture.forge.gitlab.mergeRequests.first)
            #expect(request.title == "fix: Bars (#7)" && request.description == "Closes #7.")
        }
    }

    @Test func anErrorInSentryIsFixed() async throws {
        try await with { fixture async throws in
            try await fixture.register("sentry", "sentry")
            fixture.forge.sentry.issue["42"] = [
                "id": "42", "title": "Bars are crooked", "culprit": "wordstat.histogram", "platform": "python",
                "metadata": ["value": "width < 0"],
            ]
            let steps = try await completed(
                fixture, "sentry-fixer",
                ["sentry_url": fixture.door.url, "issue_id": "42", "key_name": "sentry", "provider_key": "bot"])
            #expect(steps.first?["result"]?["message"] == "width < 0", "\(steps)")
            let request = try #require(fixture.forge.gitlab.mergeRequests.first)
            #expect(request.title == "fix(sentry): wordstat.histogram" && request.description.contains("width < 0"))
        }
    }

    @Test func whatOneCLIDidIsReviewedByAnother() async throws {
        try await with { fixture async throws in
            let steps = try await completed(
                fixture, "code-review",
                [
                    "prompt": "The bars are crooked.", "access_token": fixture.git.password, "cli": "claude-code",
                    "review_cli": "claude-code",
                ])
            #expect(steps.first?["result"]?["result"] == "Fixed.", "\(steps)")
            let id = try #require(steps.last?["task_id"]?.stringValue)
            let task = try await fixture.server.task(id)
            #expect(task["result"]?.stringValue?.contains(#""verdict": "approve""#) == true, "\(task)")
            #expect(task["task_type"] == "code" && task["review_result"] == nil)
            #expect(task["config"]?["workspace_task_id"] == steps.first?["task_id"])
        }
    }

    @Test func whatIsKnownOfARepositoryIsWrittenDown() async throws {
        try await with { fixture async throws in
            let steps = try await completed(fixture, "knowledge-update", ["provider_key": "bot"])
            #expect(steps.count == 3)
            let request = try #require(fixture.forge.gitlab.mergeRequests.first)
            #expect(request.title == "docs: update .codeforge/ knowledge base")
            let show = "git --git-dir '\(fixture.git.bare)' diff --name-only main \(request.source)"
            #expect(try fixture.server.shell(show) == ".codeforge/OVERVIEW.md\n")
        }
    }
}
