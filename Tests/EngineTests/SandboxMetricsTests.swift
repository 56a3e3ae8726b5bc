import Domain
import Metrics
import Telemetry
import TestKit
import Testing

@testable import Engine

@Suite struct SandboxMetricsTests {
    private let trail = AuditTrail(store: InMemoryAuditStore(), clock: ManualClock(), days: 30)
    private let run = AuditStoreContract.run()

    /// Lines of the sandboxes' part of `/metrics` after these records, that of `# HELP` and `# TYPE` left out.
    private func metrics(_ batches: [AuditRecord]...) async throws -> Set<String> {
        let prometheus = PrometheusMetrics()
        try await withMetricsFactory(prometheus) {
            for batch in batches { try await trail.append([AuditBatch(run: run, records: batch)]) }
        }
        return Set(
            prometheus.text().split(separator: "\n").map(String.init).filter {
                $0.hasPrefix("codeforge_sandbox_") && !$0.hasSuffix(" 0")
            })
    }

    private func record(
        _ number: Int, _ kind: AuditRecord.Kind, _ name: String, _ verdict: AuditRecord.Verdict = .noted,
        suppressed: Int = 0, sandbox: String = "s"
    ) -> AuditRecord {
        AuditRecord(
            number: number, time: Timestamp(nanoseconds: 0), sandbox: sandbox, kind: kind, name: name, verdict: verdict,
            detail: ["profile": "code"], suppressed: suppressed)
    }

    @Test func eachKindIsCounted() async throws {
        let lines = try await metrics([
            record(1, .sandbox, "start"), record(2, .syscall, "mount", .refused, suppressed: 4),
            record(3, .gateway, "git", .allowed), record(4, .gateway, "mcp:mine", .refused),
            record(5, .limit, "memory"),
            record(6, .watchdog, "silence"), record(7, .operation, "pause"), record(8, .limit, "made up"),
            record(9, .sandbox, "end"), record(10, .operation, "exec"), record(11, .operation, "exec_end"),
        ])
        #expect(
            lines == [
                #"codeforge_sandbox_launches_total{profile="code"} 1"#,
                #"codeforge_sandbox_refused_syscalls_total{syscall="mount"} 5"#,
                #"codeforge_sandbox_gateway_decisions_total{route="git",verdict="allowed"} 1"#,
                #"codeforge_sandbox_gateway_decisions_total{route="mcp",verdict="refused"} 1"#,
                #"codeforge_sandbox_limit_hits_total{limit="memory"} 1"#,
                #"codeforge_sandbox_limit_hits_total{limit="other"} 1"#,
                #"codeforge_sandbox_watchdogs_total{watchdog="silence"} 1"#,
                #"codeforge_sandbox_operator_actions_total{action="pause"} 1"#,
                #"codeforge_sandbox_operator_actions_total{action="exec"} 1"#,
                "codeforge_sandbox_audit_dropped_total 4",
            ])
    }

    @Test func aLifeIsCountedByWhatItsRecordsSay() async throws {
        func record(_ number: Int, _ name: String, _ detail: JSONValue) -> AuditRecord {
            AuditRecord(
                number: number, time: Timestamp(nanoseconds: 0), sandbox: "s", kind: .sandbox, name: name,
                verdict: .noted, detail: detail, suppressed: 0)
        }
        let lines = try await metrics([
            record(
                1, "start",
                [
                    "profile": "code", "launch_seconds": .double(0.004),
                    "missing": [["layer": "landlock"], ["layer": "made up"]],
                ]),
            record(2, "launch_failed", ["stage": "namespaces"]),
            record(
                3, "end",
                [
                    "cpu_seconds": 2, "cpu_throttled_seconds": .double(0.5), "memory_peak_bytes": 1_048_576,
                    "gateway": ["bytes_out": 10, "bytes_in": 0, "tokens": 7],
                ]),
        ])
        for line in [
            #"codeforge_sandbox_launches_total{profile="code"} 1"#,
            #"codeforge_sandbox_launch_failures_total{stage="namespaces"} 1"#,
            #"codeforge_sandbox_launch_seconds_bucket{le="0.005"} 1"#, "codeforge_sandbox_launch_seconds_count 1",
            #"codeforge_sandbox_missing_layers_total{layer="landlock"} 1"#,
            #"codeforge_sandbox_missing_layers_total{layer="other"} 1"#, "codeforge_sandbox_cpu_seconds_total 2",
            "codeforge_sandbox_cpu_throttled_seconds_total 0.5",
            #"codeforge_sandbox_memory_peak_bytes_bucket{le="16777216"} 1"#,
            #"codeforge_sandbox_gateway_bytes_total{direction="out"} 10"#, "codeforge_sandbox_gateway_tokens_total 7",
        ] {
            #expect(lines.contains(line), "\(line) is missing: \(lines)")
        }
        #expect(!lines.contains { $0.contains("direction=\"in\"") })
    }

    @Test func whatRunsIsSummedUp() async throws {
        let prometheus = PrometheusMetrics()
        var usage = SandboxStatus.Usage()
        usage.cpuSeconds = 1.5
        usage.memory.now = 100
        usage.processes.now = 3
        usage.disk.now = 50
        usage.writtenBytes = 8
        let status = SandboxStatus(
            id: "s", taskID: "t", iteration: 1, phase: "agent", state: .running, profile: .code, image: "base",
            layers: [.uidRange], missing: [], pid: 1, startedAt: Timestamp(nanoseconds: 0), usage: usage)
        withMetricsFactory(prometheus) { SandboxMetrics.running([status, status]) }
        let lines = Set(prometheus.text().split(separator: "\n").map(String.init))
        for line in [
            "running 2", "running_cpu_seconds 3", "running_memory_bytes 200", "running_processes 6",
            "running_disk_bytes 100", "running_io_read_bytes 0", "running_io_written_bytes 16", "uid_ranges_in_use 2",
        ] {
            #expect(lines.contains("codeforge_sandbox_" + line), "\(line)")
        }
    }

    /// Reports come again after a crash: what was counted is not counted twice.
    @Test func aRepeatedRecordIsCountedOnce() async throws {
        let first = record(1, .syscall, "mount", .refused)
        let lines = try await metrics([first], [first, record(2, .syscall, "mount", .refused)], [first])
        #expect(lines == [#"codeforge_sandbox_refused_syscalls_total{syscall="mount"} 2"#])
    }

    /// The sum a run tells at its end is about records that were left out, and is itself none.
    @Test func aSumCountsOnlyWhatItStandsFor() async throws {
        let lines = try await metrics([record(1, .syscall, "mount", .noted, suppressed: 9, sandbox: "")])
        #expect(
            lines == [
                #"codeforge_sandbox_refused_syscalls_total{syscall="mount"} 9"#,
                "codeforge_sandbox_audit_dropped_total 9",
            ])
    }
}
