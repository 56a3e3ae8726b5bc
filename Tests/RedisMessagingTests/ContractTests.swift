import Domain
import TestKit
import Testing

@testable import RedisMessaging

@Suite struct TwinContractTests {
    @Test(arguments: TaskQueueContract.cases)
    func taskQueue(_ rule: TaskQueueContract.Case) async throws {
        let chain = Chain(InMemoryTaskQueue()) { InMemoryTaskQueue(after: $0) }
        try await rule.run { await chain.next() }
    }

    @Test(arguments: ReportLogContract.cases)
    func reportLog(_ rule: ReportLogContract.Case) async throws {
        let chain = Chain(InMemoryReportLog()) { InMemoryReportLog(after: $0) }
        try await rule.run {
            let log = await chain.next()
            return (log, { log.send($0) })
        }
    }

    @Test(arguments: EventLogContract.cases)
    func eventLog(_ rule: EventLogContract.Case) async throws { try await rule.run(InMemoryEventLog()) }

    @Test(arguments: TaskSecretStoreContract.cases)
    func secretStore(_ rule: TaskSecretStoreContract.Case) async throws {
        try await rule.run(InMemoryTaskSecretStore())
    }

    @Test(arguments: RateLimiterContract.cases)
    func rateLimiter(_ rule: RateLimiterContract.Case) async throws {
        try await rule.run { InMemoryRateLimiter(limit: $0) }
    }

    @Test(arguments: DeliveryMarksContract.cases)
    func deliveryMarks(_ rule: DeliveryMarksContract.Case) async throws { try await rule.run(InMemoryDeliveryMarks()) }

    /// Makes the first server, then each next one from the one before.
    private actor Chain<Server: Sendable> {
        private var current: Server
        private var isUsed = false
        private let restart: @Sendable (Server) -> Server

        init(_ first: Server, restart: @escaping @Sendable (Server) -> Server) {
            current = first
            self.restart = restart
        }

        func next() -> Server {
            if isUsed { current = restart(current) }
            isUsed = true
            return current
        }
    }
}

@Suite struct RedisContractTests {
    @Test(arguments: TaskQueueContract.cases)
    func taskQueue(_ rule: TaskQueueContract.Case) async throws {
        let redis = try await RedisFixture()
        try await rule.run { RedisTaskQueue(try RedisClient(url: redis.url)) }
    }

    @Test(arguments: ReportLogContract.cases)
    func reportLog(_ rule: ReportLogContract.Case) async throws {
        let redis = try await RedisFixture()
        try await rule.run {
            let client = try RedisClient(url: redis.url)
            let sender = ReportSender(client)
            return (RedisReportLog(client), { try await sender.send($0) })
        }
    }

    @Test(arguments: EventLogContract.cases)
    func eventLog(_ rule: EventLogContract.Case) async throws {
        let redis = try await RedisFixture()
        try await rule.run(RedisEventLog(try RedisClient(url: redis.url), historyEntries: 100_000))
    }

    @Test(arguments: TaskSecretStoreContract.cases)
    func secretStore(_ rule: TaskSecretStoreContract.Case) async throws {
        let redis = try await RedisFixture()
        try await rule.run(RedisTaskSecretStore(try RedisClient(url: redis.url), box: ReversingSecretBox()))
    }

    @Test(arguments: RateLimiterContract.cases)
    func rateLimiter(_ rule: RateLimiterContract.Case) async throws {
        let redis = try await RedisFixture()
        try await rule.run { RedisRateLimiter(try RedisClient(url: redis.url), limit: $0, digest: { $0 }) }
    }

    @Test(arguments: DeliveryMarksContract.cases)
    func deliveryMarks(_ rule: DeliveryMarksContract.Case) async throws {
        let redis = try await RedisFixture()
        try await rule.run(RedisDeliveryMarks(try RedisClient(url: redis.url)))
    }
}
