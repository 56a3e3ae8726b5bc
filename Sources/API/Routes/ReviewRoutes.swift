import Domain
import Engine
import HTTPTypes
import Hummingbird

/// Reviews of what tasks did.
struct ReviewRoutes: Sendable {
    private let reviews: ReviewService
    private let body: BodyReader

    init(_ dependencies: APIDependencies) {
        reviews = dependencies.reviews
        body = BodyReader(limit: dependencies.maxBodyBytes)
    }

    var routes: [Route] {
        [Route(.post, "/api/v1/tasks/{taskID}/review", "Review a task's changes", access: .submit, handler: start)]
    }

    private struct ReviewRequest: Decodable {
        var cli: String?
        var model: String?
    }

    @Sendable private func start(_ request: Request, _ context: APIContext) async throws -> Response {
        let asked = try await body.decodeIfAny(ReviewRequest.self, from: request)
        let task = try await reviews.start(context.taskID, cli: asked?.cli, model: asked?.model)
        return .json(.accepted) { json in
            json.member("id", task.id)
            json.member("status", task.status.rawValue)
        }
    }
}
