package import Domain
import Logging
import ServiceLifecycle

/// Takes tasks from the queue, starts a supervisor for each, and notices when one is lost.
///
/// The record in `TaskStore` decides; the queue only says where to look. Supervisors outlive this process: the next
/// start adopts those that hold a lease and gives up those that do not.
package actor Scheduler: Service {
    package struct Configuration: Sendable {
        /// Supervisors at a time, ≥ 1.
        package var concurrency: Int
        /// Wait for running supervisors when stopping, instead of leaving them to the next start.
        package var drains: Bool
        /// How long an adopted run may be without a lease: longer than the lease's own life.
        package var leaseGrace: Duration
        /// How long the report of an ended supervisor may take to arrive: it was durable before the end.
        package var reportGrace: Duration
        /// Supervisors started for one run before it fails.
        package var maximumAttempts: Int
        /// Time between two looks at leases and forgotten tasks.
        package var checkInterval: Duration

        package init(
            concurrency: Int, drains: Bool = false, leaseGrace: Duration = .seconds(20),
            reportGrace: Duration = .seconds(3), maximumAttempts: Int = 2, checkInterval: Duration = .seconds(5)
        ) {
            self.concurrency = concurrency
            self.drains = drains
            self.leaseGrace = leaseGrace
            self.reportGrace = reportGrace
            self.maximumAttempts = maximumAttempts
            self.checkInterval = checkInterval
        }
    }

    /// A run that takes up a slot.
    private struct Run {
        var id: RunID
        /// Adopted runs are watched by their lease; our own children by their exit.
        var isAdopted: Bool
        var leaseSeen: ContinuousClock.Instant
    }

    private let configuration: Configuration
    private let store: any TaskStore
    private let workspaces: any WorkspaceStore
    private let queue: any TaskQueue
    private let link: any SupervisorLink
    private let planner: JobPlanner
    private let spawner: any SupervisorSpawner
    private let finalizer: RunFinalizer
    private let clock: any WallClock
    private let onLost: @Sendable () async -> Void
    private var runs: [String: Run] = [:]
    private var slotWaiters: [CheckedContinuation<Void, Never>] = []
    private var isStopping = false

    /// - Parameter onLost: Cleans up behind a supervisor that is gone, before anything takes its place: its sandbox could be
    ///   paused, and would not notice.
    package init(
        configuration: Configuration, store: any TaskStore, workspaces: any WorkspaceStore, queue: any TaskQueue,
        link: any SupervisorLink, planner: JobPlanner, spawner: any SupervisorSpawner, finalizer: RunFinalizer,
        clock: any WallClock, onLost: @escaping @Sendable () async -> Void = {}
    ) {
        self.configuration = configuration
        self.store = store
        self.workspaces = workspaces
        self.queue = queue
        self.link = link
        self.planner = planner
        self.spawner = spawner
        self.finalizer = finalizer
        self.clock = clock
        self.onLost = onLost
    }

    /// Runs until the service group stops; with `drains`, until the last supervisor ended.
    package func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.watch() }
                await self.work()
                group.cancelAll()
            }
        } onCancelOrGracefulShutdown: {
            Task { await self.stop() }  // an actor can only be reached from a task; it ends at once
        }
    }

    private func stop() {
        isStopping = true
        wakeWaiters()
    }

    /// Whether supervisors are still at work.
    package var hasRuns: Bool { !runs.isEmpty }

    // MARK: Taking tasks

    private func work() async {
        await adopt()
        var leftovers = await retrying { () throws(CodeForgeError) in try await self.queue.reclaim() } ?? []
        while !isStopping, !Task.isCancelled {
            await waitForSlot()
            if isStopping { break }
            if !leftovers.isEmpty {
                await take(leftovers.removeFirst())
                continue
            }
            let claim = await retrying { () throws(CodeForgeError) in
                try await self.queue.claim(wait: .seconds(1))
            }
            // A claim that arrives while stopping stays unacknowledged: the next start reclaims it.
            if let claim = claim ?? nil, !isStopping { await take(claim) }
        }
        while configuration.drains, !runs.isEmpty, !Task.isCancelled { await waitForSlot(all: true) }
    }

    /// Runs `body`; after a failure waits a moment and returns `nil`.
    private func retrying<T: Sendable>(_ body: () async throws(CodeForgeError) -> T) async -> T? {
        do throws(CodeForgeError) {
            return try await body()
        } catch {
            Logger.current.warning("queue not reached, trying again", metadata: ["error": "\(error)"])
            try? await Task.sleep(for: .milliseconds(500))  // cancelled: the caller's loop ends
            return nil
        }
    }

    private func take(_ claim: Claim) async {
        let now = clock.now()
        do throws(CodeForgeError) {
            let task = try await store.update(claim.taskID) { task throws(CodeForgeError) in
                guard task.status.isClaimable, !task.isUnderWay else {
                    throw CodeForgeError(.conflict, "stale queue entry")
                }
                guard task.hold == nil else { throw CodeForgeError(.conflict, "held back") }
                if task.status != .reviewing {
                    let next: TaskStatus = task.status == .pending ? .cloning : .running
                    try task.status.checkTransition(to: next)
                    task.status = next
                    task.startedAt = now  // a review leaves the times of what it looks at
                }
                task.attempt += 1
                return nil
            }
            try? await queue.acknowledge(claim)  // a repeated entry finds the task taken, and is skipped
            await start(task, at: now)
        } catch {
            if error.code == .conflict || error.code == .notFound {
                try? await queue.acknowledge(claim)  // stale; a repeated entry is skipped the same way
            } else {
                Logger.current.error("task not taken", metadata: ["task.id": "\(claim.taskID)", "error": "\(error)"])
                try? await Task.sleep(for: .milliseconds(500))  // the reconciler queues the task again
            }
        }
    }

    private func start(_ task: CodeTask, at time: Timestamp) async {
        let id = task.run
        runs[task.id] = Run(id: id, isAdopted: false, leaseSeen: .now)
        reportSlots()
        do throws(CodeForgeError) {
            let spec = try await planner.plan(task, startedAt: time)
            async let recorded: Void = record(spec, of: task)
            let handle = try await spawner.spawn(spec)
            await recorded
            Logger.current.info(
                "supervisor started",
                metadata: [
                    "task.id": "\(task.id)", "iteration": "\(task.iteration)", "pid": "\(handle.pid)",
                ].tracing(task.traceID))
            Task { await self.childEnded(id, how: await handle.waitForExit()) }  // ends with the child
        } catch {
            await give(up: id, failure: .sandbox, error: error.message, startedAt: time)
        }
    }

    /// Puts a workspace that is being made on record. It is not worth a run's failure: the sweeper finds it otherwise.
    private func record(_ spec: JobSpec, of task: CodeTask) async {
        guard case .clone = spec.source else { return }
        do throws(CodeForgeError) {
            try await workspaces.insert(
                Workspace(taskID: task.id, slug: task.workspaceSlug, createdAt: task.startedAt ?? clock.now()))
        } catch {
            Logger.current.warning(
                "workspace not recorded", metadata: ["task.id": "\(task.id)", "error": "\(error)"])
        }
    }

    /// Runs `body` while none of these tasks has a run here, nor gets one meanwhile.
    ///
    /// - Parameter body: Quick: everything waits for it.
    /// - Throws: `.conflict` when one has.
    package func whileIdle(
        _ taskIDs: [String], _ body: @Sendable () throws(CodeForgeError) -> Void
    ) throws(CodeForgeError) {
        for id in taskIDs where runs[id] != nil {
            throw CodeForgeError(.conflict, "task \(id) is running")
        }
        try body()
    }

    // MARK: Endings

    /// A report said that the run ended, and it is on record.
    package func ended(_ id: RunID) {
        guard runs[id.taskID]?.id == id else { return }
        runs[id.taskID] = nil
        reportSlots()
        wakeWaiters()
    }

    /// One of our children is gone. Its report, if it sent one, was durable before it ended and is on its way.
    private func childEnded(_ id: RunID, how: String) async {
        let end = ContinuousClock.now + configuration.reportGrace
        while runs[id.taskID]?.id == id, ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(50))  // never cancelled: the task is not part of a group
        }
        if runs[id.taskID]?.id == id { await lost(id, how: how) }
    }

    /// The run's supervisor is dead and left no report: try once more, then give up.
    private func lost(_ id: RunID, how: String) async {
        Logger.current.warning(
            "supervisor lost", metadata: ["task.id": "\(id.taskID)", "attempt": "\(id.attempt)", "how": "\(how)"])
        EngineMetrics.lost()
        await onLost()
        try? await link.dropLease(of: id)  // it expires by itself otherwise
        let now = clock.now()
        let most = configuration.maximumAttempts
        do throws(CodeForgeError) {
            let task = try await store.update(id.taskID) { task throws(CodeForgeError) in
                guard id.isCurrent(of: task), task.isUnderWay else {
                    throw CodeForgeError(.conflict, "the run ended meanwhile")
                }
                let tries = task.attempt - task.endedAttempt
                guard tries < most else {
                    throw CodeForgeError(.limited, "supervisor lost (\(how)) in attempt \(tries) of \(most)")
                }
                task.attempt += 1
                if task.status != .reviewing { task.startedAt = now }
                return nil
            }
            await start(task, at: now)
        } catch {
            if error.code == .conflict || error.code == .notFound {
                ended(id)
            } else if error.code == .limited {
                await give(up: id, failure: .lost, error: error.message)
            } else {
                runs[id.taskID]?.isAdopted = true  // the watch tries again
            }
        }
    }

    private func give(
        up id: RunID, failure: JobOutcome.Failure, error: String, startedAt: Timestamp? = nil
    ) async {
        var outcome = JobOutcome(failure: failure, error: error)
        outcome.startedAt = startedAt
        let report = JobReport(run: id, body: .finished(outcome), time: clock.now())
        do throws(CodeForgeError) {
            try await finalizer.apply(report)
            ended(id)
        } catch {
            Logger.current.error("end not recorded", metadata: ["task.id": "\(id.taskID)", "error": "\(error)"])
            runs[id.taskID]?.isAdopted = true  // the watch tries again
        }
    }

    // MARK: Watching

    /// Tasks that were running when an earlier server stopped take up their slots again.
    private func adopt() async {
        while !Task.isCancelled, !isStopping {
            let active = await retrying { () throws(CodeForgeError) in
                try await self.store.tasks(in: [.cloning, .running, .reviewing])
            }
            guard let active else { continue }
            for task in active where task.isUnderWay {
                runs[task.id] = Run(id: task.run, isAdopted: true, leaseSeen: .now)
            }
            reportSlots()
            return
        }
    }

    private func watch() async {
        var round = 0
        while !Task.isCancelled {
            await checkLeases()
            if round % 6 == 0 { await requeueForgotten() }
            round += 1
            if let depth = try? await queue.depth() { EngineMetrics.queue(depth: depth) }  // the gauge waits
            reportSlots()
            try? await Task.sleep(for: configuration.checkInterval)  // cancelled: the loop ends
        }
    }

    private func checkLeases() async {
        let adopted = runs.values.filter(\.isAdopted)
        guard !adopted.isEmpty, let leases = try? await link.leases(of: adopted.map(\.id.taskID)) else {
            return  // nobody can be judged while Redis is away
        }
        for run in adopted where runs[run.id.taskID]?.id == run.id {
            if leases[run.id.taskID] == run.id {
                runs[run.id.taskID]?.leaseSeen = .now
            } else if ContinuousClock.now - run.leaseSeen > configuration.leaseGrace {
                runs[run.id.taskID]?.leaseSeen = .now
                await lost(run.id, how: "no sign of life")
            }
        }
    }

    /// Queues waiting tasks that no queue entry names: Redis lost them, or the server died in between.
    private func requeueForgotten() async {
        guard let queued = try? await queue.contents(),  // next round
            let waiting = try? await store.waiting()
        else { return }
        for id in waiting where !queued.contains(id) && runs[id] == nil {
            try? await queue.enqueue(id)  // next round
        }
    }

    // MARK: Slots

    private func waitForSlot(all: Bool = false) async {
        while !Task.isCancelled, all ? !runs.isEmpty : runs.count >= configuration.concurrency && !isStopping {
            await withCheckedContinuation { slotWaiters.append($0) }
        }
    }

    private func wakeWaiters() {
        for waiter in slotWaiters { waiter.resume() }
        slotWaiters = []
    }

    private func reportSlots() {
        EngineMetrics.slots(active: runs.count, total: configuration.concurrency)
    }
}
