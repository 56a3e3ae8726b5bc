import API
import Agents
import ControlSocket
import CurlHTTP
import Domain
import Engine
import Forges
import FoundationEssentials
import Glibc
import HostProcess
import Logging
import RedisMessaging
import SQLiteStore
import Sandboxing
import ServiceLifecycle
import Settings
import Synchronization
import Telemetry
import Vault
import Workflows
import Workspaces

/// Puts the service together and runs it.
struct Server {
    let settings: Settings
    let profiles: ProfileCatalog
    let metrics: PrometheusMetrics
    let drains: Bool
    let reload: ConfigurationReload
    let logger: Logger

    /// - Throws: `CodeForgeError` when a part can't be started; the message says what to do.
    func run() async throws {
        try HostTree.make(settings.dataDirectory)
        let launcher = SandboxLauncher(.init(shim: Installation.shim))
        await launcher.sweep()
        await reportLayers()
        let control = ControlSocketClient(runsDirectory: settings.dataDirectory + "/runs")
        await control.sweep()
        let embedded = try await startRedis()
        let assembly: Assembly
        do {
            assembly = try await assemble(launcher, control, embedded)
        } catch {
            // Of a start that failed nothing is left; what was there before stays for those who use it.
            await embedded?.stop(leaveRunning: embedded?.isAdopted ?? true)
            throw error
        }
        defer {
            logger.notice("stopped")
            withExtendedLifetime(assembly.claim) {}
        }
        do {
            try await assembly.group.run()
        } catch {
            await embedded?.stop(leaveRunning: await assembly.hasRuns())
            throw error
        }
        await embedded?.stop(leaveRunning: await assembly.hasRuns())
    }

    /// The service, put together.
    private struct Assembly {
        let group: ServiceGroup
        /// Whether supervisors are still at work, which need Redis.
        let hasRuns: () async -> Bool
        /// Held to the end.
        let claim: DatabaseClaim
    }

    private func assemble(
        _ launcher: SandboxLauncher, _ control: ControlSocketClient, _ embedded: EmbeddedRedis?
    ) async throws -> Assembly {
        let redisURL = settings.redis.url ?? embedded?.url ?? ""
        let client = try RedisClient(url: redisURL, prefix: settings.redis.prefix, logger: logger)
        let probe = RedisHealthProbe(client)
        do throws(CodeForgeError) {
            try await probe.ping()
        } catch {
            throw CodeForgeError(.unavailable, "redis.url: Redis does not answer: \(error.message)")
        }
        let claim = try DatabaseClaim(path: settings.sqlite.path)
        let database = try TaskDatabase(path: settings.sqlite.path)
        let store = WatchedTaskStore(SQLiteTaskStore(database), cacheBytes: settings.tasks.cacheBytes)
        let workspaces = SQLiteWorkspaceStore(database)
        let box = try AESGCMSecretBox(base64Key: settings.encryption.key)
        let secrets = RedisTaskSecretStore(client, box: box)
        let ring = KeyRing(store: SQLiteKeyStore(database), box: box)
        for key in try await ring.unreadable() {
            logger.warning(
                "a registered key can't be opened: was encryption.key changed without `codeforge keys rotate`?",
                metadata: ["key": "\(key.name)", "provider": "\(key.provider.rawValue)"])
        }
        let mcpServers = SQLiteMCPServerStore(database, box: box)
        let tools = SQLiteToolStore(database)
        let directory = forgeDirectory
        let credentials = CredentialResolver(directory, ring: ring, secrets: secrets)
        let events = RedisEventLog(client, historyEntries: settings.events.historyEntries)
        let queue = RedisTaskQueue(client, name: settings.workers.queueName)
        let link = RedisSupervisorLink(client)
        let clock = SystemClock()
        let trail = AuditTrail(store: SQLiteAuditStore(database), clock: clock, days: settings.sandbox.auditDays)

        let planner = JobPlanner(
            configuration: plan(redis: JobSpec.Redis(url: redisURL, prefix: settings.redis.prefix)), store: store,
            secrets: secrets, credentials: credentials, mcp: MCPPlanner(servers: mcpServers, tools: tools),
            buildPrompt: PromptBuilder.prompt(of:cli:earlier:), workspaceForm: HostTree.form(ofWorkspace:))
        let transport = CurlTransport()
        let callbacks = try callbacks(database, transport, clock)
        let exporter = try spanExporter(transport)
        let tracer = tracer(exporter)
        let tracing = tracer.map { RunTracing($0) }
        let addresses = try AddressRule(exceptions: settings.gateway.allowPrivateHosts)
        let forge = RemoteForge(transport, addresses: addresses)
        let poster = ReviewPoster(forge: forge, untrustedVerdicts: settings.codeReview.untrustedVerdicts)
        let outbox = ReviewOutbox(
            store: store, events: events, poster: poster, callbacks: callbacks, clock: clock,
            destination: credentials.destination(of:))
        let finalizer = RunFinalizer(
            store: store, workspaces: workspaces, events: events, secrets: secrets, queue: queue,
            cliName: planner.cliName(of:), clock: clock, historyTTL: settings.tasks.workspaceTTL,
            secretsTTL: settings.tasks.stateTTL, callbacks: callbacks, tracing: tracing,
            postsUntrusted: settings.codeReview.untrustedComments, onPosting: { outbox.wake() })
        let scheduler = Scheduler(
            configuration: .init(concurrency: settings.workers.concurrency, drains: drains), store: store,
            workspaces: workspaces, queue: queue, link: link, planner: planner,
            spawner: ProcessSupervisorSpawner(executable: Installation.supervisor), finalizer: finalizer, clock: clock,
            onLost: { await launcher.sweep() })
        let publisher = Publisher(
            configuration: publishing, store: store, publications: SQLitePublicationStore(database), events: events,
            planner: planner, spawner: ProcessSupervisorSpawner(executable: Installation.supervisor), forge: forge,
            clock: clock, target: credentials.target(of:))
        let projector = Projector(
            reports: RedisReportLog(client), finalizer: finalizer, trail: trail, scheduler: scheduler,
            applyPublishing: { report throws(CodeForgeError) in try await publisher.apply(report) })
        let trust = trust(store, queue, events, secrets, credentials, forge)
        let tasks = TaskService(
            store: store, queue: queue, secrets: secrets, events: events, link: link, clock: clock,
            rules: TaskRules(
                registeredCLIs: Set(AgentCatalog.names), makeID: { UUID().uuidString.lowercased() },
                isURL: URLRule.accepts), trust: trust, tracing: tracing, historyTTL: settings.tasks.workspaceTTL,
            secretsTTL: settings.tasks.stateTTL)
        let webhooks = try webhooks(tasks, client)
        let runs = RunParts(
            workflows: SQLiteWorkflowStore(database, box: box), runs: SQLiteWorkflowRunStore(database, box: box),
            events: events, tasks: tasks, record: store, credentials: credentials, directory: directory,
            makePullRequest: { id, draft throws(CodeForgeError) in
                try await publisher.createPullRequest(id, draft)
            }, transport: transport, clock: clock)
        let (workflows, runner) = try await workflows(runs, addresses, tracing)
        let sweeper = WorkspaceService(
            configuration: sweeping, tasks: store, store: workspaces,
            files: TaskFiles(
                dataDirectory: settings.dataDirectory, workspaceBase: settings.tasks.workspaceBase), clock: clock,
            whileIdle: { ids, body throws(CodeForgeError) in try await scheduler.whileIdle(ids, body) })
        let reviews = ReviewService(
            store: store, queue: queue, secrets: secrets, events: events, reviewers: AgentCatalog.reviewers,
            hasWorkspace: { task throws(CodeForgeError) in try await planner.keptWorkspace(of: task) != nil },
            poster: poster, destination: credentials.ownDestination(of:))
        let stopping = ShutdownFlag()
        let systemd = SystemdNotifier(environment: ProcessInfo.processInfo.environment)
        for cli in CLICatalogue.entries(settings) where !cli.isAvailable {
            logger.warning(
                "a CLI is not there: its tasks will fail",
                metadata: ["cli": "\(cli.name)", "path": "\(cli.binaryPath)", "image": "\(settings.sandbox.image)"])
        }
        let issues = RemoteIssueSource(transport, addresses: addresses)
        let keys = KeyService(
            ring: ring, forge: forge, issues: issues, directory: directory, addresses: addresses, clock: clock)
        let browser = ForgeBrowser(ring: ring, forge: forge, issues: issues, directory: directory)
        let receipts = ReceiptLedger(
            store: SQLiteReceiptStore(database), clock: clock, lifetime: settings.server.idempotencyTTL)
        let api = APIServer(
            dependencies(
                keys: keys, browser: browser, tasks: tasks, webhooks: webhooks, reviews: reviews,
                sandboxes: SandboxService(control: control, trail: trail), workspaces: sweeper,
                publisher: publisher, mcp: MCPService(store: mcpServers, clock: clock),
                tools: ToolService(store: tools, clock: clock), workflows: workflows, store: store, probe: probe,
                client: client,
                stopping: stopping, clock: clock, tokens: SQLiteTokenStore(database), receipts: receipts,
                tracer: tracer))
        let application = api.application(
            host: settings.server.host, port: settings.server.port, logger: logger,
            onRunning: { [logger, settings] port in
                logger.notice(
                    "listening", metadata: ["host": "\(settings.server.host)", "port": "\(port)"])
                systemd.tell("READY=1\nSTATUS=listening on port \(port)")
            })
        // Stopped in reverse: HTTP drains first, and the reports are read until the scheduler is done.
        let exporting = exporter.map { [ServiceGroupConfiguration.ServiceConfiguration(service: $0)] } ?? []
        let group = ServiceGroup(
            configuration: .init(
                services: exporting + [
                    .init(service: callbacks), .init(service: outbox), .init(service: trail),
                    .init(service: receipts), .init(service: SandboxCensus(control: control)),
                    .init(service: projector), .init(service: scheduler), .init(service: publisher),
                    .init(service: trust), .init(service: sweeper), .init(service: runner), .init(service: reload),
                    .init(service: DrainLimit(application, limit: .seconds(30))),
                    .init(service: ServiceNotices(systemd: systemd)), .init(service: stopping),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        return Assembly(
            group: group,
            hasRuns: {
                if await scheduler.hasRuns { return true }
                return await publisher.hasRuns
            }, claim: claim)
    }

    /// Says loudly what tasks do without on this host, and what they are refused for.
    private func reportLayers() async {
        let missing = await HostLayers.probe().filter { !$0.isPresent }
        let required = Installation.requiredLayers(of: settings, profiles)
        for status in missing where required.contains(status.layer) {
            logger.error(
                "tasks will be refused: a required sandbox layer is missing",
                metadata: [
                    "layer": "\(status.layer.rawValue)", "detail": "\(status.detail)", "remedy": "\(status.remedy)",
                ])
        }
        let wanted = profiles.profiles.values.reduce(into: Set<SandboxLayer>()) { $0.formUnion($1.required) }
        let excused = missing.filter { wanted.contains($0.layer) && !required.contains($0.layer) }
        guard !excused.isEmpty else { return }
        logger.warning(
            "tasks run without sandbox layers that their profiles name, because this host does not have them",
            metadata: [
                "layers": "\(excused.map(\.layer.rawValue).joined(separator: ", "))",
                "remedy": "codeforge doctor says how to get them; sandbox.allow_missing: [] refuses tasks instead",
            ])
    }

    private func startRedis() async throws(CodeForgeError) -> EmbeddedRedis? {
        guard settings.redis.url == nil else { return nil }
        let redis = EmbeddedRedis(directory: settings.dataDirectory + "/redis", logger: logger)
        try await redis.start()
        return redis
    }

    private func callbacks(
        _ database: TaskDatabase, _ transport: CurlTransport, _ clock: SystemClock
    ) throws(CodeForgeError) -> CallbackService {
        let webhooks = settings.webhooks
        let secret = webhooks.hmacSecret
        return CallbackService(
            configuration: .init(
                retryCount: webhooks.retryCount, retryDelay: webhooks.retryDelay, timeout: webhooks.timeout,
                concurrency: webhooks.concurrency, resultBytes: webhooks.resultBytes,
                addresses: try AddressRule(exceptions: webhooks.allowPrivate)),
            store: SQLiteCallbackStore(database), transport: transport,
            signer: secret.isEmpty
                ? nil
                : .init(
                    hex: { Digests.hmacSHA256Hex(key: secret, $0) },
                    base64: { Digests.hmacSHA256Base64(key: secret, $0) }),
            clock: clock)
    }

    /// `nil` when no span leaves the service.
    private func spanExporter(_ transport: CurlTransport) throws(CodeForgeError) -> SpanExporter? {
        let tracing = settings.tracing
        guard tracing.enabled, tracing.exporter == "otlp" else { return nil }
        return try SpanExporter(
            .init(url: SpanExporter.Configuration.url(endpoint: tracing.endpoint)), version: Version.current,
            transport: transport)
    }

    private func tracer(_ exporter: SpanExporter?) -> SpanTracer? {
        guard settings.tracing.enabled else { return nil }
        return SpanTracer(
            samplingRate: settings.tracing.samplingRate, presetSpanID: { $0[PresetSpanID.self] },
            sink: { exporter?.add($0) })
    }

    private func plan(redis: JobSpec.Redis) -> JobPlanner.Configuration {
        let keys = settings.inherited
        let clis = settings.cli.agents.map { name, agent in
            let canReview = AgentCatalog.reviewers.contains(name)
            return (name, JobPlanner.CLI(binary: agent.path, defaultModel: agent.defaultModel, canReview: canReview))
        }
        var configuration = JobPlanner.Configuration(
            dataDirectory: settings.dataDirectory, workspaceBase: settings.tasks.workspaceBase,
            imageRoot: ImageStore(directory: settings.sandbox.imageDirectory).root(of: settings.sandbox.image),
            shim: Installation.shim, defaultCLI: settings.cli.defaultName,
            clis: Dictionary(uniqueKeysWithValues: clis),
            defaultTimeout: settings.tasks.defaultTimeout, maximumTimeout: settings.tasks.maxTimeout,
            outputBytes: settings.sandbox.outputBytes, lineBytes: settings.sandbox.lineBytes,
            historyEntries: settings.events.historyEntries,
            profiles: profiles, requiredLayers: settings.sandbox.require, anthropicURL: settings.gateway.anthropicURL,
            openAIURL: settings.gateway.openAIURL, anthropicKey: keys.anthropicAPIKey, openAIKey: keys.openAIAPIKey,
            allowPrivateHosts: settings.gateway.allowPrivateHosts, allowedLocalRoots: settings.git.allowedLocalRoots,
            redis: redis)
        let sandbox = settings.sandbox
        configuration.watchdogs = JobSpec.Watchdogs(
            firstLine: sandbox.firstLineTimeout / .seconds(1), silence: sandbox.silenceTimeout / .seconds(1),
            afterResult: sandbox.resultGrace / .seconds(1))
        configuration.auditRecords = sandbox.auditRecords
        configuration.diffBytes = settings.git.diffBytes
        configuration.disk = Installation.workspaceForm(of: settings)
        configuration.allowMissing = settings.sandbox.allowMissing
        return configuration
    }

    private var forgeDirectory: ForgeDirectory {
        var tokens: [GitProvider: String] = [:]
        tokens[.github] = settings.inherited.githubToken
        tokens[.gitlab] = settings.inherited.gitlabToken
        return ForgeDirectory(
            githubAPIURL: settings.forges.githubAPIURL, gitlabAPIURL: settings.forges.gitlabAPIURL,
            sentryURL: settings.forges.sentryURL,
            providerDomains: settings.git.providerDomains.compactMapValues(GitProvider.init), tokens: tokens)
    }

    private var publishing: Publisher.Configuration {
        let git = settings.git
        return .init(
            branchPrefix: git.branchPrefix, authorName: git.commitAuthor, authorEmail: git.commitEmail,
            timeoutSeconds: git.publishTimeout, historyTTL: settings.tasks.workspaceTTL)
    }

    private var sweeping: WorkspaceService.Configuration {
        let tasks = settings.tasks
        let gigabyte = 1_073_741_824.0
        return .init(
            ttl: tasks.workspaceTTL, warningBytes: Int(tasks.diskWarningThresholdGB * gigabyte),
            criticalBytes: Int(tasks.diskCriticalThresholdGB * gigabyte), interval: tasks.sweepInterval,
            runTTL: tasks.runTTL)
    }

    private func dependencies(
        keys: KeyService, browser: ForgeBrowser, tasks: TaskService, webhooks: WebhookService, reviews: ReviewService,
        sandboxes: SandboxService, workspaces: WorkspaceService, publisher: Publisher, mcp: MCPService,
        tools: ToolService, workflows: WorkflowService, store: any TaskStore, probe: RedisHealthProbe,
        client: RedisClient,
        stopping: ShutdownFlag, clock: SystemClock, tokens: any TokenStore, receipts: ReceiptLedger,
        tracer: SpanTracer?
    ) -> APIDependencies {
        let limit = settings.rateLimit
        return APIDependencies(
            tasks: tasks, reviews: reviews, webhooks: webhooks, sandboxes: sandboxes, keys: keys, browser: browser,
            workspaces: workspaces, publisher: publisher, mcp: mcp, tools: tools, workflows: workflows, store: store,
            messaging: probe,
            cliCatalogue: { [settings] in CLICatalogue.entries(settings) }, defaultCLI: settings.cli.defaultName,
            tokens: [settings.server.authToken], tokenStore: tokens, receipts: receipts, digest: Digests.sha256,
            rateLimiter: limit.enabled && limit.perMinute > 0
                ? RedisRateLimiter(client, limit: limit.perMinute, digest: Digests.sha256) : nil,
            metricsText: { [metrics] in metrics.text() + ProcessMetrics.text() },
            isShuttingDown: { stopping.isSet }, version: Version.current, startedAt: .now,
            maxBodyBytes: settings.server.maxBodyBytes, docsAssets: settings.server.docsAssets,
            corsOrigins: settings.server.corsOrigins, metricsToken: settings.server.metricsToken, clock: clock,
            tracer: tracer)
    }
}

/// The CLIs and whether they can be started, for clients.
enum CLICatalogue {
    static func entries(_ settings: Settings) -> [CLIEntry] {
        let images = ImageStore(directory: settings.sandbox.imageDirectory)
        return settings.cli.agents.map { name, agent in
            let path = agent.path
            var available = images.has(path, in: settings.sandbox.image)
            if path.contains("/") {
                available = FileManager.default.isExecutableFile(atPath: path)
                // A script needs what runs it.
                if isScript(path) { available = available && images.has("node", in: settings.sandbox.image) }
            }
            return CLIEntry(
                name: name, binaryPath: path, defaultModel: agent.defaultModel, isAvailable: available,
                isDefault: name == settings.cli.defaultName)
        }
    }

    /// By its real name, as a run decides.
    private static func isScript(_ path: String) -> Bool {
        guard let real = realpath(path, nil) else { return false }
        defer { free(real) }
        let name = String(cString: real)
        return [".js", ".mjs", ".cjs"].contains { name.hasSuffix($0) }
    }
}

/// Set as soon as the service is told to stop, before HTTP drains.
final class ShutdownFlag: Service {
    private let flag = Mutex(false)

    var isSet: Bool { flag.withLock { $0 } }

    func run() async throws {
        try? await gracefulShutdown()  // cancelled: the service is stopping all the more
        flag.withLock { $0 = true }
    }
}
