package import Domain
import FoundationEssentials

/// The payloads of GitHub's and GitLab's webhooks about pull and merge requests.
///
/// Only what is used is looked at; what is missing is empty, and whether that will do is for who asked to judge.
///
/// Source: GitHub documentation, "Webhook events and payloads", `pull_request`; GitLab documentation, "Webhook events",
/// "Merge request events".
package struct WebhookPayloads: WebhookReader {
    package init() {}

    package func read(_ body: [UInt8], from provider: GitProvider) throws(CodeForgeError) -> PullRequestEvent {
        do {
            let decoder = JSONDecoder()
            switch provider {
            case .github: return try decoder.decode(GitHubPayload.self, from: Data(body)).event
            case .gitlab: return try decoder.decode(GitLabPayload.self, from: Data(body)).event
            }
        } catch {
            throw CodeForgeError(.invalidArgument, "failed to parse webhook payload")
        }
    }

    private static let shownAction = 64
    private static let shownTitle = 1000

    fileprivate static func action(_ text: String?) -> String {
        SafeText.start(of: (text ?? "").utf8, limit: shownAction)
    }

    /// What is no commit is none: without one, deliveries are not compared.
    fileprivate static func commit(_ text: String?) -> String {
        let id = (text ?? "").lowercased()
        return CommitID.isValid(id) ? id : ""
    }

    fileprivate static func title(_ text: String?) -> String {
        SafeText.start(of: (text ?? "").utf8, limit: shownTitle)
    }
}

// Members as the forges name them.
private struct GitHubPayload: Decodable {
    struct Repository: Decodable {
        var id: Int64?
        var clone_url: String?
        var html_url: String?
    }
    struct End: Decodable {
        var ref: String?
        var sha: String?
        /// `null` when the fork is gone.
        var repo: Repository?
    }
    struct PullRequest: Decodable {
        var number: Int?
        var title: String?
        var draft: Bool?
        var head: End?
        var base: End?
    }
    var action: String?
    var number: Int?
    var pull_request: PullRequest?
    var repository: Repository?

    var event: PullRequestEvent {
        let pull = pull_request
        let head = pull?.head?.repo?.id
        return PullRequestEvent(
            provider: .github, action: WebhookPayloads.action(action), isDraft: pull?.draft ?? false,
            number: pull?.number ?? number ?? 0, title: WebhookPayloads.title(pull?.title),
            repositoryURL: repository?.clone_url?.filled ?? repository?.html_url ?? "",
            headBranch: pull?.head?.ref ?? "", baseBranch: pull?.base?.ref ?? "",
            headSHA: WebhookPayloads.commit(pull?.head?.sha),
            isFork: head == nil || head != (pull?.base?.repo?.id ?? repository?.id))
    }
}

private struct GitLabPayload: Decodable {
    struct Commit: Decodable { var id: String? }
    struct Project: Decodable {
        var id: Int64?
        var http_url_to_repo: String?
        var git_http_url: String?
    }
    struct MergeRequest: Decodable {
        var iid: Int?
        var action: String?
        var title: String?
        var draft: Bool?
        var work_in_progress: Bool?
        var source_branch: String?
        var target_branch: String?
        /// `null` when the fork is gone.
        var source_project_id: Int64?
        var target_project_id: Int64?
        var last_commit: Commit?
    }
    var object_attributes: MergeRequest?
    var project: Project?

    var event: PullRequestEvent {
        let request = object_attributes
        let source = request?.source_project_id
        return PullRequestEvent(
            provider: .gitlab, action: WebhookPayloads.action(request?.action),
            isDraft: request?.draft == true || request?.work_in_progress == true, number: request?.iid ?? 0,
            title: WebhookPayloads.title(request?.title),
            repositoryURL: project?.http_url_to_repo ?? project?.git_http_url ?? "",
            headBranch: request?.source_branch ?? "", baseBranch: request?.target_branch ?? "",
            headSHA: WebhookPayloads.commit(request?.last_commit?.id),
            isFork: source == nil || source != (request?.target_project_id ?? project?.id))
    }
}
