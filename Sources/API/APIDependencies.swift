package import Domain
package import Engine
package import Tracing
package import Workflows

/// What the HTTP face needs of the rest of the service.
package struct APIDependencies: Sendable {
    package var tasks: TaskService
    package var reviews: ReviewService
    package var webhooks: WebhookService
    package var sandboxes: SandboxService
    package var keys: KeyService
    package var browser: ForgeBrowser
    package var workspaces: WorkspaceService
    package var publisher: Publisher
    package var mcp: MCPService
    package var tools: ToolService
    package var workflows: WorkflowService
    /// Asked whether it works.
    package var store: any TaskStore
    /// Asked whether Redis answers.
    package var messaging: any HealthProbe
    /// The known CLIs, looked at anew for each call.
    package var cliCatalogue: @Sendable () async -> [CLIEntry]
    /// Name of the configured default CLI, known or not.
    package var defaultCLI: String
    /// Bearer tokens that may do everything; none is empty.
    package var tokens: [String]
    /// Further tokens.
    package var tokenStore: any TokenStore
    /// Answers to requests that named themselves.
    package var receipts: ReceiptLedger
    /// SHA-256.
    package var digest: @Sendable ([UInt8]) -> [UInt8]
    /// `nil`: task creation is not limited.
    package var rateLimiter: (any RateLimiter)?
    /// Prometheus' text.
    package var metricsText: @Sendable () -> String
    /// From now on `/ready` answers 503.
    package var isShuttingDown: @Sendable () -> Bool
    package var version: String
    /// When the process started, for the uptime.
    package var startedAt: ContinuousClock.Instant
    /// Longest request body.
    package var maxBodyBytes: Int
    /// Directory with `swagger-ui-bundle.js` and `swagger-ui.css`; empty: none.
    package var docsAssets: String
    /// Origins whose pages may call from a browser.
    package var corsOrigins: [String]
    /// Bearer token of `/metrics`; `nil`: none is asked for.
    package var metricsToken: String?
    package var clock: any WallClock
    /// `nil`: requests have no spans.
    package var tracer: (any Tracer)?

    package init(
        tasks: TaskService,
        reviews: ReviewService,
        webhooks: WebhookService,
        sandboxes: SandboxService,
        keys: KeyService,
        browser: ForgeBrowser,
        workspaces: WorkspaceService,
        publisher: Publisher,
        mcp: MCPService,
        tools: ToolService,
        workflows: WorkflowService,
        store: any TaskStore,
        messaging: any HealthProbe,
        cliCatalogue: @escaping @Sendable () async -> [CLIEntry],
        defaultCLI: String,
        tokens: [String],
        tokenStore: any TokenStore,
        receipts: ReceiptLedger,
        digest: @escaping @Sendable ([UInt8]) -> [UInt8],
        rateLimiter: (any RateLimiter)?,
        metricsText: @escaping @Sendable () -> String,
        isShuttingDown: @escaping @Sendable () -> Bool,
        version: String,
        startedAt: ContinuousClock.Instant,
        maxBodyBytes: Int = 2_097_152,
        docsAssets: String = "",
        corsOrigins: [String] = [],
        metricsToken: String? = nil,
        clock: any WallClock,
        tracer: (any Tracer)? = nil
    ) {
        self.tasks = tasks
        self.reviews = reviews
        self.webhooks = webhooks
        self.sandboxes = sandboxes
        self.keys = keys
        self.browser = browser
        self.workspaces = workspaces
        self.publisher = publisher
        self.mcp = mcp
        self.tools = tools
        self.workflows = workflows
        self.store = store
        self.messaging = messaging
        self.cliCatalogue = cliCatalogue
        self.defaultCLI = defaultCLI
        self.tokens = tokens.filter { !$0.isEmpty }
        self.tokenStore = tokenStore
        self.receipts = receipts
        self.digest = digest
        self.rateLimiter = rateLimiter
        self.metricsText = metricsText
        self.isShuttingDown = isShuttingDown
        self.version = version
        self.startedAt = startedAt
        self.maxBodyBytes = maxBodyBytes
        self.docsAssets = docsAssets
        self.corsOrigins = corsOrigins
        self.metricsToken = metricsToken
        self.clock = clock
        self.tracer = tracer
    }
}

/// One CLI as clients see it.
package struct CLIEntry: Sendable, Equatable {
    package var name: String
    /// As configured, not resolved.
    package var binaryPath: String
    package var defaultModel: String
    package var isAvailable: Bool
    package var isDefault: Bool

    package init(name: String, binaryPath: String, defaultModel: String, isAvailable: Bool, isDefault: Bool) {
        self.name = name
        self.binaryPath = binaryPath
        self.defaultModel = defaultModel
        self.isAvailable = isAvailable
        self.isDefault = isDefault
    }
}
