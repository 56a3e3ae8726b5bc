import CurlHTTP
import Domain
import Engine
import Forges
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Telemetry
import TestKit
import Testing
import Vault
import Workflows

@testable import API

/// The API over in-memory ports.
struct APIRig {
    static let token = "a-good-token"
    let store: InMemoryTaskStore
    let workspaces: InMemoryWorkspaceStore
    let files = InMemoryWorkspaceFiles()
    let queue = InMemoryTaskQueue()
    let secrets = InMemoryTaskSecretStore()
    let events = InMemoryEventLog()
    let link = InMemorySupervisorLink()
    let messaging = InMemoryHealthProbe()
    let clock: ManualClock
    let audit = InMemoryAuditStore()
    let ticker = Ticker()
    let control = InMemorySandboxControl()
    let mcpServers = InMemoryMCPServerStore()
    let tools = InMemoryToolStore()
    let workflows = InMemoryWorkflowStore()
    let runs: InMemoryWorkflowRunStore
    let trail: AuditTrail
    let keys = InMemoryKeyStore()
    let marks = InMemoryDeliveryMarks()
    var webhooks = WebhookService.Configuration(keyName: "bot")
    var githubSecrets = ["gh-old", "gh-secret"]
    var gitlabSecrets = ["gl-secret"]
    /// GitHub, GitLab and Sentry; none answers without it.
    var forge: ForgeServer?
    static let transport = CurlTransport()
    /// Tasks whose workspace is there.
    var kept: Set<String> = []
    let tokens = InMemoryTokenStore()
    var rateLimit: Int?
    var clis: [CLIEntry] = [
        CLIEntry(name: "codex", binaryPath: "codex", defaultModel: "", isAvailable: false, isDefault: false),
        CLIEntry(name: "claude-code", binaryPath: "claude", defaultModel: "m1", isAvailable: true, isDefault: true),
    ]
    var isShuttingDown = false
    /// What supervisors that publish report.
    var publishes: JobOutcome? = JobOutcome(changes: ChangesSummary())
    var serviceToken: String? = "ghp_good"
    var maxBodyBytes = 2_097_152
    var docsAssets = ""
    var corsOrigins: [String] = []
    var metricsToken: String?
    var readLimit = APIServer.readLimit
    var tracer: SpanTracer?
    var requestLimit: Duration = .seconds(60)

    init(forge: ForgeServer? = nil) {
        self.forge = forge
        store = InMemoryTaskStore()
        workspaces = InMemoryWorkspaceStore(store)
        runs = InMemoryWorkflowRunStore(receipts: store.receipts)
        clock = ManualClock()
        trail = AuditTrail(store: audit, clock: clock, days: 30)
    }

    var dependencies: APIDependencies {
        let tasks = TaskService(
            store: store,
            queue: queue,
            secrets: secrets,
            events: events,
            link: link,
            clock: clock,
            rules: TaskRules(
                registeredCLIs: ["claude-code", "codex", "shell"],
                makeID: { UUID().uuidString.lowercased() },
                isURL: URLRule.accepts
            ),
            tracing: tracer.map { RunTracing($0) }
        )
        let addresses = forge.flatMap { try? AddressRule(exceptions: [$0.authority]) } ?? .publicOnly
        let remote = RemoteForge(APIRig.transport, addresses: addresses)
        let issues = RemoteIssueSource(APIRig.transport, addresses: addresses)
        let ring = KeyRing(store: keys, box: ReversingSecretBox())
        let nowhere = "http://127.0.0.1:9"
        let directory = ForgeDirectory(
            githubAPIURL: forge?.githubAPI ?? nowhere, gitlabAPIURL: forge?.gitlabAPI ?? nowhere,
            sentryURL: forge?.url ?? nowhere)
        let publisher = publisher(
            remote, CredentialResolver(publishingDirectory, ring: ring, secrets: secrets))
        return APIDependencies(
            tasks: tasks,
            reviews: ReviewService(
                store: store,
                queue: queue,
                secrets: secrets,
                events: events,
                reviewers: ["claude-code", "codex"],
                hasWorkspace: { [kept] in kept.contains($0.id) },
                poster: ReviewPoster(forge: remote, untrustedVerdicts: false),
                destination: CredentialResolver(directory, ring: ring, secrets: secrets).ownDestination(of:)
            ),
            webhooks: WebhookService(
                configuration: webhooks,
                verifier: try! WebhookSecrets(github: githubSecrets, gitlab: gitlabSecrets),
                reader: WebhookPayloads(), marks: marks, tasks: tasks, clock: clock),
            sandboxes: SandboxService(control: control, trail: trail),
            keys: KeyService(
                ring: ring, forge: remote, issues: issues, directory: directory, addresses: addresses, clock: clock),
            browser: ForgeBrowser(ring: ring, forge: remote, issues: issues, directory: directory),
            workspaces: WorkspaceService(
                configuration: .init(
                    ttl: 86_400, warningBytes: 1 << 40, criticalBytes: 1 << 41, interval: 600, runTTL: 60),
                tasks: store, store: workspaces, files: files, clock: clock,
                whileIdle: { _, body throws(CodeForgeError) in try body() }),
            publisher: publisher,
            mcp: MCPService(store: mcpServers, clock: clock),
            tools: ToolService(store: tools, clock: clock),
            workflows: workflowService(tasks, CredentialResolver(directory, ring: ring, secrets: secrets), directory),
            store: store,
            messaging: messaging,
            cliCatalogue: { [clis] in clis },
            defaultCLI: "claude-code",
            tokens: [APIRig.token],
            tokenStore: tokens,
            receipts: ReceiptLedger(store: store.receipts, clock: clock, lifetime: .seconds(86_400)),
            digest: { $0 },
            rateLimiter: rateLimit.map { InMemoryRateLimiter(limit: $0) },
            metricsText: { "# metrics\n" },
            isShuttingDown: { [isShuttingDown] in isShuttingDown },
            version: "1.2.3",
            startedAt: .now,
            maxBodyBytes: maxBodyBytes,
            docsAssets: docsAssets,
            corsOrigins: corsOrigins,
            metricsToken: metricsToken,
            clock: clock,
            tracer: tracer
        )
    }

    /// With a token of the service's own.
    private var publishingDirectory: ForgeDirectory {
        let api = forge?.githubAPI ?? "http://127.0.0.1:9"
        var tokens: [GitProvider: String] = [:]
        tokens[.github] = serviceToken
        return ForgeDirectory(githubAPIURL: api, gitlabAPIURL: api, sentryURL: api, tokens: tokens)
    }

    private func publisher(_ remote: RemoteForge, _ credentials: CredentialResolver) -> Publisher {
        let spawner = ReportingSpawner { [publishes] _ in publishes }
        var configuration = Publisher.Configuration(
            branchPrefix: "codeforge/", authorName: "Bot", authorEmail: "b@o", timeoutSeconds: 60, historyTTL: 60)
        configuration.reportGrace = .zero
        configuration.retries = []
        let planner = JobPlanner(
            configuration: .init(
                dataDirectory: "/data", workspaceBase: "/data/workspaces", imageRoot: "/image", shim: "/shim",
                defaultCLI: "shell", clis: [:], defaultTimeout: 1, maximumTimeout: 1, outputBytes: 1, lineBytes: 1,
                historyEntries: 1, profiles: .builtIn, requiredLayers: nil, anthropicURL: "https://a",
                openAIURL: "https://o", anthropicKey: nil, openAIKey: nil, allowPrivateHosts: [],
                allowedLocalRoots: [], redis: .init(url: "unix:///r", prefix: "p:")),
            store: store, secrets: secrets, credentials: credentials,
            mcp: MCPPlanner(servers: mcpServers, tools: tools),
            buildPrompt: { task, _, _ in task.prompt }, workspaceForm: { _ in nil })
        let publisher = Publisher(
            configuration: configuration, store: store, publications: InMemoryPublicationStore(), events: events,
            planner: planner, spawner: spawner, forge: remote, clock: clock, target: credentials.target(of:))
        spawner.connect { report in
            try? await publisher.apply(report)  // the store never fails
        }
        return publisher
    }
    var server: APIServer {
        APIServer(dependencies, requestLimit: requestLimit, ticker: ticker, readLimit: readLimit)
    }

    var application: some ApplicationProtocol {
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        return server.application(host: "127.0.0.1", port: 0, logger: logger)
    }

    /// Nothing runs.
    private func workflowService(
        _ tasks: TaskService, _ credentials: CredentialResolver, _ directory: ForgeDirectory
    ) -> WorkflowService {
        let parts = RunParts(
            workflows: workflows, runs: runs, events: events, tasks: tasks,
            record: WatchedTaskStore(store, cacheBytes: 0),
            credentials: credentials, directory: directory,
            makePullRequest: { _, _ throws(CodeForgeError) in throw CodeForgeError(.internal, "nothing runs") },
            transport: APIRig.transport, clock: clock)
        return WorkflowService(
            parts, RunRules(), runner: WorkflowRunner(parts, RunRules()),
            makeID: { UUID().uuidString.lowercased() })
    }

    /// Lets the clocks run ahead, again and again: a tick while a write is under way is none, and a client may have all
    /// of it before the server is done.
    func whileTicking<Result>(_ ahead: Duration, _ body: () async throws -> Result) async rethrows -> Result {
        let ticking = Task { [ticker] in
            while !Task.isCancelled {
                ticker.tick(.now + ahead)
                try? await Task.sleep(for: .milliseconds(20))  // cancelled: the loop ends
            }
        }
        defer { ticking.cancel() }
        return try await body()
    }

    /// A token on record.
    func token(_ name: String, _ role: TokenRole) async throws -> String {
        let text = APIToken.text(Array(repeating: UInt8(name.utf8.count), count: APIToken.randomBytes))
        try await tokens.insert(name: name, role: role, digest: Array(text.utf8), at: clock.now())
        return text
    }

    /// A task on record; `edit` changes it first.
    @discardableResult
    func insert(_ id: String, _ status: TaskStatus, _ edit: (inout CodeTask) -> Void = { _ in }) async throws
        -> CodeTask
    {
        var task = CodeTask(
            id: id,
            status: status,
            repoURL: "https://h.example/o/r.git",
            prompt: "do it",
            workspaceSlug: id,
            createdAt: clock.now()
        )
        edit(&task)
        try await store.insert(task)
        return task
    }
}

/// An answer, taken apart.
struct Answer {
    let status: Int
    let headers: HTTPFields
    let body: String

    init(_ response: TestResponse) {
        status = Int(response.status.code)
        headers = response.headers
        body = String(buffer: response.body)
    }

    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]) ?? [:]
    }

    func text(_ name: String) -> String? { json[name] as? String }
}

extension TestClientProtocol {
    func ask(
        _ method: HTTPRequest.Method,
        _ uri: String,
        _ body: String? = nil,
        token: String? = APIRig.token,
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if let token { headers[.authorization] = "Bearer " + token }
        return Answer(
            try await executeRequest(
                uri: uri,
                method: method,
                headers: headers,
                body: body.map { ByteBuffer(string: $0) }
            )
        )
    }
}
