import Domain
import HTTPTypes
import Hummingbird

/// Holds a token to the rate limit, and tells it where it stands.
struct RateLimits: Sendable {
    private let limiter: (any RateLimiter)?

    /// - Parameter limiter: `nil`: no limit.
    init(_ limiter: (any RateLimiter)?) { self.limiter = limiter }

    /// Counts every request that gets here, whatever comes of it.
    func around(_ handler: @escaping Route.Handler) -> Route.Handler {
        guard let limiter else { return handler }
        return { request, context in
            guard let state = await limiter.hit(context.caller?.token ?? "") else {
                return try await handler(request, context)
            }
            do {
                guard state.passes else { throw HTTPFailure.tooManyRequests(retryAfter: state.retryAfter) }
                var response = try await handler(request, context)
                for field in RateLimits.fields(state) { response.headers.append(field) }
                return response
            } catch {
                var failure = HTTPFailure(error)
                guard failure.status.code < 500 else { throw error }
                for field in RateLimits.fields(state) { failure.headers.append(field) }
                throw failure
            }
        }
    }

    /// Source: draft-ietf-httpapi-ratelimit-headers-10.
    private static func fields(_ state: RateLimitState) -> HTTPFields {
        [
            .rateLimitPolicy: "\"tasks\";q=\(state.limit);w=\(RateLimitState.windowSeconds)",
            .rateLimit: "\"tasks\";r=\(state.remaining);t=\(state.resetSeconds)",
        ]
    }
}

extension HTTPField.Name {
    // Valid names; the initializer only refuses characters that are not in them.
    static let rateLimit = HTTPField.Name("RateLimit") ?? .upgrade
    static let rateLimitPolicy = HTTPField.Name("RateLimit-Policy") ?? .upgrade
}
