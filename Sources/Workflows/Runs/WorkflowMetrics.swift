import Domain
import Metrics

/// Workflows' part of `/metrics`.
enum WorkflowMetrics {
    static func ended(_ status: WorkflowRun.Status) {
        Counter(label: "codeforge_workflow_runs_total", dimensions: [("status", status.rawValue)]).increment()
    }

    static func active(_ count: Int) { Gauge(label: "codeforge_workflow_runs_in_progress").record(count) }
}
