package import Domain
import FoundationEssentials
import Logging

#if canImport(Glibc)
    import Glibc
#endif

/// A supervisor's end of `SupervisorLink`: keeps the lease of its run alive and hears commands to it.
///
/// One thread and one connection. The control stream is read from its start, also after a reconnect, so no command is
/// lost, not even one to an attempt that died before it heard; commands to other runs of the task are ignored.
package final class RunLease: Sendable {
    /// What the supervisor is told. Either may come more than once.
    package enum Command: Sendable, Equatable {
        /// Stop the run.
        case cancel
        /// Another run of the task has taken the lease: this one was given up for lost and must end.
        case superseded
    }

    private let client: RedisClient
    private let run: RunID
    private let firstAttempt: Int
    private let value: [UInt8]
    private let onCommand: @Sendable (Command) -> Void
    private let state = Monitor(State())

    /// Time until a lease that is not renewed is gone.
    private static let lifetime: Duration = .seconds(15)
    private static let renewal: Duration = .seconds(5)

    /// - Parameters:
    ///   - firstAttempt: At this run: what was asked of earlier attempts was asked of another.
    ///   - onCommand: Called on the lease's own thread; must not block.
    package init(
        _ client: RedisClient, run: RunID, firstAttempt: Int = 1, onCommand: @escaping @Sendable (Command) -> Void
    ) {
        self.client = client
        self.run = run
        self.firstAttempt = firstAttempt
        self.onCommand = onCommand
        // Encoding a record of strings and integers can't fail.
        value = (try? JSONEncoder().encode(LeaseRecord(run: run, pid: getpid()))).map { Array($0) } ?? []
    }

    deinit { state.update { $0.isReleased = true } }

    /// Takes the lease and keeps it until `release`. Returns at once; while Redis is away it is tried again.
    package func start() {
        startThread("redis-lease") { [client, run, firstAttempt, value, onCommand, state] in
            RunLease.serve(client, run, firstAttempt, value, onCommand, state)
        }
    }

    /// Gives the lease up, if Redis is there.
    package func release() async {
        state.update { $0.isReleased = true }
        let key = client.keys.lease(run.taskID)
        // Without Redis there is nothing to do: the lease ends by itself.
        try? await client.perform("release the lease", patience: .seconds(1)) { [value] connection throws(RedisError) in
            _ = try connection.run(RedisScripts.deleteIfEqual, keys: [key], [.bytes(value)])
        }
    }

    private static func serve(
        _ client: RedisClient,
        _ run: RunID,
        _ firstAttempt: Int,
        _ value: [UInt8],
        _ onCommand: @Sendable (Command) -> Void,
        _ state: Monitor<State>
    ) {
        var connection: RedisConnection?
        var backoff = Backoff(to: .milliseconds(500))
        var isHeld = false
        var renewAt = Deadline.now()
        var cursor = "0"
        while !state.withLock({ $0.isReleased }) {
            do throws(RedisError) {
                let open: RedisConnection
                if let connection {
                    open = connection
                } else {
                    open = try RedisConnection(client.endpoint)
                    renewAt = .now()
                    cursor = "0"
                }
                connection = open
                if renewAt.hasPassed {
                    let held = try hold(client, run, value, open, isRenewal: isHeld)
                    if state.withLock({ $0.isReleased }) {
                        try open.run(RedisScripts.deleteIfEqual, keys: [client.keys.lease(run.taskID)], [.bytes(value)])
                        return
                    }
                    if held { isHeld = true } else { onCommand(.superseded) }
                    renewAt = .after(renewal)
                }
                if try listen(client, run, firstAttempt, open, &cursor) { onCommand(.cancel) }
                backoff.reset()
            } catch {
                connection = nil
                _ = state.wait(until: .after(backoff.step())) { $0.isReleased ? true : nil }
            }
        }
    }

    private static func hold(
        _ client: RedisClient,
        _ run: RunID,
        _ value: [UInt8],
        _ connection: RedisConnection,
        isRenewal: Bool
    ) throws(RedisError) -> Bool {
        try connection.run(
            RedisScripts.holdLease,
            keys: [client.keys.lease(run.taskID)],
            [.bytes(value), .int(Int(lifetime.wholeMilliseconds)), isRenewal ? "renew" : "take"]
        ).root.integer == 1
    }

    /// Blocks up to a second for commands after `cursor`.
    private static func listen(
        _ client: RedisClient,
        _ run: RunID,
        _ firstAttempt: Int,
        _ connection: RedisConnection,
        _ cursor: inout String
    ) throws(RedisError) -> Bool {
        let reply = try connection.send(
            "XREAD",
            "COUNT",
            64,
            "BLOCK",
            1000,
            "STREAMS",
            .text(client.keys.control(run.taskID)),
            .text(cursor)
        )
        guard let list = reply.root[0]?[1] else { return false }
        var isCancelled = false
        for entry in list.elements() {
            cursor = entry[0]?.text ?? cursor
            guard entry[1]?[0]?.text == "cancel", let body = entry[1]?[1]?.bytes else { continue }
            // What can't be read is no command to us.
            guard let asked = try? JSONDecoder().decode(RunID.self, from: Data(body)) else { continue }
            if run.continues(asked), asked.attempt >= firstAttempt { isCancelled = true }
        }
        return isCancelled
    }

    private struct State { var isReleased = false }
}
