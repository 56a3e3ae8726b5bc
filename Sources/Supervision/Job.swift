import Agents
package import Domain
import Gateway
import HostProcess
package import Sandboxing
import Workspaces

/// One run of one task: clone, run the CLI, see what changed. Everything foreign happens inside sandboxes.
package struct Job: Sendable {
    let spec: JobSpec
    let events: any EventSink
    let reports: any ReportSink
    let control: RunControl
    let clock: any WallClock
    let disk: TaskDisk
    let audit: AuditLog
    let phases = PhaseTimes()
    let sandboxes: SandboxRunner

    package init(
        spec: JobSpec, disk: TaskDisk, launcher: SandboxLauncher, events: any EventSink, reports: any ReportSink,
        transport: any HTTPTransport, resolver: any NameResolver, control: RunControl, audit: AuditLog,
        clock: any WallClock
    ) {
        self.spec = spec
        self.disk = disk
        self.events = events
        self.reports = reports
        self.control = control
        self.clock = clock
        self.audit = audit
        sandboxes = SandboxRunner(
            spec: spec, disk: disk, launcher: launcher, transport: transport, resolver: resolver, control: control,
            events: events, audit: audit, clock: clock)
    }

    /// Runs to the end and reports it. Returns when the report and every event before it are durable.
    ///
    /// - Throws: `.cancelled` or `.unavailable` when they could not be delivered.
    package func run() async throws(CodeForgeError) {
        let deadline = Task { [spec, clock, control] in
            let left = Double(spec.limits.timeoutSeconds) - clock.now().seconds(since: spec.startedAt)
            try await Task.sleep(for: .seconds(max(0, left)))
            control.stop(.timeout)
        }
        let sender = Task { [audit] in await audit.send() }
        var outcome = await outcome()
        deadline.cancel()
        if let enforced = control.enforced {
            (outcome.profile, outcome.missingLayers) = (enforced.profile, enforced.missing)
        }
        (outcome.startedAt, outcome.phases) = (spec.startedAt, phases.all)
        audit.close()
        await sender.value
        try await events.flush()
        try await reports.send(JobReport(run: spec.run, body: .finished(outcome), time: clock.now()))
    }

    private func outcome() async -> JobOutcome {
        let started = clock.now()
        var outcome: JobOutcome
        if spec.purpose == .publish { return await publish() }
        do throws(JobFailure) {
            try await prepareWorkspace()
            outcome = try await phases.measure(.run, clock) { () throws(JobFailure) in try await runAgent() }
        } catch {
            outcome = failed(error)
        }
        let seconds = max(0, clock.now().seconds(since: started))
        outcome.seconds = seconds
        outcome.usage.durationSeconds = Int(seconds)
        if spec.answersReview, outcome.failure == nil {
            let reviewer = "\(spec.agent.name):\(spec.agent.model ?? "")"
            var review = ReviewParser.parse(outcome.result, by: reviewer, seconds: seconds)
            review.isUntrusted = spec.isUntrusted
            outcome.review = review
        }
        return outcome
    }

    /// A stop decides over whatever it made fail.
    private func failed(_ failure: JobFailure) -> JobOutcome {
        switch control.reason {
        case .timeout:
            let seconds = spec.limits.timeoutSeconds
            emit(.system, isReview ? "review_timeout" : "task_timeout", ["timeout_seconds": .int(Int64(seconds))])
            audit.hit(.wallClock, sandbox: control.stoppedSandbox, ["limit": .int(Int64(seconds))])
            return JobOutcome(
                failure: .timeout, error: "\(isReview ? "review" : "task") timed out after \(seconds)s\(ofProfile)",
                timeoutSeconds: seconds, limit: .wallClock)
        case .cancelled:
            emit(.system, isReview ? "review_canceled" : "task_canceled", .null)
            return JobOutcome(failure: .cancelled, error: isReview ? "review canceled by user" : "canceled by user")
        case .limit(let limit, let text):
            // Those are on record.
            if !limit.isWatchdog { audit.hit(limit, sandbox: control.stoppedSandbox, ["reason": .string(text)]) }
            return JobOutcome(failure: .limit, error: text, limit: limit)
        case .killed(let actor):
            return JobOutcome(failure: .sandbox, error: "sandbox killed by \(actor)")
        case nil:
            // A limit that really ended the run is told before a volume that is full as well.
            guard failure.limit == nil, let full = disk.failure() else {
                return JobOutcome(failure: failure.kind, error: failure.message, limit: failure.limit)
            }
            let phase = failure.kind == .clone ? "clone" : "agent"
            audit.hit(.disk, sandbox: sandboxID(phase), ["reason": .string(full)])
            return JobOutcome(failure: .limit, error: full, limit: .disk)
        }
    }

    /// Names the profile's key where it made the timeout shorter than the task's.
    private var ofProfile: String {
        let own = spec.source(
            setting: "", profileKey: "limits.timeout", ofProfile: Int64(spec.profile.limits.timeoutSeconds),
            value: Int64(spec.limits.timeoutSeconds))
        return own.isEmpty ? "" : " (\(own))"
    }

    // MARK: Small things

    /// Whether this is the review of what a task did, not the task's own run.
    var isReview: Bool { spec.purpose == .review }

    func sandboxID(_ phase: String) -> String { SandboxStatus.id(of: spec.run, phase: phase) }

    func gitDirectoryBind(isWritable: Bool) -> SandboxRequest.Bind {
        SandboxRequest.Bind(
            source: spec.paths.gitDirectory, target: GitScript.gitDirectory, isWritable: isWritable,
            ownership: .workspace)
    }

    func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "/"
    }

    /// - Parameter said: The CLI's own account of what went wrong; better than what else it wrote to standard error.
    func describe(_ result: SandboxRunner.Result, said: String? = nil) -> String {
        let text = SafeText.line(said.map { Array($0.utf8) } ?? result.standardError, limit: 500)
        return describe(result.exit) + (text.isEmpty ? "" : ": " + text)
    }

    /// The failure of a command: a limit's, when one is to blame.
    ///
    /// - Parameter text: What to say otherwise; after a limit that did not kill, too.
    func failure(_ kind: JobOutcome.Failure, _ result: SandboxRunner.Result, _ text: String) -> JobFailure {
        guard let (limit, message) = result.limit else {
            return JobFailure(kind, result.remark.map { "\(text); \($0)" } ?? text)
        }
        return JobFailure(.limit, result.exit.status == .killed ? message : "\(message): \(text)", limit: limit)
    }

    func describe(_ exit: SandboxExit) -> String {
        switch exit.status {
        case .exited(let code): return "exited with code \(code)"
        case .signalled(let signal): return "was killed by signal \(signal)"
        case .killed: return "was killed with its sandbox"
        }
    }

    func emit(_ kind: TaskEvent.Kind, _ name: String, _ data: JSONValue) {
        events.append(.event(json: TaskEvent(kind, name, data: data, time: clock.now()).json))
    }
}
