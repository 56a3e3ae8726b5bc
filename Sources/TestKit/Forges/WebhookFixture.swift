import Foundation

/// What GitHub and GitLab send about a pull or merge request, with all members of their public documentation.
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

    /// Every action of a `pull_request` event.
    package static let githubActions = [
        "assigned", "auto_merge_disabled", "auto_merge_enabled", "closed", "converted_to_draft", "demilestoned",
        "dequeued", "edited", "enqueued", "labeled", "locked", "milestoned", "opened", "ready_for_review", "reopened",
        "review_request_removed", "review_requested", "stacked", "synchronize", "unassigned", "unlabeled", "unlocked",
    ]

    /// Every action of a `Merge Request Hook`.
    package static let gitlabActions = [
        "approval", "approved", "close", "merge", "open", "reopen", "unapproval", "unapproved", "update",
    ]

    func text(_ value: String) -> String {
        String(decoding: (try? JSONEncoder().encode(value)) ?? Data("\"\"".utf8), as: UTF8.self)
    }

    /// The members of an object that are texts.
    func members(_ pairs: [(String, String)]) -> String {
        pairs.map { "\(text($0.0)): \(text($0.1))" }.joined(separator: ", ")
    }
}
