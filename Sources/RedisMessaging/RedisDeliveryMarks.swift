package import Domain

/// Marks of deliveries as keys that expire.
package struct RedisDeliveryMarks: DeliveryMarks {
    private let client: RedisClient
    /// A forge waits for its answer: without Redis a delivery is better seen twice than answered too late.
    private static let patience: Duration = .seconds(2)

    package init(_ client: RedisClient) { self.client = client }

    package func add(_ mark: DeliveryMark, seconds: Int) async throws(CodeForgeError) -> Bool {
        let command = RedisCommand(
            "SET", .text(client.keys.delivery(mark)), "1", "NX", "EX", .int(seconds))
        return try await client.perform(
            "mark a delivery", patience: RedisDeliveryMarks.patience
        ) { connection throws(RedisError) in
            try connection.send(command).root.text == "OK"
        }
    }

    package func keep(_ mark: DeliveryMark, seconds: Int) async throws(CodeForgeError) {
        try await send(
            RedisCommand("SET", .text(client.keys.delivery(mark)), "1", "EX", .int(seconds)), "keep a delivery's mark")
    }

    package func remove(_ mark: DeliveryMark) async throws(CodeForgeError) {
        try await send(RedisCommand("DEL", .text(client.keys.delivery(mark))), "remove a delivery's mark")
    }

    private func send(_ command: RedisCommand, _ operation: String) async throws(CodeForgeError) {
        try await client.perform(operation, patience: RedisDeliveryMarks.patience) { connection throws(RedisError) in
            _ = try connection.send(command)
        }
    }
}
