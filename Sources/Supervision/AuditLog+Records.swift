import Domain
import Gateway
import Sandboxing

/// What the records of each kind say.
extension AuditLog {
    func started(_ live: LiveSandbox) {
        let sandbox = live.sandbox
        record(
            .sandbox, "start", .noted, sandbox: live.id,
            detail: [
                "profile": .string(sandbox.profile.name), "image": .string(live.image), "phase": .string(live.phase),
                "pid": .int(Int64(sandbox.pid)), "layers": .array(sandbox.layers.map { .string($0.rawValue) }),
                "missing": .array(
                    sandbox.missingLayers.map {
                        ["layer": .string($0.layer.rawValue), "detail": .string($0.detail)]
                    }),
            ])
    }

    func ended(_ live: LiveSandbox, _ exit: SandboxExit, at time: Timestamp) {
        var detail: [String: JSONValue] = [
            "seconds": .double(max(0, time.seconds(since: live.startedAt))), "cpu_seconds": .double(exit.cpuSeconds),
            "refused_calls": .object(exit.refusedSyscalls.mapValues { .int(Int64($0)) }),
        ]
        switch exit.status {
        case .exited(let code): detail["exit_code"] = .int(Int64(code))
        case .signalled(let signal): detail["signal"] = .int(Int64(signal))
        case .killed: detail["killed"] = true
        }
        if let peak = exit.memoryPeakBytes { detail["memory_peak_bytes"] = .int(peak) }
        record(.sandbox, "end", .noted, sandbox: live.id, detail: .object(detail))
        let limits = live.sandbox.profile.limits
        if exit.oomKilled { hit(.memory, sandbox: live.id, ["limit": .int(limits.memoryBytes)]) }
        if exit.processLimitHit {
            let killed = exit.status != .exited(code: 0)
            hit(
                .processes, sandbox: live.id, ["limit": .int(Int64(limits.processes))],
                killed ? .refused : .noted)
        }
    }

    /// - Parameter verdict: `.noted` when what hit it could go on.
    func hit(
        _ limit: SandboxLimit, sandbox: String, _ detail: JSONValue, _ verdict: AuditRecord.Verdict = .refused
    ) {
        record(limit.isWatchdog ? .watchdog : .limit, limit.rawValue, verdict, sandbox: sandbox, detail: detail)
    }

    func refused(_ call: RefusedSyscall, sandbox: String) {
        record(
            .syscall, call.name, .refused, sandbox: sandbox,
            detail: [
                "pid": .int(Int64(call.pid)), "errno": .int(Int64(call.errno)), "command": .string(call.command),
                "arguments": .array(call.arguments.map { .string("0x" + String($0, radix: 16)) }),
            ], reason: call.arguments.first.map { String($0) } ?? "")
    }

    func decided(_ decision: GatewayDecision, sandbox: String) {
        var detail: [String: JSONValue] = [
            "method": .string(decision.method), "target": .string(decision.target),
            "reason": .string(decision.reason), "status": .int(Int64(decision.status)),
            "request_bytes": .int(Int64(decision.requestBytes)),
            "response_bytes": .int(Int64(decision.responseBytes)), "ms": .int(Int64(decision.milliseconds)),
        ]
        if let tokens = decision.inputTokens { detail["input_tokens"] = .int(Int64(tokens)) }
        if let tokens = decision.outputTokens { detail["output_tokens"] = .int(Int64(tokens)) }
        if let cause = decision.detail { detail["cause"] = .string(SafeText.start(of: cause.utf8, limit: 500)) }
        record(
            .gateway, decision.route.rawValue, decision.allowed ? .allowed : .refused, sandbox: sandbox,
            detail: .object(detail), reason: decision.reason, suppressed: decision.suppressed)
    }

    func operated(_ name: String, by actor: String, sandbox: String, _ more: [String: JSONValue] = [:]) {
        record(
            .operation, name, .noted, sandbox: sandbox,
            detail: .object(more.merging(["actor": .string(actor)]) { $1 }))
    }
}
