import Domain
import Gateway
import Sandboxing

/// What the records of each kind say.
extension AuditLog {
    /// - Parameter took: From the decision to launch until the command was executed.
    func started(_ live: LiveSandbox, took: Duration) {
        let sandbox = live.sandbox
        record(
            .sandbox, "start", .noted, sandbox: live.id,
            detail: [
                "profile": .string(sandbox.profile.name), "image": .string(live.image), "phase": .string(live.phase),
                "launch_seconds": .double(took / .seconds(1)),
                "pid": .int(Int64(sandbox.pid)), "layers": .array(sandbox.layers.map { .string($0.rawValue) }),
                "missing": .array(
                    sandbox.missingLayers.map {
                        ["layer": .string($0.layer.rawValue), "detail": .string($0.detail)]
                    }),
            ])
    }

    /// Nothing of it ran, or no more than its first instant.
    func failedToStart(_ request: SandboxRequest, _ error: CodeForgeError) {
        record(
            .sandbox, "launch_failed", .refused, sandbox: request.id,
            detail: [
                "profile": .string(request.profile.name), "stage": .string(LaunchFailure.stage(of: error)),
                "reason": .string(SafeText.start(of: error.message.utf8, limit: 500)),
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
        if let throttled = exit.throttledSeconds { detail["cpu_throttled_seconds"] = .double(throttled) }
        if let traffic = live.traffic {
            detail["gateway"] = [
                "requests": .int(Int64(traffic.requests)), "bytes_out": .int(traffic.bytesOut),
                "bytes_in": .int(traffic.bytesIn), "tokens": .int(Int64(traffic.tokens)),
            ]
        }
        record(.sandbox, "end", .noted, sandbox: live.id, detail: .object(detail))
        let limits = live.sandbox.profile.limits
        if exit.oomKilled { hit(.memory, sandbox: live.id, ["limit": .int(limits.memoryBytes)]) }
        let killed = exit.status != .exited(code: 0)
        for full in exit.full {
            hit(
                full.limit, sandbox: live.id,
                full.isOutOfFiles
                    ? ["files": .int(limits.temporaryInodes)] : ["limit": .int(limits.place(full.limit).bytes)],
                killed ? .refused : .noted)
        }
        if exit.processLimitHit {
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
