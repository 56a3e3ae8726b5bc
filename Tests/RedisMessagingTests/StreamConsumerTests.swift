import Domain
import TestKit
import Testing

@testable import RedisMessaging

@Suite struct StreamConsumerTests {
    /// Whoever is answered may be cancelled at that very moment.
    @Test(.timeLimit(.minutes(2))) func cancelsBesideAnswersHoldNothingUp() async throws {
        let redis = try await RedisFixture()
        let client = try RedisClient(url: redis.url)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                let consumer = StreamConsumer(client, stream: "s\(number)", consumer: "c")
                group.addTask {
                    for round in 0..<300 {
                        let waiter = Task {
                            try? await consumer.take(max: 1, wait: .milliseconds(2))
                        }
                        try await Task.sleep(for: .microseconds(1000 + 10 * (round + number) % 2500))
                        waiter.cancel()
                        _ = await waiter.value
                    }
                }
            }
            try await group.waitForAll()
        }
        withExtendedLifetime(redis) {}
    }
}
