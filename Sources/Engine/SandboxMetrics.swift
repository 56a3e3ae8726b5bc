package import Domain
import Logging
import Metrics
import ServiceLifecycle

/// Sandboxes' part of `/metrics`. Labels come from profiles, limits and system calls, never from tasks.
enum SandboxMetrics {
    /// Counts records that are on the audit for the first time.
    static func count(_ records: [AuditRecord]) {
        for record in records {
            // Those left out happened all the same; a record without a sandbox is only about such.
            let times = Int64((record.sandbox.isEmpty ? 0 : 1) + max(0, record.suppressed))
            switch record.kind {
            case .sandbox:
                if record.name == "start" {
                    count("launches_total", ("profile", record.detail["profile"]?.stringValue ?? "unknown"), times)
                }
            case .syscall: count("refused_syscalls_total", ("syscall", record.name), times)
            case .gateway:
                Counter(
                    label: "codeforge_sandbox_gateway_decisions_total",
                    dimensions: [("route", route(record.name)), ("verdict", record.verdict.rawValue)]
                ).increment(by: times)
            case .mcp: break
            case .limit: count("limit_hits_total", ("limit", known(record.name)), times)
            case .watchdog: count("watchdogs_total", ("watchdog", known(record.name)), times)
            case .operation:
                // Others, such as the end of a command, are about one of these.
                guard record.name == "exec" || SandboxAction(rawValue: record.name) != nil else { break }
                count("operator_actions_total", ("action", record.name), times)
            }
            if record.suppressed > 0 {
                Counter(label: "codeforge_sandbox_audit_dropped_total").increment(by: Int64(record.suppressed))
            }
        }
    }

    static func running(_ sandboxes: [SandboxStatus]) {
        let paused = sandboxes.count { $0.state == .paused }
        Gauge(label: "codeforge_sandbox_running").record(sandboxes.count - paused)
        Gauge(label: "codeforge_sandbox_paused").record(paused)
    }

    private static func count(_ name: String, _ label: (String, String), _ times: Int64) {
        Counter(label: "codeforge_sandbox_" + name, dimensions: [label]).increment(by: times)
    }

    /// MCP servers have names of their own, `mcp:name`; what tasks call them makes no series.
    private static func route(_ name: String) -> String {
        String(name.prefix { $0 != ":" && $0 != "/" })
    }

    private static func known(_ name: String) -> String { SandboxLimit(rawValue: name)?.rawValue ?? "other" }
}

/// Looks now and then how many sandboxes there are, for the gauges: a scrape must not reach into every supervisor.
package struct SandboxCensus: Service {
    private let control: any SandboxControl
    private let interval: Duration

    package init(control: any SandboxControl, interval: Duration = .seconds(10)) {
        self.control = control
        self.interval = interval
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do throws(CodeForgeError) {
                    SandboxMetrics.running(try await control.sandboxes())
                } catch {
                    Logger.current.debug("sandboxes not counted", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: interval)  // cancelled: the loop ends
            }
        }
    }
}
