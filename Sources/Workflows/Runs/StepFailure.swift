import Domain

/// Why a step has no outcome of the good kind.
enum StepFailure: Error, Sendable, Equatable {
    /// It is over, for this reason.
    case failed(String)
    /// It was stopped from outside, and nothing is known of it.
    case interrupted

    /// What a part of the service threw at a step.
    init(_ error: CodeForgeError) {
        self = Task.isCancelled || error.code == .cancelled ? .interrupted : .failed(error.message)
    }
}

/// Runs `body` until the part it needs is there: what is away for a moment is no reason to fail a run.
@discardableResult
func retrying<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(CodeForgeError) -> Result
) async throws(StepFailure) -> Result {
    while true {
        do throws(CodeForgeError) {
            return try await body()
        } catch {
            guard error.code == .unavailable, !Task.isCancelled else { throw StepFailure(error) }
            try? await Task.sleep(for: .milliseconds(300))  // cancelled: the next attempt is the last
        }
    }
}
