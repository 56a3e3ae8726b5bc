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
            case .sandbox: life(record)
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

    /// A start that worked or not, and an end with what was used until then.
    private static func life(_ record: AuditRecord) {
        let detail = record.detail
        switch record.name {
        case "start":
            count("launches_total", ("profile", detail["profile"]?.stringValue ?? "unknown"), 1)
            if let seconds = detail["launch_seconds"]?.numberValue { histogram("launch_seconds", seconds) }
            for missing in detail["missing"]?.arrayValue ?? [] {
                let layer = missing["layer"]?.stringValue.flatMap(SandboxLayer.init(rawValue:))
                count("missing_layers_total", ("layer", layer?.rawValue ?? "other"), 1)
            }
        case "launch_failed":
            count("launch_failures_total", ("stage", detail["stage"]?.stringValue ?? "unknown"), 1)
        case "end":
            add("cpu_seconds_total", detail["cpu_seconds"]?.numberValue)
            add("cpu_throttled_seconds_total", detail["cpu_throttled_seconds"]?.numberValue)
            if let peak = detail["memory_peak_bytes"]?.numberValue { histogram("memory_peak_bytes", peak) }
            guard let gateway = detail["gateway"] else { return }
            for (member, direction) in [("bytes_out", "out"), ("bytes_in", "in")] {
                if let bytes = gateway[member]?.intValue, bytes > 0 {
                    count("gateway_bytes_total", ("direction", direction), Int64(bytes))
                }
            }
            if let tokens = gateway["tokens"]?.intValue, tokens > 0 {
                Counter(label: "codeforge_sandbox_gateway_tokens_total").increment(by: Int64(tokens))
            }
        default: break
        }
    }

    /// Sums over the sandboxes that run: which of them it is down to is for `codeforge sandbox top`.
    static func running(_ sandboxes: [SandboxStatus]) {
        let paused = sandboxes.count { $0.state == .paused }
        gauge("running", Double(sandboxes.count - paused))
        gauge("paused", Double(paused))
        func sum(_ value: (SandboxStatus.Usage) -> Int64?) -> Double {
            sandboxes.reduce(0) { $0 + Double(value($1.usage) ?? 0) }
        }
        gauge("running_cpu_seconds", sandboxes.reduce(0) { $0 + $1.usage.cpuSeconds })
        gauge("running_memory_bytes", sum { $0.memory.now })
        gauge("running_processes", sum { $0.processes.now })
        gauge("running_disk_bytes", sum { $0.disk.now })
        gauge("running_io_read_bytes", sum { $0.readBytes })
        gauge("running_io_written_bytes", sum { $0.writtenBytes })
        gauge("uid_ranges_in_use", Double(sandboxes.count { $0.layers.contains(.uidRange) }))
    }

    private static func gauge(_ name: String, _ value: Double) {
        Gauge(label: "codeforge_sandbox_" + name).record(value)
    }

    private static func histogram(_ name: String, _ value: Double) {
        Recorder(label: "codeforge_sandbox_" + name, aggregate: true).record(value)
    }

    private static func add(_ name: String, _ value: Double?) {
        guard let value, value > 0 else { return }
        FloatingPointCounter(label: "codeforge_sandbox_" + name).increment(by: value)
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
