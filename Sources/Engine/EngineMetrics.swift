import Domain
import Metrics

/// The engine's part of `/metrics`; the names are the reference's.
enum EngineMetrics {
    static func ended(status: TaskStatus, seconds: Double) {
        let labels = [("status", status.rawValue)]
        Counter(label: "codeforge_tasks_total", dimensions: labels).increment()
        Recorder(label: "codeforge_tasks_duration_seconds", dimensions: labels, aggregate: true).record(seconds)
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
