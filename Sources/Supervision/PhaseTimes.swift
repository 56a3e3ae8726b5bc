import Domain
import Synchronization

/// When the parts of a run began and ended.
final class PhaseTimes: Sendable {
    private let phases = Mutex<[JobOutcome.Phase]>([])

    var all: [JobOutcome.Phase] { phases.withLock { $0 } }

    /// Runs `body` as the phase `name`, however it ends.
    func measure<Result>(
        _ name: JobOutcome.Phase.Name, _ clock: any WallClock, _ body: () async throws(JobFailure) -> Result
    ) async throws(JobFailure) -> Result {
        let start = clock.now()
        defer {
            let phase = JobOutcome.Phase(name: name, startedAt: start, endedAt: clock.now())
            phases.withLock { $0.append(phase) }
        }
        return try await body()
    }
}
