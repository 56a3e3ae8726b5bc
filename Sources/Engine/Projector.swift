package import Domain
import Logging
import ServiceLifecycle

/// Reads the supervisors' reports and puts them on record, one after the other.
package struct Projector: Service {
    private let reports: any ReportLog
    private let finalizer: RunFinalizer
    private let applyPublishing: @Sendable (JobReport) async throws(CodeForgeError) -> Void
    private let trail: AuditTrail
    private let scheduler: Scheduler

    /// - Parameter applyPublishing: Gets the reports of runs that publish, see `Publisher.apply`.
    package init(
        reports: any ReportLog, finalizer: RunFinalizer, trail: AuditTrail, scheduler: Scheduler,
        applyPublishing: @escaping @Sendable (JobReport) async throws(CodeForgeError) -> Void
    ) {
        self.reports = reports
        self.finalizer = finalizer
        self.applyPublishing = applyPublishing
        self.trail = trail
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

    /// Audit records of many runs go on record together: alone, each report would cost a write to the disk.
    private func step() async throws(CodeForgeError) {
        var audit: [(entry: String, batch: AuditBatch)] = []
        for (entry, report) in try await reports.next(wait: .seconds(2)) {
            if case .audit(let records) = report.body {
                audit.append((entry, AuditBatch(run: report.run, records: records)))
                continue
            }
            // What a run did comes before how it ended.
            try await put(&audit)
            if report.run.purpose == .publish {
                try await applyPublishing(report)
                try await reports.acknowledge([entry])
                continue
            }
            try await finalizer.apply(report)
            try await reports.acknowledge([entry])
            if case .finished = report.body { await scheduler.ended(report.run) }
        }
        try await put(&audit)
    }

    private func put(_ audit: inout [(entry: String, batch: AuditBatch)]) async throws(CodeForgeError) {
        guard !audit.isEmpty else { return }
        try await trail.append(audit.map(\.batch))
        try await reports.acknowledge(audit.map(\.entry))
        audit = []
    }
}
