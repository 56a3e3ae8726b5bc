import Domain
import Logging
import Synchronization

/// The hubs in use, and the one subscriber connection that wakes them.
final class EventHubs: Sendable {
    let reader: RedisClient
    private let registry: Registry

    init(_ reader: RedisClient) {
        self.reader = reader
        registry = Registry()
    }

    deinit { registry.state.withLock { $0.isClosed = true } }

    var count: Int { registry.state.withLock { $0.entries.count } }

    /// The hub of a task, for one more follower.
    func join(_ taskID: String) -> EventHub {
        let (hub, isFirst) = registry.state.withLock { state in
            var entry = state.entries[taskID] ?? Entry(hub: EventHub(reader, taskID))
            entry.followers += 1
            state.entries[taskID] = entry
            defer { state.hasThread = true }
            return (entry.hub, !state.hasThread)
        }
        if isFirst {
            let (endpoint, channel, logger) = (reader.endpoint, reader.keys.live, reader.logger)
            startThread("redis-live") { [registry] in Subscriber(endpoint, channel, logger, registry).run() }
        }
        return hub
    }

    func leave(_ taskID: String) {
        registry.state.withLock { state in
            state.entries[taskID]?.followers -= 1
            if state.entries[taskID]?.followers == 0 { state.entries[taskID] = nil }
        }
    }

    fileprivate struct Entry {
        let hub: EventHub
        var followers = 0
    }

    /// Outlives the hubs as long as the thread runs.
    fileprivate final class Registry: Sendable {
        struct State {
            var entries: [String: Entry] = [:]
            var hasThread = false
            var isClosed = false
        }

        let state = Mutex(State())

        func wake(_ taskID: String) { state.withLock { $0.entries[taskID]?.hub }?.wake() }

        func wakeAll() {
            for entry in state.withLock({ Array($0.entries.values) }) { entry.hub.wake() }
        }
    }

    /// The thread behind the subscriber connection.
    fileprivate struct Subscriber {
        private let endpoint: RedisEndpoint
        private let channel: String
        private let logger: Logger
        private let registry: Registry

        /// A message may be lost with its connection, so all hubs look for themselves now and then.
        private static let safetyPoll: Duration = .seconds(5)
        private static let silence: Duration = .seconds(15)

        init(_ endpoint: RedisEndpoint, _ channel: String, _ logger: Logger, _ registry: Registry) {
            self.endpoint = endpoint
            self.channel = channel
            self.logger = logger
            self.registry = registry
        }

        func run() {
            var backoff = Backoff(from: .milliseconds(50), to: .milliseconds(500))
            let pause = Monitor(())
            while !registry.state.withLock({ $0.isClosed }) {
                do throws(RedisError) {
                    let connection = try RedisConnection(endpoint)
                    try connection.send("SUBSCRIBE", .text(channel))
                    backoff.reset()
                    try listen(connection)
                } catch {
                    logger.debug("live connection lost", metadata: ["error": "\(error)"])
                    _ = pause.wait(until: .after(backoff.step())) { _ -> Bool? in nil }
                }
            }
        }

        private func listen(_ connection: RedisConnection) throws(RedisError) {
            registry.wakeAll()
            var pollAt = Deadline.after(Subscriber.safetyPoll)
            var heard = Deadline.now()
            while !registry.state.withLock({ $0.isClosed }) {
                if let reply = try connection.reply(wait: .seconds(1)) {
                    heard = .now()
                    if let error = reply.root.error { throw RedisError(reply: error) }
                    if reply.root[0]?.text == "message", let task = reply.root[2]?.text { registry.wake(task) }
                }
                guard pollAt.hasPassed else { continue }
                if Deadline.now() > heard + Subscriber.silence { throw RedisError(.away, "silent connection") }
                pollAt = .after(Subscriber.safetyPoll)
                connection.append(RedisCommand("PING"))
                try connection.flush()
                registry.wakeAll()
            }
        }
    }
}
