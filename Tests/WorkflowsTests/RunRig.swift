import CurlHTTP
import Domain
import Engine
import Foundation
import Synchronization
import TestKit
import Testing

@testable import Workflows

/// Runs on in-memory twins, with tasks that end as a test says, and a server to fetch from.
struct RunRig: Sendable {
    let workflows = InMemoryWorkflowStore()
    let runs = InMemoryWorkflowRunStore()
    let events = InMemoryEventLog()
    let queue = InMemoryTaskQueue()
    let secrets = InMemoryTaskSecretStore()
    let link = InMemorySupervisorLink()
    let keys = InMemoryKeyStore()
    let clock = ManualClock()
    let record = WatchedTaskStore(InMemoryTaskStore(), cacheBytes: 1 << 20)
    let server: LocalReceiver
    let played = Played()
    var rules = RunRules()
    static let transport = CurlTransport()

    /// What the rest of the service does.
    final class Played: Sendable {
        /// What becomes of a task; `nil`: it goes on.
        let outcome = Mutex<@Sendable (CodeTask) -> (TaskStatus, String)?>({ _ in (.completed, "done") })
        /// What becomes of a pull request.
        let pull = Mutex<@Sendable (CodeTask, Publisher.Draft) -> Result<Int, CodeForgeError>?>({ _, _ in .success(7) })
        let drafts = Mutex<[Publisher.Draft]>([])
        let lastRun = Mutex(0)
    }

    init(
        _ answer: @escaping @Sendable (LocalReceiver.Request, Int) -> LocalReceiver.Answer? = { _, _ in
            .init(body: #"{"title":"Broken","n":42,"deep":{"x":"y"}}"#)
        }
    ) throws {
        server = LocalReceiver(answering: answer)
        rules.addresses = try AddressRule(exceptions: [server.address])
        rules.fetchTimeout = .seconds(10)
    }

    var url: String { "http://" + server.address }

    var parts: RunParts {
        let ring = KeyRing(store: keys, box: ReversingSecretBox())
        let directory = ForgeDirectory(githubAPIURL: url + "/api/v3", sentryURL: url)
        let tasks = TaskService(
            store: record, queue: queue, secrets: secrets, events: events, link: link, clock: clock,
            rules: TaskRules(
                registeredCLIs: ["shell"],
                makeID: { [clock] in
                    clock.advance(by: .milliseconds(1))  // so that tasks have an order
                    return UUID().uuidString.lowercased()
                }, isURL: URLRule.accepts))
        return RunParts(
            workflows: workflows, runs: runs, events: events, tasks: tasks, record: record,
            credentials: CredentialResolver(directory, ring: ring, secrets: secrets), directory: directory,
            makePullRequest: { [record, played] id, draft throws(CodeForgeError) in
                guard let task = try await record.task(id) else { throw CodeForgeError(.notFound, "no task") }
                played.drafts.withLock { $0.append(draft) }
                guard let result = played.pull.withLock({ $0 })(task, draft) else {
                    try? await Task.sleep(for: .seconds(600))  // nobody waits that long
                    throw CodeForgeError(.internal, "never")
                }
                let number = try result.get()
                return try await record.update(id) { task throws(CodeForgeError) in
                    task.status = .prCreated
                    (task.prNumber, task.prURL, task.branch) = (number, "https://h/pull/\(number)", "cf/\(id)")
                    return nil
                }
            }, transport: RunRig.transport, clock: clock)
    }

    func service(_ runner: WorkflowRunner) -> WorkflowService {
        return WorkflowService(
            parts, rules, runner: runner,
            makeID: { [played] in
                played.lastRun.withLock {
                    $0 += 1
                    return "run-\($0)"
                }
            })
    }

    /// Runs the runner and what plays the tasks' scheduler while `body` works.
    func running(_ body: (WorkflowService, WorkflowRunner) async throws -> Void) async throws {
        let runner = WorkflowRunner(parts, rules)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await runner.run() }
            group.addTask { await playTasks() }
            do {
                try await body(service(runner), runner)
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
        }
    }

    private func playTasks() async {
        while !Task.isCancelled {
            guard let claim = try? await queue.claim(wait: .seconds(1)) else { continue }  // looks again
            try? await queue.acknowledge(claim)
            _ = try? await record.update(claim.taskID) { [played] task throws(CodeForgeError) in
                guard task.status == .pending else { throw CodeForgeError(.conflict, "stale") }
                task.status = .running
                task.attempt = 1
                if let (status, text) = played.outcome.withLock({ $0 })(task) { RunRig.end(&task, status, text) }
                return nil
            }
        }
    }

    static func end(_ task: inout CodeTask, _ status: TaskStatus, _ text: String) {
        task.status = status
        task.endedAttempt = task.attempt
        if status == .failed { task.error = text } else { task.result = text }
    }

    /// Ends a task that goes on.
    func end(_ id: String, _ status: TaskStatus, _ text: String) async throws {
        try await record.update(id) { task throws(CodeForgeError) in
            RunRig.end(&task, status, text)
            return nil
        }
    }

    // MARK: Workflows

    func step(_ name: String, _ type: String, _ config: JSONValue) -> WorkflowStep {
        WorkflowStep(name: name, type: type, config: config)
    }

    func fetch(_ name: String = "get", path: String = "/item", _ more: [String: JSONValue] = [:]) -> WorkflowStep {
        let config: [String: JSONValue] = [
            "url": .string(url + path), "outputs": ["title": "$.title", "n": "$.n", "none": "$.none"],
        ]
        return step(name, "fetch", .object(config.merging(more) { $1 }))
    }

    func task(_ name: String = "fix", _ more: [String: JSONValue] = [:]) -> WorkflowStep {
        let config: [String: JSONValue] = [
            "repo_url": "https://h.example/o/r.git", "prompt": "Fix it", "cli": "shell",
        ]
        return step(name, "task", .object(config.merging(more) { $1 }))
    }

    func action(_ name: String = "pr", _ more: [String: JSONValue] = [:]) -> WorkflowStep {
        let config: [String: JSONValue] = ["kind": "create_pr", "task_step_ref": "fix", "title": "fix: it"]
        return step(name, "action", .object(config.merging(more) { $1 }))
    }

    func add(
        _ steps: [WorkflowStep], _ parameters: [WorkflowParameter] = [], as name: String = "w"
    ) async throws {
        try await workflows.insert(
            Workflow(name: name, steps: steps, parameters: parameters, createdAt: clock.now()))
    }

    /// Run `r` on record as an earlier server left it.
    func left(
        _ steps: [WorkflowStep], params: [String: String] = [:], trace: TraceContext? = nil, records: [RunStep] = []
    ) async throws {
        let workflow = Workflow(name: "w", steps: steps, createdAt: clock.now())
        var run = WorkflowRun(id: "r", workflow: workflow, params: params, createdAt: clock.now())
        run.trace = trace
        try await runs.insert(run)
        let now = clock.now()
        for record in records {
            try await runs.update("r") { run throws(CodeForgeError) in
                run.status = .running
                run.startedAt = now
                return record
            }
        }
    }

    func record(
        _ index: Int, _ step: WorkflowStep, _ status: RunStep.Status = .running, task: String? = nil,
        result: [String: String] = [:]
    ) -> RunStep {
        var record = RunStep(runID: "r", index: index, name: step.name, type: step.type, startedAt: clock.now())
        record.status = status
        record.taskID = task
        record.result = result
        if status != .running { record.finishedAt = clock.now() }
        return record
    }

    // MARK: What came of it

    /// Names of the events of a run that went well.
    static let eventsOfThreeSteps = [
        "workflow_started", "step_started", "step_completed", "step_started", "step_completed", "step_started",
        "step_completed", "done",
    ]

    func finished(_ id: String) async throws -> WorkflowRun {
        try await eventually("the end of run \(id)") {
            guard let run = try await runs.run(id), run.status.isFinished else { return nil }
            // Its `done` comes after that.
            guard names(id).last == "done" else { return nil }
            return run
        }
    }

    func steps(_ id: String) async throws -> [RunStep] { try await runs.steps(of: id) }

    /// Names of a run's events, and of its end.
    func names(_ id: String) -> [String] { log(id).map { $0["event"]?.stringValue ?? "done" } }

    /// A run's events, and the data of its end.
    func log(_ id: String) -> [JSONValue] {
        events.entries(of: id).map { entry in
            switch entry.body {
            case .event(let json), .done(let json):
                (try? JSONDecoder().decode(JSONValue.self, from: Data(json))) ?? nil
            }
        }
    }

    func tasks() async throws -> [CodeTask] {
        try await record.list(status: nil, limit: 200, offset: 0).tasks.reversed()
    }
}
