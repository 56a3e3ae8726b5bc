import CurlHTTP
import Domain
import Forges
import Synchronization
import TestKit
import Testing

@testable import Engine

/// The engine on in-memory twins, with supervisors that do what a test says.
struct EngineFixture: Sendable {
    let store: InMemoryTaskStore
    let workspaces: InMemoryWorkspaceStore
    let queue = InMemoryTaskQueue()
    let events = InMemoryEventLog()
    let secrets = InMemoryTaskSecretStore()
    let link = InMemorySupervisorLink()
    let reports = InMemoryReportLog()
    let audit = InMemoryAuditStore()
    let mcpServers = InMemoryMCPServerStore()
    let tools = InMemoryToolStore()
    let clock = ManualClock()
    let spawner = ScriptedSpawner()
    let keys = InMemoryKeyStore()

    var ring: KeyRing { KeyRing(store: keys, box: ReversingSecretBox()) }

    var credentials: CredentialResolver {
        CredentialResolver(
            ForgeDirectory(providerDomains: ["git.corp": .gitlab], tokens: [.github: "service-github"]), ring: ring,
            secrets: secrets)
    }

    init() {
        store = InMemoryTaskStore()
        workspaces = InMemoryWorkspaceStore(store)
    }

    var service: TaskService {
        let ids = Mutex(0)
        return TaskService(
            store: store, queue: queue, secrets: secrets, events: events, link: link, clock: clock,
            rules: TaskRules(
                registeredCLIs: ["claude-code", "codex", "shell"],
                makeID: {
                    ids.withLock {
                        $0 += 1
                        return "task-\($0)"
                    }
                }, isURL: URLRule.accepts))
    }

    /// Reaches nothing.
    var poster: ReviewPoster {
        ReviewPoster(
            forge: RemoteForge(CurlTransport(), addresses: .publicOnly), untrustedVerdicts: false)
    }

    /// - Parameter workspaces: Tasks whose workspace is there.
    func reviews(workspaces: Set<String> = ["t"]) -> ReviewService {
        ReviewService(
            store: store, queue: queue, secrets: secrets, events: events, reviewers: ["claude-code", "codex"],
            hasWorkspace: { workspaces.contains($0.id) }, poster: poster,
            destination: { _ throws(CodeForgeError) in throw CodeForgeError(.invalidArgument, "nowhere") })
    }

    var trail: AuditTrail { AuditTrail(store: audit, clock: clock, days: 30) }

    var finalizer: RunFinalizer { finalizer {} }

    func finalizer(postsUntrusted: Bool = true, onPosting: @escaping @Sendable () -> Void) -> RunFinalizer {
        RunFinalizer(
            store: store, workspaces: workspaces, events: events, secrets: secrets, queue: queue,
            cliName: { $0.config?.cli ?? "claude-code" }, clock: clock, historyTTL: 60, secretsTTL: 90,
            postsUntrusted: postsUntrusted,
            onPosting: onPosting)
    }

    func planner(workspaces: [String: WorkspaceForm] = [:], change: (inout JobPlanner.Configuration) -> Void = { _ in })
        -> JobPlanner
    {
        var configuration = JobPlanner.Configuration(
            dataDirectory: "/data", workspaceBase: "/data/workspaces", imageRoot: "/image", shim: "/shim",
            defaultCLI: "claude-code",
            clis: [
                "claude-code": .init(binary: "claude", defaultModel: "sonnet"),
                "codex": .init(binary: "codex", defaultModel: ""),
                "shell": .init(binary: "bash", defaultModel: "", canReview: false),
            ],
            defaultTimeout: 300, maximumTimeout: 1800, outputBytes: 1, lineBytes: 1, historyEntries: 1,
            profiles: .builtIn, requiredLayers: nil, anthropicURL: "https://a", openAIURL: "https://o",
            anthropicKey: "service-anthropic", openAIKey: "service-openai", allowPrivateHosts: [],
            allowedLocalRoots: [],
            redis: .init(url: "unix:///r", prefix: "p:"))
        change(&configuration)
        return JobPlanner(
            configuration: configuration, store: store, secrets: secrets, credentials: credentials,
            mcp: MCPPlanner(servers: mcpServers, tools: tools),
            buildPrompt: { task, _, history in "\(history.count):\(task.activePrompt)" },
            workspaceForm: { workspaces[$0] })
    }

    func scheduler(
        concurrency: Int = 2, forms: [String: WorkspaceForm] = [:], onLost: @escaping @Sendable () async -> Void = {}
    ) -> Scheduler {
        Scheduler(
            configuration: .init(
                concurrency: concurrency, leaseGrace: .milliseconds(200), reportGrace: .milliseconds(100),
                checkInterval: .milliseconds(20)),
            store: store, workspaces: workspaces, queue: queue, link: link, planner: planner(workspaces: forms),
            spawner: spawner, finalizer: finalizer, clock: clock, onLost: onLost)
    }

    /// A task on record in the given state.
    func task(_ id: String = "t", _ change: (inout CodeTask) -> Void = { _ in }) async throws -> CodeTask {
        var task = CodeTask(
            id: id, repoURL: "https://github.com/o/r.git", prompt: "do", workspaceSlug: "do-\(id)",
            createdAt: clock.now())
        change(&task)
        try await store.insert(task)
        return task
    }
}

/// Starts nothing; a test ends the "processes".
final class ScriptedSpawner: SupervisorSpawner {
    struct Handle: SupervisorHandle {
        let pid: Int32
        let exit: AsyncStream<String>
        func waitForExit() async -> String {
            for await how in exit { return how }
            return "never"
        }
    }

    private struct State {
        var specs: [JobSpec] = []
        var ends: [AsyncStream<String>.Continuation] = []
        var failure: CodeForgeError?
    }
    private let state = Mutex(State())

    var specs: [JobSpec] { state.withLock(\.specs) }
    func fail(with error: CodeForgeError) { state.withLock { $0.failure = error } }

    /// Ends the `index`th process.
    func end(_ index: Int, how: String) { state.withLock { _ = $0.ends[index].yield(how) } }

    func spawn(_ spec: JobSpec) async throws(CodeForgeError) -> any SupervisorHandle {
        let (stream, continuation) = AsyncStream<String>.makeStream()
        let failure = state.withLock { state in
            if state.failure == nil {
                state.specs.append(spec)
                state.ends.append(continuation)
            }
            return state.failure
        }
        if let failure { throw failure }
        return Handle(pid: Int32(specs.count), exit: stream)
    }
}

extension EngineFixture {
    /// Runs a scheduler and a projector while `body` works.
    func whileRunning(_ scheduler: Scheduler, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await scheduler.run() }
            group.addTask {
                try await Projector(
                    reports: reports, finalizer: finalizer, trail: trail, scheduler: scheduler,
                    applyPublishing: { _ in }
                ).run()
            }
            try await body()
            group.cancelAll()
        }
    }
}

/// Waits a few seconds at most.
func until(_ what: String, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<1000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("waited in vain: \(what)")
}
