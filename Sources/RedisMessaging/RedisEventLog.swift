package import Domain
import Logging

/// Event logs as one stream for each task.
///
/// Whatever the number of followers: one subscriber connection for the process tells which tasks have news, and what is
/// new in a log is read once and shared by all followers that are at its end.
package final class RedisEventLog: EventLog {
    private let client: RedisClient
    private let historyEntries: Int
    private let hubs: EventHubs

    /// Marks of `append`: as long as one call may be tried again. Those of `appendOnce`: as long as a sender may come
    /// back after a crash.
    private static let retryLifetime: Duration = .seconds(600)
    private static let onceLifetime: Duration = .seconds(7 * 86_400)

    /// - Parameters:
    ///   - historyEntries: Entries each log keeps, at least.
    ///   - readers: Connections for reading logs, 1…16.
    package init(_ client: RedisClient, historyEntries: Int, readers: Int = 2) {
        self.client = client
        self.historyEntries = historyEntries
        hubs = EventHubs(RedisClient(like: client, connections: readers, patience: .seconds(2)))
    }

    /// Logs that are followed now.
    var hubCount: Int { hubs.count }

    package func append(_ entries: [LoggedEvent.Body], to taskID: String) async throws(CodeForgeError) {
        let key = "append-" + String(UInt64.random(in: .min ... .max), radix: 36)
        _ = try await append(entries, to: taskID, key: key, lifetime: RedisEventLog.retryLifetime)
    }

    @discardableResult
    package func appendOnce(
        _ entries: [LoggedEvent.Body],
        to taskID: String,
        key: String
    ) async throws(CodeForgeError) -> Bool {
        try await append(entries, to: taskID, key: key, lifetime: RedisEventLog.onceLifetime)
    }

    package func reader(
        of taskID: String, after id: String?, onNews: @escaping @Sendable () -> Void
    ) -> any EventReader {
        // An id nobody can have got from here is like none: showing too much beats showing nothing.
        let start = id.flatMap { StreamID($0.utf8) } ?? .zero
        return EventFollower(hubs, taskID, after: start, onNews: onNews)
    }

    package func expire(_ taskID: String, seconds: Int?) async throws(CodeForgeError) {
        let command = client.expiry(of: client.keys.events(taskID), seconds: seconds)
        try await client.perform("expire the events of task \(taskID)") { connection throws(RedisError) in
            _ = try connection.send(command)
        }
    }

    private func append(
        _ entries: [LoggedEvent.Body],
        to taskID: String,
        key: String,
        lifetime: Duration
    ) async throws(CodeForgeError) -> Bool {
        guard !entries.isEmpty else { return false }
        let names = client.keys
        var arguments: [RedisArgument] = [
            .int(Int(lifetime.wholeMilliseconds)), .int(historyEntries), .text(names.live), .text(taskID),
        ]
        for entry in entries {
            switch entry {
            case .event(let json): arguments += ["e", .bytes(json)]
            case .done(let json): arguments += ["d", .bytes(json)]
            }
        }
        let operation = "append events of task \(taskID)"
        return try await client.perform(operation) { [arguments] connection throws(RedisError) in
            try connection.run(
                RedisScripts.appendOnce,
                keys: [names.events(taskID), names.once(taskID, key)],
                arguments
            ).root.integer == 1
        }
    }
}
