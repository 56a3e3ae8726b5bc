package import Domain
import Logging
import ServiceLifecycle

/// Workspaces for clients, and their end: on request, by age, or when the disk fills.
package struct WorkspaceService: Service {
    package struct Configuration: Sendable {
        /// Seconds a workspace is kept.
        package var ttl: Int
        /// Bytes of all workspaces above which a warning is logged, or the oldest go.
        package var warningBytes: Int
        package var criticalBytes: Int
        /// Seconds between two sweeps, ≥ 1.
        package var interval: Int
        /// Seconds the state directory of an ended run is kept.
        package var runTTL: Int

        package init(ttl: Int, warningBytes: Int, criticalBytes: Int, interval: Int, runTTL: Int) {
            self.ttl = ttl
            self.warningBytes = warningBytes
            self.criticalBytes = criticalBytes
            self.interval = interval
            self.runTTL = runTTL
        }
    }

    /// Runs its body while none of the tasks runs, see `Scheduler.whileIdle`.
    package typealias IdleGuard =
        @Sendable (_ taskIDs: [String], _ body: @Sendable () throws(CodeForgeError) -> Void)
        async throws(CodeForgeError) -> Void

    package let configuration: Configuration
    private let tasks: any TaskStore
    private let store: any WorkspaceStore
    private let files: any WorkspaceFiles
    private let whileIdle: IdleGuard
    private let clock: any WallClock
    private let deleted = Waker()

    package init(
        configuration: Configuration, tasks: any TaskStore, store: any WorkspaceStore, files: any WorkspaceFiles,
        clock: any WallClock, whileIdle: @escaping IdleGuard
    ) {
        self.configuration = configuration
        self.tasks = tasks
        self.store = store
        self.files = files
        self.clock = clock
        self.whileIdle = whileIdle
    }

    // MARK: For clients

    package func list() async throws(CodeForgeError) -> [Workspace] { try await store.workspaces() }

    /// Bytes of all workspaces as last measured.
    package func recordedBytes() async throws(CodeForgeError) -> Int { try await store.bytes() }

    /// Deletes a workspace; its files are out of reach when this returns, and soon gone.
    ///
    /// - Throws: `.notFound`; `.conflict` while a task works in it.
    package func delete(_ taskID: String) async throws(CodeForgeError) {
        let conflict = CodeForgeError(.conflict, "cannot delete workspace for a running task")
        guard try await !inUse(by: TaskStatus.withSupervisor).contains(taskID) else { throw conflict }
        guard let workspace = try await store.workspace(of: taskID) else {
            throw CodeForgeError(.notFound, "workspace not found")
        }
        do throws(CodeForgeError) {
            try await remove(workspace)
        } catch {
            throw error.code == .conflict ? conflict : error
        }
        deleted.wake()
    }

    /// - Parameter iteration: `nil`: the latest that was measured.
    /// - Throws: `.notFound` for an unknown task, or when there is none.
    package func diff(ofTask id: String, iteration: Int?) async throws(CodeForgeError) -> WorkspaceDiff {
        if let diff = try await store.diff(of: id, iteration: iteration) { return diff }
        guard try await tasks.task(id) != nil else { throw TaskService.unknown(id) }
        let what = iteration.map { " for iteration \($0)" } ?? " yet"
        throw CodeForgeError(.notFound, "task \(id) has no diff\(what)")
    }

    /// What the last run in it left, whichever task's that was.
    ///
    /// - Throws: `.notFound` without a workspace, or when it was not measured yet.
    package func diff(ofWorkspace id: String) async throws(CodeForgeError) -> WorkspaceDiff {
        guard let workspace = try await store.workspace(of: id) else {
            throw CodeForgeError(.notFound, "workspace not found")
        }
        guard let task = workspace.measuredTask, let iteration = workspace.measuredIteration,
            let diff = try await store.diff(of: task, iteration: iteration)
        else { throw CodeForgeError(.notFound, "workspace of task \(id) has no diff yet") }
        return diff
    }

    // MARK: Sweeping

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { for await _ in deleted.wakes { await removeDiscarded() } }
                group.addTask { await sweepInRounds() }
            }
        }
    }

    private func sweepInRounds() async {
        let round = max(1, min(configuration.interval, configuration.runTTL))
        var sinceSweep = configuration.interval
        while !Task.isCancelled {
            if sinceSweep >= configuration.interval {
                await attempt("sweep workspaces") { () throws(CodeForgeError) in try await sweep() }
                sinceSweep = 0
            }
            await attempt("sweep run directories") { () throws(CodeForgeError) in try await sweepRuns() }
            await removeDiscarded()
            try? await Task.sleep(for: .seconds(round))  // cancelled: the loop ends
            sinceSweep += round
        }
    }

    private func removeDiscarded() async {
        await attempt("remove files") { () throws(CodeForgeError) in try await files.removeDiscarded() }
    }

    /// Removes what is expired or left over, then the oldest while there is too much.
    package func sweep() async throws(CodeForgeError) {
        let known = Set(try await store.workspaces().map(\.slug))
        for slug in try await files.slugs().subtracting(known) { try await store.adopt(slug: slug) }
        let busy = try await inUse(by: TaskStatus.withSupervisor.union([.pending, .awaitingInstruction]))
        // After `busy`: a workspace that appears later belongs to a task in it.
        let present = try await files.slugs()
        let now = clock.now()
        var kept: [(workspace: Workspace, bytes: Int)] = []
        for workspace in try await store.workspaces() {
            let isOver = now.seconds(since: workspace.createdAt) >= Double(configuration.ttl)
            if busy.contains(workspace.taskID) || (present.contains(workspace.slug) && !isOver) {
                kept.append((workspace, files.volumeBytes(of: workspace.slug) ?? workspace.bytes))
            } else {
                await sweep(workspace, isOver ? "expired" : "files are gone")
            }
        }
        await makeRoom(&kept, busy)
        try await sweepLeftovers(busy, now)
    }

    private func makeRoom(_ kept: inout [(workspace: Workspace, bytes: Int)], _ busy: Set<String>) async {
        var total = kept.reduce(0) { $0 + $1.bytes }
        for (workspace, bytes) in kept where total > configuration.criticalBytes && !busy.contains(workspace.taskID) {
            if await sweep(workspace, "disk threshold reached") { total -= bytes }
        }
        guard total > configuration.warningBytes else { return }
        Logger.current.warning(
            "workspaces take much space",
            metadata: ["bytes": "\(total)", "is_critical": "\(total > configuration.criticalBytes)"])
    }

    /// Git directories and homes of tasks that have no workspace of their own, or that nobody knows.
    private func sweepLeftovers(_ busy: Set<String>, _ now: Timestamp) async throws(CodeForgeError) {
        let owners = Set(try await store.workspaces().map(\.taskID))
        for id in try await files.taskIDs().subtracting(owners).subtracting(busy) {
            if let task = try await tasks.task(id), now.seconds(since: task.createdAt) < Double(configuration.ttl) {
                continue
            }
            await attempt("remove the files of task \(id)") { () throws(CodeForgeError) in
                try await whileIdle([id]) { () throws(CodeForgeError) in try files.discard(slug: nil, taskID: id) }
            }
        }
    }

    /// State directories are looked through whenever somebody asks for running sandboxes: those of ended runs go soon.
    package func sweepRuns() async throws(CodeForgeError) {
        for id in try await files.runs(unchangedFor: configuration.runTTL) {
            let status = try await tasks.task(id)?.status
            if let status, TaskStatus.withSupervisor.contains(status) { continue }
            await attempt("remove the run directory of task \(id)") { () throws(CodeForgeError) in
                try await whileIdle([id]) { () throws(CodeForgeError) in try files.discardRun(of: id) }
            }
        }
    }

    @discardableResult
    private func sweep(_ workspace: Workspace, _ reason: String) async -> Bool {
        await attempt("remove the workspace of task \(workspace.taskID)") { () throws(CodeForgeError) in
            try await remove(workspace)
            Logger.current.info(
                "workspace removed", metadata: ["task.id": "\(workspace.taskID)", "reason": "\(reason)"])
        }
    }

    /// Files first: what is on record without them is found by the next sweep.
    private func remove(_ workspace: Workspace) async throws(CodeForgeError) {
        let files = files
        try await whileIdle([workspace.taskID]) { () throws(CodeForgeError) in
            try files.discard(slug: workspace.slug, taskID: workspace.taskID)
        }
        try await store.remove(workspace.taskID)
    }

    /// Tasks whose workspaces are used by tasks in one of `statuses`: their own, and those they reuse.
    private func inUse(by statuses: Set<TaskStatus>) async throws(CodeForgeError) -> Set<String> {
        var ids: Set<String> = []
        for task in try await tasks.tasks(in: statuses) {
            ids.insert(task.id)
            if let other = task.config?.workspaceTaskID { ids.insert(other) }
        }
        return ids
    }

    /// One failure must not keep the others from their turn.
    @discardableResult
    private func attempt(_ what: String, _ body: () async throws(CodeForgeError) -> Void) async -> Bool {
        do throws(CodeForgeError) {
            try await body()
            return true
        } catch {
            Logger.current.warning("could not \(what)", metadata: ["error": "\(error)"])
            return false
        }
    }
}

extension TaskStatus {
    /// A supervisor works, or is about to work, on the task's files.
    package static let withSupervisor: Set<TaskStatus> = [.cloning, .running, .reviewing, .creatingPR]
}
