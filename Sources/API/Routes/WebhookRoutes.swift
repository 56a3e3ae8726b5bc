import Domain
import Engine
import HTTPTypes
import Hummingbird

/// Where forges tell of pull and merge requests. No token: each delivery proves itself.
struct WebhookRoutes: Sendable {
    private let webhooks: WebhookService
    private let body = BodyReader(limit: WebhookRoutes.longestBody)

    /// Bytes of a delivery.
    static let longestBody = 5 << 20

    init(_ dependencies: APIDependencies) { webhooks = dependencies.webhooks }

    var routes: [Route] {
        [
            Route(.post, "/api/v1/webhooks/github", "Receive a GitHub webhook", access: .open) {
                request, _ in try await receive(.github, request)
            },
            Route(.post, "/api/v1/webhooks/gitlab", "Receive a GitLab webhook", access: .open) {
                request, _ in try await receive(.gitlab, request)
            },
        ]
    }

    private func receive(_ provider: GitProvider, _ request: Request) async throws -> Response {
        // Nothing is read for who can't prove anything.
        guard webhooks.isConfigured(for: provider) else { throw WebhookRoutes.failure(.notConfigured, provider) }
        let headers = HeaderList(request.headers.map { HeaderList.Field($0.name.rawName, $0.value) })
        let delivery = WebhookDelivery(
            provider: provider, headers: headers, body: try await body.bytes(of: request))
        let answer: WebhookService.Answer
        do throws(WebhookService.Failure) {
            answer = try await webhooks.receive(delivery)
        } catch {
            throw WebhookRoutes.failure(error, provider)
        }
        switch answer {
        case .created(let id):
            return .json(.created) { json in
                json.member("status", "created")
                json.member("task_id", id)
            }
        case .deduplicated: return WebhookRoutes.status("deduplicated")
        case .ignored(let reason): return WebhookRoutes.status("ignored", reason)
        case .skipped(let reason): return WebhookRoutes.status("skipped", reason)
        }
    }

    private static func status(_ status: String, _ reason: String = "") -> Response {
        .json { json in
            json.member("status", status)
            json.member(ifAny: "reason", reason)
        }
    }

    private static func failure(_ failure: WebhookService.Failure, _ provider: GitProvider) -> HTTPFailure {
        switch failure {
        case .notConfigured:
            HTTPFailure(.serviceUnavailable, "\(provider.title) webhook secret not configured")
        case .notAuthentic:
            HTTPFailure(
                .unauthorized, provider == .github ? "invalid signature" : "invalid token", error: "unauthorized")
        case .unreadable: HTTPFailure(.badRequest, "failed to parse webhook payload")
        case .noKey: HTTPFailure(.badRequest, "code_review.default_key_name not configured")
        case .notCreated: HTTPFailure(.internalServerError, "failed to create review task")
        }
    }
}
