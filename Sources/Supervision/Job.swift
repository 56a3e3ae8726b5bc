import Agents
package import Domain
import Gateway
import HostProcess
import Logging
package import Sandboxing
import Workspaces

/// One run of one task: clone, run the CLI, see what changed. Everything foreign happens inside sandboxes.
package struct Job: Sendable {
    private let spec: JobSpec
    private let events: any EventSink
    private let reports: any ReportSink
    private let control: RunControl
    private let clock: any WallClock
    private let sandboxes: SandboxRunner

    package init(
        spec: JobSpec, launcher: SandboxLauncher, events: any EventSink, reports: any ReportSink,
        transport: any HTTPTransport, control: RunControl, clock: any WallClock
    ) {
        self.spec = spec
        self.events = events
        self.reports = reports
        self.control = control
        self.clock = clock
        sandboxes = SandboxRunner(
            spec: spec, launcher: launcher, transport: transport, control: control,
            audit: { [events, clock] in Job.record($0, events: events, clock: clock) },
            refused: { [events, clock] in Job.record($0, events: events, clock: clock) })
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
        let outcome = await outcome()
        deadline.cancel()
        try await events.flush()
        try await reports.send(JobReport(run: spec.run, body: .finished(outcome), time: clock.now()))
    }

    private func outcome() async -> JobOutcome {
        let started = clock.now()
        var outcome: JobOutcome
        do throws(JobFailure) {
            try await prepareWorkspace()
            outcome = try await runAgent()
        } catch {
            outcome = failed(error)
        }
        let seconds = max(0, clock.now().seconds(since: started))
        outcome.seconds = seconds
        outcome.usage.durationSeconds = Int(seconds)
        return outcome
    }

    /// A stop decides over whatever it made fail.
    private func failed(_ failure: JobFailure) -> JobOutcome {
        switch control.reason {
        case .timeout:
            let seconds = spec.limits.timeoutSeconds
            emit(.system, "task_timeout", ["timeout_seconds": .int(Int64(seconds))])
            return JobOutcome(
                failure: .timeout, error: "task timed out after \(seconds)s", timeoutSeconds: seconds)
        case .cancelled:
            emit(.system, "task_canceled", .null)
            return JobOutcome(failure: .cancelled, error: "canceled by user")
        case .limit(let text): return JobOutcome(failure: .limit, error: text)
        case nil: return JobOutcome(failure: failure.kind, error: failure.message)
        }
    }

    // MARK: Workspace

    private func prepareWorkspace() async throws(JobFailure) {
        guard HostTree.isDirectory(spec.paths.image) else {
            throw JobFailure(
                .sandbox,
                "sandbox image not found at \(spec.paths.image): build it with `codeforge image build`")
        }
        do throws(CodeForgeError) {
            try HostTree.make(parent(of: spec.paths.home))
            try WorkspaceOwner.current.makeDirectory(spec.paths.home)
        } catch {
            throw JobFailure(.workspace, "workspace failed: \(error.message)")
        }
        switch spec.source {
        case .clone(let clone): try await self.clone(clone)
        case .existing:
            guard HostTree.isDirectory(spec.paths.workspace), HostTree.isDirectory(spec.paths.gitDirectory) else {
                throw JobFailure(
                    .workspace, "workspace not found for task \(spec.taskID): it was deleted; create a new task")
            }
        }
    }

    private func clone(_ clone: JobSpec.CloneSpec) async throws(JobFailure) {
        emit(.git, "clone_started", ["repo_url": .string(RepositoryURL.masked(spec.repoURL))])
        guard let url = RepositoryURL(spec.repoURL), url.scheme != .other else {
            throw JobFailure(
                .clone, "clone failed: git clone failed: only http, https and file repositories can be cloned")
        }
        var request = SandboxRequest(
            id: sandboxID("clone"), profile: spec.gitProfile, image: spec.paths.image, workspace: spec.paths.workspace,
            arguments: [], environment: [:], workingDirectory: "/")
        let policy: GatewayPolicy?
        do throws(CodeForgeError) {
            // What a lost attempt left behind is of no use.
            for path in [spec.paths.workspace, spec.paths.gitDirectory] {
                try await HostTree.remove(path)
                try HostTree.make(parent(of: path))
                try WorkspaceOwner.current.makeDirectory(path)
            }
            if url.scheme == .file {
                let path = try LocalRepositories(roots: spec.allowedLocalRoots).resolve(url.path)
                request.binds = [try LocalRepositoryBind.make(source: path, target: url.path)]
                policy = nil
            } else {
                policy = try gitPolicy(url)
            }
        } catch {
            throw JobFailure(.clone, "clone failed: git clone failed: \(error.message)")
        }
        request.binds.append(gitDirectoryBind(isWritable: true))
        let script = GitScript.clone(url: url, spec: clone, gateway: policy == nil ? nil : SandboxRunner.gatewayURL)
        request.arguments = script.argv
        request.environment = script.environment
        let result = try await sandboxes.run(request, policy: policy) { output in
            _ = await PipeReader.collect(output, limit: 0, keepEnd: false, name: "clone")
        }
        guard result.exit.status == .exited(code: 0) else {
            let text = SafeText.line(
                result.standardError, limit: 2000,
                hiding: [spec.gateway.gitToken, url.password, spec.gateway.anthropicKey, spec.gateway.openAIKey])
            throw JobFailure(.clone, "clone failed: git clone failed: \(text.isEmpty ? describe(result.exit) : text)")
        }
        emit(.git, "clone_completed", ["work_dir": .string(spec.paths.workspace)])
    }

    private func gitPolicy(_ url: RepositoryURL) throws(CodeForgeError) -> GatewayPolicy {
        GatewayPolicy(
            git: .init(
                repositoryURL: url.withoutCredentials, username: spec.gateway.gitUsername,
                token: spec.gateway.gitToken),
            addresses: try AddressRule(exceptions: spec.gateway.allowPrivateHosts))
    }

    // MARK: Agent

    private func runAgent() async throws(JobFailure) -> JobOutcome {
        guard let adapter = AgentCatalog.adapter(named: spec.agent.name) else {
            throw JobFailure(
                .cli, "CLI execution failed: resolving CLI runner: unknown CLI: \(spec.agent.name)")
        }
        let profile = spec.profile
        do throws(CodeForgeError) {
            try await reports.send(JobReport(run: spec.run, body: .running, time: clock.now()))
        } catch {
            throw JobFailure(.lost, error.message)
        }
        emit(
            .system, "cli_started",
            ["cli": .string(spec.agent.name), "iteration": .string(String(spec.iteration))])

        let command = adapter.command(for: agentRun(untrusted: profile.agentConfiguration == .ignored))
        var request = SandboxRequest(
            id: sandboxID("agent"), profile: profile, image: spec.paths.image, workspace: spec.paths.workspace,
            home: spec.paths.home, arguments: CommandFiles.wrap(command), environment: command.environment,
            workingDirectory: GitScript.workTree)
        if let bind = hostBinaryBind() { request.binds.append(bind) }
        let input: HostDescriptor?
        let policy: GatewayPolicy
        do throws(CodeForgeError) {
            input = try command.standardInput.map { bytes throws(CodeForgeError) in
                try HostDescriptor.memoryFile("codeforge-stdin", bytes)
            }
            policy = try modelPolicy(profile)
        } catch {
            throw JobFailure(.sandbox, "sandbox failed: \(error.message)")
        }
        request.standardInput = input?.raw

        let relay = OutputRelay(
            normalizer: adapter.makeNormalizer(), events: events, limits: spec.limits, control: control,
            clock: clock)
        let result = try await sandboxes.run(request, policy: policy) { await relay.read($0) }
        input?.close()
        let summary = relay.finish(standardError: result.standardError)
        if control.reason != nil { throw JobFailure(.cancelled, "") }
        guard result.exit.status == .exited(code: 0) else {
            throw JobFailure(
                .cli, "CLI execution failed: \(adapter.label) CLI \(describe(result, said: summary.failure))")
        }
        let changes = try await measureChanges()
        return JobOutcome(
            result: summary.result, changes: changes.summary,
            usage: Usage(inputTokens: summary.inputTokens, outputTokens: summary.outputTokens),
            sessionID: summary.sessionID, workspaceBytes: changes.bytes)
    }

    private func agentRun(untrusted: Bool) -> AgentRun {
        AgentRun(
            prompt: spec.agent.prompt, model: spec.agent.model, maxTurns: spec.agent.maxTurns,
            maxBudgetUSD: spec.agent.maxBudgetUSD, resumeSessionID: spec.agent.sessionID,
            workspace: GitScript.workTree, mcpConfigPath: nil, gatewayBase: SandboxRunner.gatewayURL,
            untrusted: untrusted, binary: binaryInside)
    }

    private func modelPolicy(_ profile: SandboxProfile) throws(CodeForgeError) -> GatewayPolicy {
        let gateway = spec.gateway
        return GatewayPolicy(
            anthropic: profile.gatewayRoutes.contains("anthropic")
                ? .init(baseURL: gateway.anthropicURL, apiKey: gateway.anthropicKey) : nil,
            openai: profile.gatewayRoutes.contains("openai")
                ? .init(baseURL: gateway.openAIURL, apiKey: gateway.openAIKey) : nil,
            addresses: try AddressRule(exceptions: gateway.allowPrivateHosts))
    }

    private func measureChanges() async throws(JobFailure) -> ChangesReport {
        let script = GitScript.changes()
        var profile = spec.gitProfile
        profile.workspace = .readOnly
        var request = SandboxRequest(
            id: sandboxID("changes"), profile: profile, image: spec.paths.image, workspace: spec.paths.workspace,
            arguments: script.argv, environment: script.environment, workingDirectory: "/")
        request.binds = [gitDirectoryBind(isWritable: false)]
        let output = ByteKeeper(limit: 32 << 20, keepEnd: false)
        let result = try await sandboxes.run(request, policy: nil) { descriptor in
            await PipeReader.read(descriptor, name: "changes") { output.add($0) }
        }
        guard result.exit.status == .exited(code: 0) else {
            let text = SafeText.line(result.standardError, limit: 500)
            throw JobFailure(.workspace, "measuring changes failed: \(text.isEmpty ? describe(result.exit) : text)")
        }
        do throws(CodeForgeError) {
            return try ChangesReport(output.bytes)
        } catch {
            throw JobFailure(.workspace, error.message)
        }
    }

    // MARK: Small things

    private func sandboxID(_ phase: String) -> String { SandboxStatus.id(of: spec.run, phase: phase) }

    private func gitDirectoryBind(isWritable: Bool) -> SandboxRequest.Bind {
        SandboxRequest.Bind(
            source: spec.paths.gitDirectory, target: GitScript.gitDirectory, isWritable: isWritable,
            ownership: .workspace)
    }

    /// Where a CLI that is a host file is shown inside.
    private static let hostBinaryTarget = "/opt/codeforge/cli"

    private var binaryInside: String {
        spec.agent.binary.contains("/") ? Job.hostBinaryTarget : spec.agent.binary
    }

    private func hostBinaryBind() -> SandboxRequest.Bind? {
        guard spec.agent.binary.contains("/") else { return nil }
        return SandboxRequest.Bind(source: spec.agent.binary, target: Job.hostBinaryTarget)
    }

    private func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "/"
    }

    /// - Parameter said: The CLI's own account of what went wrong; better than what else it wrote to standard error.
    private func describe(_ result: SandboxRunner.Result, said: String? = nil) -> String {
        let text = SafeText.line(said.map { Array($0.utf8) } ?? result.standardError, limit: 500)
        return describe(result.exit) + (text.isEmpty ? "" : ": " + text)
    }

    private func describe(_ exit: SandboxExit) -> String {
        if exit.oomKilled { return "was killed: memory limit of its sandbox exceeded" }
        switch exit.status {
        case .exited(let code): return "exited with code \(code)"
        case .signalled(let signal): return "was killed by signal \(signal)"
        case .killed: return "was killed with its sandbox"
        }
    }

    private func emit(_ kind: TaskEvent.Kind, _ name: String, _ data: JSONValue) {
        events.append(.event(json: TaskEvent(kind, name, data: data, time: clock.now()).json))
    }

    /// A refusal of the gateway is an event of the task; what it let through is not.
    private static func record(_ decision: GatewayDecision, events: any EventSink, clock: any WallClock) {
        guard !decision.allowed else { return }
        let data: JSONValue = [
            "route": .string(decision.route.rawValue), "method": .string(decision.method),
            "target": .string(decision.target), "reason": .string(decision.reason),
        ]
        let event = TaskEvent(.system, "gateway_refused", data: data, time: clock.now())
        events.append(.event(json: event.json))
    }

    /// So is a refused system call, the first few times each is tried.
    private static func record(_ refusal: RefusedSyscall, events: any EventSink, clock: any WallClock) {
        let data: JSONValue = ["syscall": .string(refusal.name), "errno": .int(Int64(refusal.errno))]
        events.append(.event(json: TaskEvent(.system, "syscall_refused", data: data, time: clock.now()).json))
    }
}
