/// Reports of supervisors on their way to the record; at least once, in order for each run.
public protocol ReportLog: Sendable {
    /// The next reports, oldest first; those an earlier server took and never acknowledged come first.
    ///
    /// - Parameter wait: Longest block, 0…30 s.
    func next(wait: Duration) async throws(CodeForgeError) -> [(entry: String, report: JobReport)]

    func acknowledge(_ entries: [String]) async throws(CodeForgeError)
}

/// Signs of life of supervisors, and commands to them.
public protocol SupervisorLink: Sendable {
    /// The runs of these tasks that a living supervisor holds.
    func leases(of taskIDs: [String]) async throws(CodeForgeError) -> [String: RunID]

    /// Removes the lease of a supervisor known to be dead.
    func dropLease(of run: RunID) async throws(CodeForgeError)

    /// Asks the supervisor of a run to cancel; kept until it looks, or the one that takes its place does.
    func requestCancel(_ run: RunID) async throws(CodeForgeError)
}

/// Sealed secrets of tasks, outside the record.
public protocol TaskSecretStore: Sendable {
    func put(_ secrets: TaskSecrets, for taskID: String) async throws(CodeForgeError)
    func secrets(of taskID: String) async throws(CodeForgeError) -> TaskSecrets
    /// - Parameter seconds: Time until they are forgotten; `nil` keeps them.
    func expire(_ taskID: String, seconds: Int?) async throws(CodeForgeError)
}

/// Whether the messaging backend answers.
public protocol HealthProbe: Sendable {
    /// Answers within about a second; throws `.unavailable`.
    func ping() async throws(CodeForgeError)
}

/// Seals and opens short texts.
public protocol SecretBox: Sendable {
    func seal(_ text: String) throws(CodeForgeError) -> String
    func open(_ sealed: String) throws(CodeForgeError) -> String
}

/// Limits how often one token may do something.
public protocol RateLimiter: Sendable {
    /// Counts one request, also one that may not pass.
    ///
    /// - Returns: `nil` when there is no limit, or it can't be told now; the request may pass then.
    func hit(_ token: String) async -> RateLimitState?
}

/// Where a token stands after a request.
public struct RateLimitState: Sendable, Hashable {
    /// Whether the request may pass.
    public var passes: Bool
    /// Requests in one window.
    public var limit: Int
    /// How many more may pass now.
    public var remaining: Int
    /// Seconds until the oldest request counted leaves the window, 1…`windowSeconds`.
    public var resetSeconds: Int

    public static let windowSeconds = 60

    public init(passes: Bool, limit: Int, remaining: Int, resetSeconds: Int) {
        self.passes = passes
        self.limit = limit
        self.remaining = remaining
        self.resetSeconds = resetSeconds
    }

    /// What a client that came too often is told to wait, in seconds, ≥ 1.
    public var retryAfter: Int { max(1, RateLimitState.windowSeconds / max(1, limit)) }
}

/// The wall clock; a test brings its own.
public protocol WallClock: Sendable {
    func now() -> Timestamp
}
