/// A supervisor's way into its task's event log. Survives Redis being away.
public protocol EventSink: Sendable {
    /// Adds an entry after all earlier ones; never blocks for long and never fails: what can't be sent now is kept.
    func append(_ body: LoggedEvent.Body)

    /// Blocks the calling thread while too much is waiting to be sent. For the thread that relays output; never for
    /// the cooperative pool.
    func waitForRoom()

    /// Returns when everything appended so far is in the log.
    func flush() async throws(CodeForgeError)
}

/// A supervisor's way to tell the server about its run.
public protocol ReportSink: Sendable {
    /// Durable when it returns; tries again while the log is away, until cancelled.
    func send(_ report: JobReport) async throws(CodeForgeError)
}

/// Starts supervisors.
public protocol SupervisorSpawner: Sendable {
    /// Starts a supervisor that outlives this process.
    ///
    /// - Throws: `.unavailable` when it could not be started; nothing runs then.
    func spawn(_ spec: JobSpec) async throws(CodeForgeError) -> any SupervisorHandle
}

/// A supervisor this process started.
public protocol SupervisorHandle: Sendable {
    var pid: Int32 { get }
    /// Returns when it ended, with a phrase for people such as `exit status 1` or `signal 9`.
    func waitForExit() async -> String
}
