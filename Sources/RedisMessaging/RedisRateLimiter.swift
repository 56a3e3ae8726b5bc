package import Domain
import Logging

/// A sliding window of 60 s for each token. Lets everything pass while Redis is away.
package final class RedisRateLimiter: RateLimiter {
    private let client: RedisClient
    private let limit: Int
    private let digest: @Sendable ([UInt8]) -> [UInt8]
    private static let windowMilliseconds = RateLimitState.windowSeconds * 1000

    /// - Parameters:
    ///   - limit: Requests each 60 s; ≤ 0 lets everything pass.
    ///   - digest: SHA-256, so that no token is written to Redis.
    package init(_ client: RedisClient, limit: Int, digest: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.client = client
        self.limit = limit
        self.digest = digest
    }

    package func hit(_ token: String) async -> RateLimitState? {
        guard limit > 0 else { return nil }
        let hex = digest(Array(token.utf8)).prefix(8).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        let member = String(UInt64.random(in: .min ... .max), radix: 16)
        let key = client.keys.rateLimit(hex)
        do {
            return try await client.perform(
                "count a request",
                patience: .milliseconds(250)
            ) { [limit] connection throws(RedisError) in
                let answer = try connection.run(
                    RedisScripts.rateLimit,
                    keys: [key],
                    [.int(limit), .int(RedisRateLimiter.windowMilliseconds), .text(member)]
                ).root.elements().map(\.integer)
                guard answer.count == 3 else { return nil }
                return RateLimitState(
                    passes: answer[0] == 1, limit: limit, remaining: max(0, limit - answer[1]),
                    resetSeconds: min(max(1, (answer[2] + 999) / 1000), RateLimitState.windowSeconds))
            }
        } catch {
            client.logger.warning("rate limit not counted", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
