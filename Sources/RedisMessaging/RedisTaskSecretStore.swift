package import Domain
import FoundationEssentials

/// Secrets of tasks, sealed before they reach Redis.
package final class RedisTaskSecretStore: TaskSecretStore {
    private let client: RedisClient
    private let box: any SecretBox

    package init(_ client: RedisClient, box: any SecretBox) {
        self.client = client
        self.box = box
    }

    package func put(_ secrets: TaskSecrets, for taskID: String) async throws(CodeForgeError) {
        let text: String
        do {
            text = String(decoding: try JSONEncoder().encode(secrets), as: UTF8.self)
        } catch {
            throw CodeForgeError(.internal, "encode the secrets of task \(taskID)")
        }
        let command = RedisCommand("SET", .text(client.keys.secrets(taskID)), .text(try box.seal(text)))
        try await client.perform("keep the secrets of task \(taskID)") { connection throws(RedisError) in
            _ = try connection.send(command)
        }
    }

    package func secrets(of taskID: String) async throws(CodeForgeError) -> TaskSecrets {
        let command = RedisCommand("GET", .text(client.keys.secrets(taskID)))
        let sealed = try await client.perform("read the secrets of task \(taskID)") { connection throws(RedisError) in
            try connection.send(command).root.text
        }
        guard !sealed.isEmpty else { return TaskSecrets() }
        let text = try box.open(sealed)
        do {
            return try JSONDecoder().decode(TaskSecrets.self, from: Data(text.utf8))
        } catch {
            throw CodeForgeError(.internal, "the stored secrets of task \(taskID) are not readable")
        }
    }

    package func expire(_ taskID: String, seconds: Int?) async throws(CodeForgeError) {
        let command = client.expiry(of: client.keys.secrets(taskID), seconds: seconds)
        try await client.perform("expire the secrets of task \(taskID)") { connection throws(RedisError) in
            _ = try connection.send(command)
        }
    }
}

extension RedisClient {
    /// `EXPIRE`, or `PERSIST` without a time.
    func expiry(of key: String, seconds: Int?) -> RedisCommand {
        if let seconds { return RedisCommand("EXPIRE", .text(key), .int(seconds)) }
        return RedisCommand("PERSIST", .text(key))
    }
}

extension RedisTaskSecretStore {
    /// Replaces every sealed text by what `reseal` makes of it; all are made before the first is written, and their
    /// expiries stay.
    ///
    /// - Parameters:
    ///   - isTrial: Makes them, and writes none.
    ///   - reseal: May throw to leave everything as it was.
    /// - Returns: How many there are.
    package func reseal(
        isTrial: Bool = false,
        _ reseal: @Sendable (_ taskID: String, _ sealed: String) throws(CodeForgeError) -> String
    ) async throws(CodeForgeError) -> Int {
        let (before, after) = client.keys.secretsAround
        let pattern = RedisKeys.escaped(before) + "*" + RedisKeys.escaped(after)
        let stored = try await client.perform("read the secrets of tasks") { connection throws(RedisError) in
            var stored: [(key: String, sealed: String)] = []
            var cursor = "0"
            repeat {
                let page = try connection.send("SCAN", .text(cursor), "MATCH", .text(pattern), "COUNT", "1000").root
                    .elements()
                for key in page.count == 2 ? page[1].elements().map(\.text) : [] {
                    stored.append((key, try connection.send("GET", .text(key)).root.text))
                }
                cursor = page.first?.text ?? "0"
            } while cursor != "0"
            return stored
        }
        var commands: [RedisCommand] = []
        var seen: Set<String> = []
        for (key, sealed) in stored where !sealed.isEmpty && seen.insert(key).inserted {
            let task = String(key.dropFirst(before.count).dropLast(after.count))
            // Not what expired meanwhile, and for as long as it had.
            commands.append(
                RedisCommand("SET", .text(key), .text(try reseal(task, sealed)), "XX", "KEEPTTL"))
        }
        guard !isTrial, !commands.isEmpty else { return commands.count }
        try await client.perform("write the secrets of tasks") { [commands] connection throws(RedisError) in
            try connection.send("MULTI")
            for command in commands { try connection.send(command) }
            try connection.send("EXEC")
        }
        return commands.count
    }
}
