package import Domain
package import Engine

/// What runs need of the rest of the service.
package struct RunParts: Sendable {
    package typealias MakePullRequest =
        @Sendable (_ taskID: String, _ draft: Publisher.Draft) async throws(CodeForgeError) -> CodeTask

    package var workflows: any WorkflowStore
    package var runs: any WorkflowRunStore
    package var events: any EventLog
    package var tasks: TaskService
    /// Asked how tasks are.
    package var record: WatchedTaskStore
    package var credentials: CredentialResolver
    package var directory: ForgeDirectory
    package var makePullRequest: MakePullRequest
    package var transport: any HTTPTransport
    package var clock: any WallClock

    package init(
        workflows: any WorkflowStore, runs: any WorkflowRunStore, events: any EventLog, tasks: TaskService,
        record: WatchedTaskStore, credentials: CredentialResolver, directory: ForgeDirectory,
        makePullRequest: @escaping MakePullRequest, transport: any HTTPTransport, clock: any WallClock
    ) {
        self.workflows = workflows
        self.runs = runs
        self.events = events
        self.tasks = tasks
        self.record = record
        self.credentials = credentials
        self.directory = directory
        self.makePullRequest = makePullRequest
        self.transport = transport
        self.clock = clock
    }
}

/// How runs are carried out.
package struct RunRules: Sendable {
    /// Runs at a time, ≥ 1.
    package var concurrency: Int
    /// Seconds a run may take, from its start to its end.
    package var maximumSeconds: Int
    /// Seconds the events of a run stay after its end.
    package var historyTTL: Int
    /// Time one request of a fetch step may take, from the name's lookup to the last byte.
    package var fetchTimeout: Duration
    /// Where fetch steps may go.
    package var addresses: AddressRule
    /// Time between two looks at what a wake may have been missed of.
    package var pollInterval: Duration = .seconds(10)

    package init(
        concurrency: Int = 4, maximumSeconds: Int = 7200, historyTTL: Int = 86_400,
        fetchTimeout: Duration = .seconds(30), addresses: AddressRule = .publicOnly
    ) {
        self.concurrency = concurrency
        self.maximumSeconds = maximumSeconds
        self.historyTTL = historyTTL
        self.fetchTimeout = fetchTimeout
        self.addresses = addresses
    }
}
