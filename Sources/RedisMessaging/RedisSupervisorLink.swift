package import Domain
import FoundationEssentials

/// What a supervisor's lease says.
struct LeaseRecord: Codable, Equatable {
    var run: RunID
    var pid: Int32
}

/// The server's view of its supervisors: their leases, and commands to them.
package final class RedisSupervisorLink: SupervisorLink {
    private let client: RedisClient
    private static let controlLifetimeSeconds = 86_400

    package init(_ client: RedisClient) { self.client = client }

    package func leases(of taskIDs: [String]) async throws(CodeForgeError) -> [String: RunID] {
        guard !taskIDs.isEmpty else { return [:] }
        let command = RedisCommand(["MGET"] + taskIDs.map { .text(client.keys.lease($0)) })
        let values = try await client.perform("read leases") { connection throws(RedisError) in
            try connection.send(command).root.elements().map { $0.isNull ? nil : $0.bytes }
        }
        var runs: [String: RunID] = [:]
        for (taskID, value) in zip(taskIDs, values) {
            runs[taskID] = value.flatMap(RedisSupervisorLink.decode)?.run
        }
        return runs
    }

    package func dropLease(of run: RunID) async throws(CodeForgeError) {
        let key = client.keys.lease(run.taskID)
        try await client.perform("drop the lease of task \(run.taskID)") { connection throws(RedisError) in
            let held = try connection.send("GET", .text(key)).root
            guard RedisSupervisorLink.decode(held.bytes)?.run == run else { return }
            try connection.run(RedisScripts.deleteIfEqual, keys: [key], [.bytes(held.bytes)])
        }
    }

    package func requestCancel(_ run: RunID) async throws(CodeForgeError) {
        let key = client.keys.control(run.taskID)
        let body: [UInt8]
        do {
            body = Array(try JSONEncoder().encode(run))
        } catch {
            throw CodeForgeError(.internal, "encode a cancel request: \(error)")
        }
        // In one step: a crash in between would leave a stream that never expires.
        try await client.perform("cancel task \(run.taskID)") { connection throws(RedisError) in
            _ = try connection.run(
                RedisScripts.command, keys: [key], [.bytes(body), .int(RedisSupervisorLink.controlLifetimeSeconds)])
        }
    }

    /// `nil` for anything that is no lease, as nobody can be behind it.
    static func decode(_ value: [UInt8]) -> LeaseRecord? {
        value.isEmpty ? nil : try? JSONDecoder().decode(LeaseRecord.self, from: Data(value))
    }
}
