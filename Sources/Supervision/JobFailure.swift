import Domain

/// Why a run ends before its time.
struct JobFailure: Error, Equatable {
    var kind: JobOutcome.Failure
    /// The task's `error` member.
    var message: String
    var limit: SandboxLimit?

    init(_ kind: JobOutcome.Failure, _ message: String, limit: SandboxLimit? = nil) {
        self.kind = kind
        self.message = message
        self.limit = limit
    }
}
