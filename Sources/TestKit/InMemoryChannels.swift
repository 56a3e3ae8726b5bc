package import Domain
import Synchronization

/// Reports in an array. Several may share one: each is then a server after a restart.
package final class InMemoryReportLog: ReportLog {
    private final class Storage: Sendable {
        struct State {
            var entries: [(id: Int, report: JobReport, owner: ObjectIdentifier?)] = []
            var lastID = 0
        }
        let state = Mutex(State())
    }

    private let storage: Storage

    package init() { storage = Storage() }

    /// The same log after a restart of the server.
    package init(after earlier: InMemoryReportLog) { storage = earlier.storage }

    /// A supervisor's report.
    package func send(_ report: JobReport) {
        storage.state.withLock { state in
            state.lastID += 1
            state.entries.append((state.lastID, report, nil))
        }
    }

    /// How many wait or are not acknowledged.
    package var count: Int { storage.state.withLock { $0.entries.count } }

    package func next(wait: Duration) async throws(CodeForgeError) -> [(entry: String, report: JobReport)] {
        let clock = ContinuousClock()
        let end = clock.now + wait
        while true {
            if Task.isCancelled { throw CodeForgeError(.cancelled, "the wait was cancelled") }
            let reports = takeNow()
            if !reports.isEmpty || clock.now >= end { return reports }
            try? await Task.sleep(for: .milliseconds(2))  // a cancelled sleep is seen above
        }
    }

    package func acknowledge(_ entries: [String]) async throws(CodeForgeError) {
        storage.state.withLock { $0.entries.removeAll { entries.contains(String($0.id)) } }
    }

    private func takeNow() -> [(entry: String, report: JobReport)] {
        storage.state.withLock { state in
            let ours = ObjectIdentifier(self)
            // What another server left comes first, then what is new: that is the order of the ids.
            let indices = state.entries.indices.filter { state.entries[$0].owner != ours }
            for index in indices { state.entries[index].owner = ours }
            return indices.map { (String(state.entries[$0].id), state.entries[$0].report) }
        }
    }
}

/// Leases set by the test; cancel requests are kept for it to see.
package final class InMemorySupervisorLink: SupervisorLink {
    private let held = Mutex<[String: RunID]>([:])
    private let requests = Mutex<[RunID]>([])

    package init() {}

    package func holdLease(_ run: RunID) { held.withLock { $0[run.taskID] = run } }

    package var cancelRequests: [RunID] { requests.withLock { $0 } }

    package func leases(of taskIDs: [String]) async throws(CodeForgeError) -> [String: RunID] {
        held.withLock { $0.filter { taskIDs.contains($0.key) } }
    }

    package func dropLease(of run: RunID) async throws(CodeForgeError) {
        held.withLock { if $0[run.taskID] == run { $0[run.taskID] = nil } }
    }

    package func requestCancel(_ run: RunID) async throws(CodeForgeError) { requests.withLock { $0.append(run) } }
}

/// Secrets in a dictionary.
package final class InMemoryTaskSecretStore: TaskSecretStore {
    private let secrets = Mutex<[String: TaskSecrets]>([:])
    private let expiries = Mutex<[String: Int?]>([:])

    package init() {}

    package func put(_ secrets: TaskSecrets, for taskID: String) async throws(CodeForgeError) {
        self.secrets.withLock { $0[taskID] = secrets }
    }

    package func secrets(of taskID: String) async throws(CodeForgeError) -> TaskSecrets {
        secrets.withLock { $0[taskID] } ?? TaskSecrets()
    }

    package func expire(_ taskID: String, seconds: Int?) async throws(CodeForgeError) {
        if seconds == 0 { secrets.withLock { $0[taskID] = nil } }
        expiries.withLock { $0[taskID] = .some(seconds) }
    }

    /// What `expire` was last told; `nil` if never.
    package func expiry(of taskID: String) -> Int?? { expiries.withLock { $0[taskID] } }
}

/// Answers until it is told to fail.
package final class InMemoryHealthProbe: HealthProbe {
    private let failure = Mutex<CodeForgeError?>(nil)

    package init() {}

    package func fail(with error: CodeForgeError?) { failure.withLock { $0 = error } }

    package func ping() async throws(CodeForgeError) {
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

/// Reverses the text and marks it: enough to see that something was sealed.
package struct ReversingSecretBox: SecretBox {
    package init() {}

    package func seal(_ text: String) throws(CodeForgeError) -> String {
        text.isEmpty ? "" : "sealed:" + String(text.reversed())
    }

    package func open(_ sealed: String) throws(CodeForgeError) -> String {
        guard !sealed.isEmpty else { return "" }
        guard sealed.hasPrefix("sealed:") else { throw CodeForgeError(.invalidArgument, "not sealed") }
        return String(sealed.dropFirst("sealed:".count).reversed())
    }
}

/// Lets `limit` requests of each token pass, then none: no time passes in it.
package final class InMemoryRateLimiter: RateLimiter {
    private let limit: Int
    private let hits = Mutex<[String: Int]>([:])

    package init(limit: Int) { self.limit = limit }

    package func hit(_ token: String) async -> RateLimitState? {
        guard limit > 0 else { return nil }
        let count = hits.withLock { hits in
            hits[token, default: 0] += 1
            return hits[token] ?? 0
        }
        return RateLimitState(
            passes: count <= limit, limit: limit, remaining: max(0, limit - count),
            resetSeconds: RateLimitState.windowSeconds)
    }
}
