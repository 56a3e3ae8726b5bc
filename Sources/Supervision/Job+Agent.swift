import Agents
import CLinux
import Domain
import Gateway
import HostProcess
import Sandboxing
import Workspaces

/// The CLI, and what it changed.
extension Job {
    func runAgent() async throws(JobFailure) -> JobOutcome {
        guard let adapter = AgentCatalog.adapter(named: spec.agent.name) else {
            throw JobFailure(
                .cli, "\(executionFailed): resolving CLI runner: unknown CLI: \(spec.agent.name)")
        }
        let profile = spec.profile
        do throws(CodeForgeError) {
            try await reports.send(JobReport(run: spec.run, body: .running, time: clock.now()))
        } catch {
            throw JobFailure(.lost, error.message)
        }
        if isReview {
            emit(.system, "review_started", .null)
        } else {
            emit(
                .system, "cli_started",
                ["cli": .string(spec.agent.name), "iteration": .string(String(spec.iteration))])
        }

        let binary = try hostBinary()
        let mcp = prepareMCP(for: adapter, profile)
        defer { mcp.clear() }
        var command = adapter.command(for: agentRun(profile, mcp, binary: binary?.path ?? spec.agent.binary))
        command.environment["TRACEPARENT"] = spec.traceParent
        var request = SandboxRequest(
            id: sandboxID("agent"), profile: profile, image: spec.paths.image, workspace: spec.paths.workspace,
            home: spec.paths.home, arguments: CommandFiles.wrap(command), environment: command.environment,
            workingDirectory: GitScript.workTree)
        request.binds += [mcp.bind, binary?.bind].compactMap(\.self)
        let input: HostDescriptor?
        var policy: GatewayPolicy
        do throws(CodeForgeError) {
            input = try command.standardInput.map { bytes throws(CodeForgeError) in
                try HostDescriptor.memoryFile("codeforge-stdin", bytes)
            }
            policy = try modelPolicy(profile)
        } catch {
            throw JobFailure(.sandbox, "sandbox failed: \(error.message)")
        }
        request.standardInput = input?.raw
        policy.mcp = mcp.endpoints

        // An agent that says nothing hangs; a script may well be silent, and has the task's timeout.
        let watch = adapter.provider == nil ? nil : OutputWatch(spec.limits.watchdogs)
        let relay = OutputRelay(
            normalizer: adapter.makeNormalizer(), events: events, limits: spec.limits, control: control,
            clock: clock, watch: watch)
        let result = try await sandboxes.run(
            request, policy: policy, outputGauge: { relay.gauge },
            beside: {
                mcp.forget()
                recordMCP(mcp, sandbox: $0.id)
                clinux_forget_code()  // hundreds of supervisors do little but wait from here on
                if let fired = await watch?.run($0.sandbox) { self.fired(fired, $0) }
            }
        ) { await relay.read($0) }
        input?.close()
        mcp.clear()
        let summary = relay.finish(standardError: result.standardError)
        if control.reason != nil { throw JobFailure(.cancelled, "") }
        // Ended by its watchdog after a result line that told of success: that is what it came to.
        let hungAfterSuccess = watch?.fired == .afterResult && summary.failure == nil && !result.exit.oomKilled
        guard result.exit.status == .exited(code: 0) || hungAfterSuccess else {
            throw failure(
                .cli, result,
                "\(executionFailed): \(adapter.label) CLI \(describe(result, said: summary.failure))")
        }
        let reported = Usage(inputTokens: summary.inputTokens, outputTokens: summary.outputTokens)
        var outcome = JobOutcome(result: summary.result, usage: reported, sessionID: summary.sessionID)
        if adapter.countsWholeConversation, let session = summary.sessionID {
            outcome.sessionUsage = reported
            if session == spec.agent.sessionID, let earlier = spec.agent.sessionUsage {
                outcome.usage = reported.since(earlier)
            }
        }
        if !isReview {
            let changes = try await measureChanges()
            (outcome.changes, outcome.workspaceBytes) = (changes.summary, changes.bytes)
            outcome.diff = changes.diff
        }
        return outcome
    }

    private var executionFailed: String { isReview ? "review CLI execution failed" : "CLI execution failed" }

    private func fired(_ watchdog: SandboxLimit, _ live: LiveSandbox) {
        let limits = spec.limits.watchdogs
        func source(_ setting: String, _ key: String, _ ofProfile: Int, _ seconds: Double) -> String {
            Double(ofProfile) == seconds ? "(watchdogs.\(key) of profile \(spec.profile.name))" : "(sandbox.\(setting))"
        }
        let (seconds, text): (Double, String)
        switch watchdog {
        case .firstLine:
            seconds = limits.firstLine
            let source = source("first_line_timeout", "first_line", spec.profile.watchdogs.firstLine, seconds)
            text = "no output within \(Int(seconds))s \(source)"
        case .silence:
            seconds = limits.silence
            text =
                "no output for \(Int(seconds))s "
                + source("silence_timeout", "silence", spec.profile.watchdogs.silence, seconds)
        default: (seconds, text) = (limits.afterResult, "")
        }
        audit.hit(watchdog, sandbox: live.id, ["seconds": .double(seconds)])
        emit(
            .system, "watchdog_fired",
            ["watchdog": .string(watchdog.rawValue), "seconds": .double(seconds)])
        if watchdog == .afterResult {
            live.sandbox.kill()
        } else {
            control.stop(.limit(watchdog, "\(executionFailed): \(text)"))
        }
    }

    private func agentRun(_ profile: SandboxProfile, _ mcp: MCPSetup, binary: String) -> AgentRun {
        var run = AgentRun(
            prompt: spec.agent.prompt, model: spec.agent.model, maxTurns: spec.agent.maxTurns,
            maxBudgetUSD: spec.agent.maxBudgetUSD, resumeSessionID: spec.agent.sessionID,
            workspace: GitScript.workTree, mcpConfigPath: mcp.configPath, gatewayBase: SandboxRunner.gatewayURL,
            configuration: profile.agentConfiguration, instructions: profile.instructions, binary: binary)
        run.onlyThoseServers = mcp.onlyThoseServers
        return run
    }

    private func modelPolicy(_ profile: SandboxProfile) throws(CodeForgeError) -> GatewayPolicy {
        let gateway = spec.gateway
        var policy = GatewayPolicy(
            anthropic: profile.gatewayRoutes.contains("anthropic")
                ? .init(baseURL: gateway.anthropicURL, apiKey: gateway.anthropicKey) : nil,
            openai: profile.gatewayRoutes.contains("openai")
                ? .init(baseURL: gateway.openAIURL, apiKey: gateway.openAIKey) : nil,
            addresses: try AddressRule(exceptions: gateway.allowPrivateHosts))
        policy.egress = try EgressList(profile.egress)
        policy.limits = profile.gatewayLimits
        return policy
    }

    func measureChanges() async throws(JobFailure) -> ChangesReport {
        let script = GitScript.changes(diffBytes: spec.limits.diffBytes)
        var profile = spec.gitProfile
        profile.workspace = .readOnly
        var request = SandboxRequest(
            id: sandboxID("changes"), profile: profile, image: spec.paths.image, workspace: spec.paths.workspace,
            arguments: script.argv, environment: script.environment, workingDirectory: "/")
        request.binds = [gitDirectoryBind(isWritable: false)]
        let output = ByteKeeper(limit: 32 << 20 + spec.limits.diffBytes, keepEnd: false)
        let result = try await sandboxes.run(request, policy: nil) { descriptor in
            await PipeReader.read(descriptor, name: "changes") { output.add($0) }
        }
        guard result.exit.status == .exited(code: 0) else {
            let text = SafeText.line(result.standardError, limit: 500)
            throw failure(
                .workspace, result, "measuring changes failed: \(text.isEmpty ? describe(result.exit) : text)")
        }
        do throws(CodeForgeError) {
            return try ChangesReport(output.bytes, diffBytes: spec.limits.diffBytes)
        } catch {
            throw JobFailure(.workspace, error.message)
        }
    }

    /// `nil`: the CLI is the image's.
    private func hostBinary() throws(JobFailure) -> HostBinary? {
        guard spec.agent.binary.contains("/") else { return nil }
        do throws(CodeForgeError) {
            let paths = spec.paths
            return try HostBinary(
                at: spec.agent.binary,
                hiding: [paths.workspace, paths.gitDirectory, paths.home, paths.state, paths.image])
        } catch {
            throw JobFailure(.cli, "\(executionFailed): resolving CLI runner: \(error.message)")
        }
    }
}
