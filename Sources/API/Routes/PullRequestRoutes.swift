import Domain
import Engine
import HTTPTypes
import Hummingbird
import ServiceLifecycle

/// Pull requests of what tasks changed.
struct PullRequestRoutes: Sendable {
    private let publisher: Publisher
    private let body: BodyReader

    init(_ dependencies: APIDependencies) {
        publisher = dependencies.publisher
        body = BodyReader(limit: dependencies.maxBodyBytes)
    }

    var routes: [Route] {
        // It answers when the pull request is there, however long the push takes; that has a limit of its own.
        [
            Route(
                .post, "/api/v1/tasks/{taskID}/create-pr", "Create a pull request", access: .submit, isLimited: false,
                handler: create)
        ]
    }

    @Sendable private func create(_ request: Request, _ context: APIContext) async throws -> Response {
        let asked = try await body.decodeIfAny(CreatePullRequest.self, from: request)
        let draft = Publisher.Draft(
            title: asked?.title, description: asked?.description, targetBranch: asked?.targetBranch)
        // A stop of the service does not wait for it: what is on record is taken up by the next start.
        let task = try await cancelWhenGracefulShutdown { [publisher] in
            try await publisher.createPullRequest(context.taskID, draft)
        }
        return .json { json in
            json.member("pr_url", task.prURL ?? "")
            json.member("pr_number", task.prNumber ?? 0)
            json.member("branch", task.branch ?? "")
        }
    }
}

/// The body of `POST /tasks/{taskID}/create-pr`; each member may be missing.
private struct CreatePullRequest: Decodable {
    var title: String?
    var description: String?
    var targetBranch: String?

    private enum CodingKeys: String, CodingKey {
        case title, description
        case targetBranch = "target_branch"
    }
}
