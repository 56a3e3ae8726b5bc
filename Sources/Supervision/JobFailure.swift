import Domain

/// Why a run ends before its time.
struct JobFailure: Error, Equatable {
    var kind: JobOutcome.Failure
    /// The task's `error` member.
    var message: String

    init(_ kind: JobOutcome.Failure, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
