import Domain
import Metrics

/// The engine's part of `/metrics`; the names are the reference's.
enum EngineMetrics {
    static func ended(status: TaskStatus, purpose: JobSpec.Purpose, seconds: Double) {
        Counter(label: "codeforge_tasks_total", dimensions: [("status", status.rawValue)]).increment()
        let label = purpose == .review ? "review" : status.rawValue
        Recorder(label: "codeforge_tasks_duration_seconds", dimensions: [("status", label)], aggregate: true)
            .record(seconds)
    }

    /// An answer that should have been a review held none.
    static func reviewNotParsed() {
        Counter(label: "codeforge_review_parse_failures_total").increment()
    }

    static func slots(active: Int, total: Int) {
        Gauge(label: "codeforge_tasks_in_progress").record(active)
        Gauge(label: "codeforge_workers_active").record(active)
        Gauge(label: "codeforge_workers_total").record(total)
    }

    static func queue(depth: Int) {
        Gauge(label: "codeforge_queue_depth").record(depth)
    }

    static func lost() {
        Counter(label: "codeforge_supervisors_lost_total").increment()
    }
}
