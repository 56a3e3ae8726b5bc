import Domain

/// Every key and channel name this module uses; no other file spells one.
package struct RedisKeys: Sendable, Hashable {
    /// Put before each name; `codeforge:` by default.
    package var prefix: String

    package init(prefix: String = "codeforge:") { self.prefix = prefix }

    /// Stream of waiting tasks, under its configured name.
    func queue(_ name: String) -> String { prefix + name }
    /// Stream of supervisors' reports.
    var results: String { prefix + "results" }
    /// Consumer group of both streams.
    var group: String { "codeforge" }
    /// Channel that carries the id of each task whose event log grew.
    var live: String { prefix + "live" }

    /// Stream of a task's events.
    func events(_ taskID: String) -> String { prefix + "task:" + taskID + ":events" }
    /// Number of the last entry that one writer has in a task's event log.
    func writer(_ taskID: String, _ writerID: String) -> String { prefix + "task:" + taskID + ":writer:" + writerID }
    /// Marks entries of an event log that must not be appended twice.
    func once(_ taskID: String, _ key: String) -> String { prefix + "task:" + taskID + ":once:" + key }
    /// Stream of commands to a task's supervisor.
    func control(_ taskID: String) -> String { prefix + "task:" + taskID + ":control" }
    /// Heartbeat of a task's supervisor.
    func lease(_ taskID: String) -> String { prefix + "task:" + taskID + ":lease" }
    /// A task's sealed secrets.
    func secrets(_ taskID: String) -> String { secretsAround.before + taskID + secretsAround.after }
    /// What stands around the id in such a key.
    var secretsAround: (before: String, after: String) { (prefix + "task:", ":secrets") }
    /// Requests of one token; `digest` is the hex of the first 8 bytes of the token's SHA-256.
    func rateLimit(_ digest: String) -> String { prefix + "ratelimit:" + digest }
    /// One state of a pull request that a webhook told of.
    func delivery(_ mark: DeliveryMark) -> String {
        prefix + "webhook:dedup:" + mark.repositoryURL + ":" + String(mark.number) + ":" + mark.sha
    }

    /// Text as a pattern of `SCAN` that means itself.
    static func escaped(_ text: String) -> String {
        text.reduce(into: "") { $0 += #"\*?[]^"#.contains($1) ? #"\"# + String($1) : String($1) }
    }
}
