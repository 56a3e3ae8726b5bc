package import Domain
import Logging
import ServiceLifecycle

/// Reads the supervisors' reports and puts them on record, one after the other.
package struct Projector: Service {
    private let reports: any ReportLog
    private let finalizer: RunFinalizer
    private let scheduler: Scheduler

    package init(reports: any ReportLog, finalizer: RunFinalizer, scheduler: Scheduler) {
        self.reports = reports
        self.finalizer = finalizer
        self.scheduler = scheduler
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do throws(CodeForgeError) {
                    try await step()
                } catch {
                    if error.code == .cancelled { break }
                    Logger.current.warning("reports not applied, trying again", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: .milliseconds(500))  // cancelled: the loop ends
                }
            }
        }
    }

    private func step() async throws(CodeForgeError) {
        for (entry, report) in try await reports.next(wait: .seconds(2)) {
            try await finalizer.apply(report)
            try await reports.acknowledge([entry])
            if case .finished = report.body { await scheduler.ended(report.run) }
        }
    }
}
