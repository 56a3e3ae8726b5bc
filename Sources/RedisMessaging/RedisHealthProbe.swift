package import Domain

/// Whether Redis answers, on a connection of its own so that other work can't delay the answer.
package final class RedisHealthProbe: HealthProbe {
    private let client: RedisClient

    package init(_ client: RedisClient) {
        self.client = RedisClient(like: client, connections: 1, patience: .zero)
    }

    package func ping() async throws(CodeForgeError) {
        try await client.perform("ping", patience: .milliseconds(400)) { connection throws(RedisError) in
            _ = try connection.send(RedisCommand("PING"), wait: .milliseconds(500))
        }
    }
}
