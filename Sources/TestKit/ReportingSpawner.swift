package import Domain
import Synchronization

/// Starts nothing: each "supervisor" reports what a test says, and ends.
package final class ReportingSpawner: SupervisorSpawner {
    package typealias Deliver = @Sendable (JobReport) async -> Void

    private struct Handle: SupervisorHandle {
        let pid: Int32 = 1
        let report: JobReport?
        let deliver: Deliver

        func waitForExit() async -> String {
            if let report { await deliver(report) }
            return report == nil ? "signal 9" : "exit status 0"
        }
    }

    private let state = Mutex<(specs: [JobSpec], deliver: Deliver)>(([], { _ in }))
    private let outcome: @Sendable (JobSpec) -> JobOutcome?

    /// - Parameter outcome: `nil`: it is lost.
    package init(_ outcome: @escaping @Sendable (JobSpec) -> JobOutcome?) { self.outcome = outcome }

    /// Where reports go.
    package func connect(_ deliver: @escaping Deliver) { state.withLock { $0.deliver = deliver } }

    /// What was started so far.
    package var specs: [JobSpec] { state.withLock(\.specs) }

    package func spawn(_ spec: JobSpec) async throws(CodeForgeError) -> any SupervisorHandle {
        let report = outcome(spec).map {
            JobReport(run: spec.run, body: .finished($0), time: Timestamp(nanoseconds: 0))
        }
        let deliver = state.withLock { state in
            state.specs.append(spec)
            return state.deliver
        }
        return Handle(report: report, deliver: deliver)
    }
}
