package import Domain

/// The task queue as a stream with a consumer group: an entry stays until it is acknowledged.
package final class RedisTaskQueue: TaskQueue {
    private let client: RedisClient
    private let consumer: StreamConsumer
    private let stream: String

    /// - Parameters:
    ///   - name: Of the queue, behind the prefix. Tasks that wait in one of another name are queued again by the record.
    ///   - consumer: Name of this server in the group; must be the same after a restart, and another one on another host.
    package init(_ client: RedisClient, name: String = "queue:tasks", consumer: String = "server") {
        self.client = client
        stream = client.keys.queue(name)
        self.consumer = StreamConsumer(client, stream: stream, consumer: consumer)
    }

    package func enqueue(_ taskID: String) async throws(CodeForgeError) {
        let command = RedisCommand("XADD", .text(stream), "*", "task", .text(taskID))
        try await client.perform("enqueue task \(taskID)") { connection throws(RedisError) in
            _ = try connection.send(command)
        }
    }

    package func claim(wait: Duration) async throws(CodeForgeError) -> Claim? {
        try await consumer.take(max: 1, wait: wait).first.map(RedisTaskQueue.claim)
    }

    package func reclaim() async throws(CodeForgeError) -> [Claim] {
        var claims: [Claim] = []
        var cursor = "0"
        while true {
            let entries = try await consumer.unacknowledged(after: cursor)
            guard let last = entries.last else { return claims }
            cursor = last.id
            // An entry without a value was deleted between XDEL and a crash: it only needs the acknowledgement.
            try await consumer.remove(entries.filter { $0.value.isEmpty }.map(\.id))
            claims += entries.filter { !$0.value.isEmpty }.map(RedisTaskQueue.claim)
        }
    }

    package func acknowledge(_ claim: Claim) async throws(CodeForgeError) {
        try await consumer.remove([claim.entry])
    }

    package func depth() async throws(CodeForgeError) -> Int {
        let command = RedisCommand("XLEN", .text(stream))
        return try await client.perform("measure the queue") { connection throws(RedisError) in
            try connection.send(command).root.integer
        }
    }

    package func contents() async throws(CodeForgeError) -> Set<String> {
        var tasks: Set<String> = []
        var start = "-"
        while true {
            let command = RedisCommand("XRANGE", .text(stream), .text(start), "+", "COUNT", 1000)
            let page = try await client.perform("list the queue") { connection throws(RedisError) in
                try connection.send(command).root.elements().map { ($0[0]?.text ?? "", $0[1]?[1]?.text ?? "") }
            }
            for (_, task) in page { tasks.insert(task) }
            guard page.count == 1000, let last = page.last else { return tasks }
            start = "(" + last.0
        }
    }

    private static func claim(_ entry: StreamConsumer.Entry) -> Claim {
        Claim(entry: entry.id, taskID: String(decoding: entry.value, as: UTF8.self))
    }
}
