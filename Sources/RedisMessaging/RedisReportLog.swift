package import Domain
import FoundationEssentials
import Logging
import Synchronization

/// Reports of supervisors, as a stream with a consumer group.
package final class RedisReportLog: ReportLog {
    private let client: RedisClient
    private let consumer: StreamConsumer
    /// Where the reading of what an earlier server left stands; `nil` once that is done.
    private let recovery = Mutex<String?>("0")

    /// - Parameter consumer: As for `RedisTaskQueue`.
    package init(_ client: RedisClient, consumer: String = "server") {
        self.client = client
        self.consumer = StreamConsumer(client, stream: client.keys.results, consumer: consumer)
    }

    package func next(wait: Duration) async throws(CodeForgeError) -> [(entry: String, report: JobReport)] {
        while let cursor = recovery.withLock({ $0 }) {
            let entries = try await consumer.unacknowledged(after: cursor)
            recovery.withLock { $0 = entries.last?.id }
            let reports = try await decode(entries)
            if !reports.isEmpty { return reports }
        }
        return try await decode(try await consumer.take(max: 256, wait: wait))
    }

    package func acknowledge(_ entries: [String]) async throws(CodeForgeError) {
        try await consumer.remove(entries)
    }

    /// Entries that are no reports can only stand in the way, so they are removed.
    private func decode(
        _ entries: [StreamConsumer.Entry]
    ) async throws(CodeForgeError) -> [(entry: String, report: JobReport)] {
        var reports: [(entry: String, report: JobReport)] = []
        var unreadable: [String] = []
        for entry in entries {
            do {
                reports.append((entry.id, try JSONDecoder().decode(JobReport.self, from: Data(entry.value))))
            } catch {
                unreadable.append(entry.id)
                client.logger.error(
                    "unreadable report dropped",
                    metadata: ["redis.entry": "\(entry.id)", "error": "\(error)"]
                )
            }
        }
        try await consumer.remove(unreadable)
        return reports
    }
}

/// The supervisors' end of the report log.
package final class ReportSender: ReportSink {
    private let client: RedisClient

    package init(_ client: RedisClient) { self.client = client }

    /// Waits for a Redis that is away as long as anybody could still repair it: a day.
    package func send(_ report: JobReport) async throws(CodeForgeError) {
        try await send(report, patience: .seconds(86_400))
    }

    /// Sends a report; on return it is in the log. May arrive twice.
    ///
    /// - Parameter patience: How long to wait for a Redis that is away.
    /// - Throws: `.unavailable` when the patience is used up.
    package func send(_ report: JobReport, patience: Duration) async throws(CodeForgeError) {
        let body: [UInt8]
        do {
            body = Array(try JSONEncoder().encode(report))
        } catch {
            throw CodeForgeError(.internal, "encode a report: \(error)")
        }
        let command = RedisCommand("XADD", .text(client.keys.results), "*", "report", .bytes(body))
        let operation = "report of task \(report.run.taskID)"
        try await client.perform(operation, patience: patience) { connection throws(RedisError) in
            _ = try connection.send(command)
        }
    }
}
