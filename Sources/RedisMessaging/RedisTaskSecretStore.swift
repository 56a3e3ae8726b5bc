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
