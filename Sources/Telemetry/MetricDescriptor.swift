/// What the exposition says about a metric, and how a recorder or timer of that name counts.
package struct MetricDescriptor: Sendable {
    package var name: String
    package var help: String
    /// Upper bounds of a histogram, ascending, in the unit of the name; empty for other kinds.
    package var buckets: [Double]
    /// A gauge that is shown from the start, as 0.
    package var isAlwaysPresent: Bool

    package init(_ name: String, _ help: String, buckets: [Double] = [], isAlwaysPresent: Bool = false) {
        self.name = name
        self.help = help
        self.buckets = buckets
        self.isAlwaysPresent = isAlwaysPresent
    }

    /// Buckets of a histogram that is not in the table.
    static let usualBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    /// The metrics of the service. Names and buckets are those dashboards of the reference implementation use.
    package static let service: [MetricDescriptor] = [
        MetricDescriptor("codeforge_tasks_total", "Finished runs by final status."),
        MetricDescriptor(
            "codeforge_tasks_duration_seconds",
            "Time a run took, by final status.",
            buckets: [10, 30, 60, 120, 300, 600, 1800]
        ),
        MetricDescriptor("codeforge_tasks_in_progress", "Runs a supervisor is at work on.", isAlwaysPresent: true),
        MetricDescriptor("codeforge_queue_depth", "Tasks waiting for a worker.", isAlwaysPresent: true),
        MetricDescriptor("codeforge_workers_active", "Workers with a task.", isAlwaysPresent: true),
        MetricDescriptor("codeforge_workers_total", "Workers.", isAlwaysPresent: true),
        MetricDescriptor("codeforge_webhook_deliveries_total", "Callbacks by outcome."),
        MetricDescriptor("codeforge_workflow_runs_total", "Workflow runs that ended, by status."),
        MetricDescriptor("codeforge_workflow_runs_in_progress", "Workflow runs under way.", isAlwaysPresent: true),
        MetricDescriptor("codeforge_tracing_dropped_spans_total", "Spans that were not exported, by reason."),
        MetricDescriptor("codeforge_http_requests_total", "Requests by method, route and status."),
        MetricDescriptor(
            "codeforge_http_request_duration_seconds",
            "Time to answer, by method and route.",
            buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
        ),
        MetricDescriptor("codeforge_review_parse_failures_total", "Reviews whose output was not as asked for."),
        MetricDescriptor("codeforge_http_streams", "Open event streams.", isAlwaysPresent: true),
        MetricDescriptor("codeforge_sandbox_running", "Sandboxes that run.", isAlwaysPresent: true),
        MetricDescriptor("codeforge_sandbox_paused", "Sandboxes an operator has paused.", isAlwaysPresent: true),
        MetricDescriptor("codeforge_sandbox_launches_total", "Sandboxes started, by profile."),
        MetricDescriptor("codeforge_sandbox_refused_syscalls_total", "Refused system calls, by call."),
        MetricDescriptor(
            "codeforge_sandbox_gateway_decisions_total", "Decisions of the gateway, by route and verdict."),
        MetricDescriptor("codeforge_sandbox_limit_hits_total", "Limits that were hit, by limit."),
        MetricDescriptor("codeforge_sandbox_watchdogs_total", "Watchdogs that fired, by watchdog."),
        MetricDescriptor("codeforge_sandbox_operator_actions_total", "What operators did to sandboxes, by action."),
        MetricDescriptor(
            "codeforge_sandbox_audit_dropped_total", "Audit records left out because there were too many."),
        MetricDescriptor("codeforge_supervisors_lost_total", "Supervisors that went away without a report."),
        MetricDescriptor("codeforge_build_info", "Always 1; the labels tell the version."),
    ]
}
