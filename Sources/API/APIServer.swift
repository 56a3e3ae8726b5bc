import Domain
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import Tracing

/// The HTTP face of the service.
package struct APIServer: Sendable {
    /// Every operation, in the order of the documentation.
    package let routes: [Route]
    /// Runs with the server; `application` includes it.
    package let ticker: Ticker

    let access: BearerAccess
    private let budget: TimeBudget
    private let tracer: (any Tracer)?
    private let corsOrigins: Set<String>
    private let readLimit: TimeAmount
    private let clock: any WallClock

    /// Time a request may take, as the reference implementation has it.
    static let requestLimit: Duration = .seconds(60)
    /// Likewise the time a client may take to send a request.
    static let readLimit: TimeAmount = .seconds(15)

    package init(_ dependencies: APIDependencies) {
        self.init(dependencies, requestLimit: APIServer.requestLimit, ticker: Ticker())
    }

    init(
        _ dependencies: APIDependencies, requestLimit: Duration, ticker: Ticker,
        readLimit: TimeAmount = APIServer.readLimit
    ) {
        self.ticker = ticker
        self.readLimit = readLimit
        clock = dependencies.clock
        corsOrigins = Set(dependencies.corsOrigins)
        tracer = dependencies.tracer
        access = BearerAccess(
            tokens: dependencies.tokens, store: dependencies.tokenStore, digest: dependencies.digest)
        budget = TimeBudget(ticker: ticker, limit: requestLimit)
        let listed =
            SystemRoutes(dependencies).routes + TaskRoutes(dependencies, ticker: ticker).routes
            + PullRequestRoutes(dependencies).routes + WorkspaceRoutes(dependencies).routes
            + SandboxRoutes(dependencies, ticker: ticker).routes
            + CLIRoutes(dependencies).routes + ReviewRoutes(dependencies).routes
            + KeyRoutes(dependencies).routes + ForgeRoutes(dependencies).routes
            + MCPRoutes(dependencies).routes + ToolRoutes(dependencies).routes
            + WorkflowRoutes(dependencies).routes + WorkflowRunRoutes(dependencies, ticker: ticker).routes
            + WebhookRoutes(dependencies).routes
        routes = listed + DocsRoutes(assets: dependencies.docsAssets, described: listed).routes
    }

    /// The application, to be run as a service.
    ///
    /// - Parameters:
    ///   - port: 0 takes a free one.
    ///   - onRunning: Called with the port in use.
    package func application(
        host: String,
        port: Int,
        logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        let responder = router().buildResponder()
        let requests = RequestTasks(responder, clock: clock, logger: logger)
        let readLimit = readLimit
        return Application(
            responder: responder,
            server: HTTPServerBuilder { _ in
                APIChannel(responder: requests.answer, idleTimeout: .seconds(60), readLimit: readLimit)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                serverName: nil,
                backlog: 1024
            ),
            services: [ticker],
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? port) },
            logger: logger
        )
    }

    func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self, options: [.autoGenerateHeadEndpoints])
        if !corsOrigins.isEmpty { router.add(middleware: CORSMiddleware(origins: corsOrigins)) }
        if let tracer {
            let exempt = RouteIndex(routes.filter(TracingMiddleware.isExempt))
            router.add(middleware: TracingMiddleware(tracer: tracer, exempt: exempt))
        }
        router.add(
            middleware: EdgeMiddleware(access: access, index: RouteIndex(routes), metrics: HTTPMetrics())
        )
        for route in routes { router.on(RouterPath(route.path), method: route.method, use: guarded(route)) }
        return router
    }

    /// Access is checked here, beside the handler: however a path was written to get to it, it can't be got around.
    func guarded(_ route: Route) -> Route.Handler {
        let access = access
        let budget = budget
        let handler = route.handler
        return { request, context in
            var context = context
            if let role = route.access.role {
                let caller = try await access.authenticate(request.headers)
                guard caller.role >= role else { throw HTTPFailure.forbidden(caller.role, needs: role) }
                context.caller = caller
            }
            guard route.isLimited else { return try await handler(request, context) }
            let executor = EventLoopExecutor(context.channel.eventLoop)
            return try await budget.run(on: executor) { [context] in try await handler(request, context) }
        }
    }
}
