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
        [
            Route(.post, "/api/v1/tasks/{taskID}/review", "Review a task's changes", access: .submit, handler: start),
            // One request of ours may be twenty to the forge, each with a limit of its own.
            Route(
                .post, "/api/v1/tasks/{taskID}/post-review", "Post a task's review", access: .submit, isLimited: false,
                handler: post),
        ]
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

    private struct PostRequest: Decodable {
        var number: Int?
        private enum CodingKeys: String, CodingKey { case number = "pr_number" }
    }

    @Sendable private func post(_ request: Request, _ context: APIContext) async throws -> Response {
        let asked = try await body.decodeIfAny(PostRequest.self, from: request)
        let (posted, number): (PostedReview, Int)
        do throws(CodeForgeError) {
            (posted, number) = try await reviews.post(context.taskID, number: asked?.number)
        } catch {
            if error.code == .upstream { throw HTTPFailure(.internalServerError, error.message) }
            throw error
        }
        return .json { json in
            json.member("review_url", posted.url)
            json.member("comments_posted", posted.comments)
            json.member("pr_number", number)
        }
    }
}
