package import Domain

/// Turns a task into the job its supervisor gets.
package struct JobPlanner: Sendable {
    /// A CLI as configured.
    package struct CLI: Sendable {
        package var binary: String
        package var defaultModel: String
        /// Whether it understands prose: a script can't review.
        package var canReview: Bool

        package init(binary: String, defaultModel: String, canReview: Bool = true) {
            self.binary = binary
            self.defaultModel = defaultModel
            self.canReview = canReview
        }
    }

    package struct Configuration: Sendable {
        package var dataDirectory: String
        package var workspaceBase: String
        package var imageRoot: String
        package var shim: String
        package var defaultCLI: String
        package var clis: [String: CLI]
        /// Seconds; `config.timeout_seconds` ≤ 0 or absent takes the first, the second caps.
        package var defaultTimeout: Int
        package var maximumTimeout: Int
        package var outputBytes: Int
        package var lineBytes: Int
        package var historyEntries: Int
        package var profiles: ProfileCatalog
        package var watchdogs = JobSpec.Watchdogs()
        package var auditRecords = 5000
        package var diffBytes = 1 << 20
        package var requiredLayers: [String]?
        /// See `JobSpec.allowMissing`.
        package var allowMissing: [String]?
        /// Form of new workspaces; an existing one keeps its own.
        package var disk: WorkspaceForm = .volume
        package var anthropicURL: String
        package var openAIURL: String
        /// Keys of the service itself, for tasks that bring none.
        package var anthropicKey: String?
        package var openAIKey: String?
        package var allowPrivateHosts: [String]
        package var allowedLocalRoots: [String]
        package var redis: JobSpec.Redis

        package init(
            dataDirectory: String, workspaceBase: String, imageRoot: String, shim: String, defaultCLI: String,
            clis: [String: CLI], defaultTimeout: Int, maximumTimeout: Int, outputBytes: Int, lineBytes: Int,
            historyEntries: Int, profiles: ProfileCatalog, requiredLayers: [String]?, anthropicURL: String,
            openAIURL: String, anthropicKey: String?, openAIKey: String?, allowPrivateHosts: [String],
            allowedLocalRoots: [String],
            redis: JobSpec.Redis
        ) {
            self.dataDirectory = dataDirectory
            self.workspaceBase = workspaceBase
            self.imageRoot = imageRoot
            self.shim = shim
            self.defaultCLI = defaultCLI
            self.clis = clis
            self.defaultTimeout = defaultTimeout
            self.maximumTimeout = maximumTimeout
            self.outputBytes = outputBytes
            self.lineBytes = lineBytes
            self.historyEntries = historyEntries
            self.profiles = profiles
            self.requiredLayers = requiredLayers
            self.anthropicURL = anthropicURL
            self.openAIURL = openAIURL
            self.anthropicKey = anthropicKey
            self.openAIKey = openAIKey
            self.allowPrivateHosts = allowPrivateHosts
            self.allowedLocalRoots = allowedLocalRoots
            self.redis = redis
        }
    }

    /// Builds the text the CLI gets: task-type template, the history before a follow-up, or for a task that is
    /// `reviewing` the request for a review.
    package typealias PromptBuilder = @Sendable (_ task: CodeTask, _ cli: String, _ history: [Iteration]) -> String

    package let configuration: Configuration
    private let store: any TaskStore
    let secrets: any TaskSecretStore
    private let credentials: CredentialResolver
    private let mcp: MCPPlanner
    private let buildPrompt: PromptBuilder
    let workspaceForm: @Sendable (String) -> WorkspaceForm?

    package init(
        configuration: Configuration, store: any TaskStore, secrets: any TaskSecretStore,
        credentials: CredentialResolver, mcp: MCPPlanner, buildPrompt: @escaping PromptBuilder,
        workspaceForm: @escaping @Sendable (String) -> WorkspaceForm?
    ) {
        self.configuration = configuration
        self.store = store
        self.secrets = secrets
        self.credentials = credentials
        self.mcp = mcp
        self.buildPrompt = buildPrompt
        self.workspaceForm = workspaceForm
    }

    /// Plans the run a task is in: its `iteration` and `attempt` are set.
    ///
    /// - Parameter startedAt: When the worker took it up; `nil`: what the record says, which is not so for a review.
    package func plan(_ task: CodeTask, startedAt: Timestamp? = nil) async throws(CodeForgeError) -> JobSpec {
        var spec = task.status == .reviewing ? try await planReview(task) : try await planTask(task)
        if let startedAt { spec.startedAt = startedAt }
        return spec
    }

    private func planTask(_ task: CodeTask) async throws(CodeForgeError) -> JobSpec {
        let secrets = try await secrets.secrets(of: task.id)
        let cli = cliName(of: task)
        guard let settings = configuration.clis[cli] else {
            throw CodeForgeError(
                .invalidArgument, "CLI execution failed: resolving CLI runner: unknown CLI: \(cli)")
        }
        let owner = try await workspaceOwner(of: task)
        let resumes = task.iteration > 1 && task.sessionID != nil && task.sessionCLI == cli
        let prompt: String
        if resumes {
            prompt = task.activePrompt
        } else {
            prompt = buildPrompt(task, cli, task.iteration > 1 ? try await store.iterations(of: task.id) : [])
        }
        let config = task.config
        let profile = profile(of: task, workspaceOf: owner)
        var spec = try await spec(
            of: task, source: try await source(of: task, reusing: owner.id != task.id), profile: profile,
            paths: paths(of: task, workspaceOf: owner, isNew: owner.id == task.id && task.iteration == 1),
            agent: JobSpec.Agent(
                name: cli, binary: settings.binary, model: firstFilled(config?.aiModel, settings.defaultModel),
                maxTurns: config?.maxTurns.flatMap { $0 > 0 ? $0 : nil },
                maxBudgetUSD: config?.maxBudgetUSD.flatMap { $0 > 0 ? $0 : nil },
                sessionID: resumes ? task.sessionID : nil, prompt: prompt),
            secrets: secrets)
        spec.agent.sessionUsage = resumes ? task.sessionUsage : nil
        // Others may have pushed to the branch of its pull request since.
        if task.iteration > 1, spec.source == .existing { spec.pullBranch = task.branch?.filled }
        spec.mcp = await mcp.plan(config, secrets)
        spec.answersReview = task.type.isReview
        spec.isUntrusted = isUntrusted(task, workspaceOf: owner) || profile.name == SandboxProfile.untrusted.name
        return spec
    }

    /// The review of what a task did: in its workspace, which it may only read, and a conversation of its own. Limits
    /// of turns and budget, tools and MCP servers are the task's alone.
    private func planReview(_ task: CodeTask) async throws(CodeForgeError) -> JobSpec {
        let cli = reviewCLI(of: task)
        guard let settings = configuration.clis[cli] else {
            throw CodeForgeError(
                .invalidArgument, "review CLI execution failed: resolving CLI runner: unknown CLI: \(cli)")
        }
        guard let owner = try await keptWorkspace(of: task) else {
            throw CodeForgeError(.notFound, JobPlanner.noWorkspace(of: task))
        }
        let own = profile(of: task, workspaceOf: owner)
        let isUntrusted = isUntrusted(task, workspaceOf: owner) || own.name == SandboxProfile.untrusted.name
        var profile = own
        if !isUntrusted {
            profile = configuration.profiles.profile(
                type: .review, repository: owner.repoURL, key: task.providerKey, isUntrusted: false)
        }
        profile.workspace = .readOnly
        var spec = try await spec(
            of: task, source: .existing, profile: profile, paths: paths(of: task, workspaceOf: owner, isNew: false),
            agent: JobSpec.Agent(
                name: cli, binary: settings.binary,
                model: firstFilled(task.reviewModel, task.config?.aiModel, settings.defaultModel),
                prompt: buildPrompt(task, cli, [])),
            secrets: try await secrets.secrets(of: task.id))
        spec.answersReview = true
        spec.isUntrusted = isUntrusted
        return spec
    }

    static func noWorkspace(of task: CodeTask) -> String {
        "workspace not found for review of task \(task.id): it was deleted"
    }

    /// What all runs have in common.
    private func spec(
        of task: CodeTask, source: JobSpec.Source, profile: SandboxProfile, paths: JobSpec.Paths, agent: JobSpec.Agent,
        secrets: TaskSecrets
    ) async throws(CodeForgeError) -> JobSpec {
        var limits = JobSpec.Limits(
            timeoutSeconds: timeout(of: task), outputBytes: configuration.outputBytes,
            lineBytes: configuration.lineBytes, historyEntries: configuration.historyEntries)
        let profile = demanding(profile)
        limits.watchdogs = configuration.watchdogs.shortened(by: profile.watchdogs)
        limits.auditRecords = configuration.auditRecords
        limits.diffBytes = configuration.diffBytes
        let run = task.run
        var spec = JobSpec(
            taskID: task.id, iteration: run.iteration, attempt: run.attempt, purpose: run.purpose,
            repoURL: task.repoURL, source: source, profile: profile,
            gitProfile: demanding(configuration.profiles.git), requiredLayers: configuration.requiredLayers,
            paths: paths, agent: agent, gateway: try await gateway(of: task, cli: agent.name, secrets: secrets),
            limits: limits,
            redis: configuration.redis, allowedLocalRoots: configuration.allowedLocalRoots,
            startedAt: task.startedAt ?? task.createdAt)
        spec.traceParent = RunTracing.parentOfCLI(task, spec.run)
        spec.firstAttempt = task.endedAttempt + 1
        spec.allowMissing = configuration.allowMissing
        return spec
    }

    private func firstFilled(_ texts: String?...) -> String? {
        for case let text? in texts where !text.isEmpty { return text }
        return nil
    }

    /// The effective profile, with everything that decides over it.
    ///
    /// A pull request somebody vouches for gets what other reviews get.
    private func profile(of task: CodeTask, workspaceOf owner: CodeTask) -> SandboxProfile {
        let isUntrusted = isUntrusted(task, workspaceOf: owner)
        return configuration.profiles.profile(
            type: task.type == .prReview && !isUntrusted ? .review : task.type, repository: owner.repoURL,
            key: task.providerKey, isUntrusted: isUntrusted)
    }

    /// Code of a pull request is untrusted unless the forge was asked and said otherwise. So is a workspace that such a
    /// pull request's review has left.
    private func isUntrusted(_ task: CodeTask, workspaceOf owner: CodeTask) -> Bool {
        [task, owner].contains { $0.type == .prReview && $0.trust != .trusted }
    }

    /// Plain directories are a choice: then no profile demands what they lack.
    func demanding(_ profile: SandboxProfile) -> SandboxProfile {
        guard configuration.disk == .directory else { return profile }
        var profile = profile
        profile.required.remove(.diskLimit)
        return profile
    }

    /// The CLI a task runs with: its own choice or the configured default.
    package func cliName(of task: CodeTask) -> String {
        if let cli = task.config?.cli, !cli.isEmpty { return cli }
        return configuration.defaultCLI
    }

    /// The CLI of a task's review: as asked for, else the task's own, else the default. A script can't review.
    private func reviewCLI(of task: CodeTask) -> String {
        if let asked = task.reviewCLI, !asked.isEmpty { return asked }
        let own = cliName(of: task)
        return configuration.clis[own]?.canReview == false ? "claude-code" : own
    }

    /// The task whose workspace holds what this one did: itself, else the one named by `workspace_task_id`.
    ///
    /// - Returns: `nil` when it is gone.
    package func keptWorkspace(of task: CodeTask) async throws(CodeForgeError) -> CodeTask? {
        if workspaceForm(workspacePath(of: task)) != nil { return task }
        let owner = try await workspaceOwner(of: task)
        return owner.id == task.id ? nil : owner
    }

    /// The task whose workspace is used: the one named by `workspace_task_id` while its workspace exists, else itself.
    func workspaceOwner(of task: CodeTask) async throws(CodeForgeError) -> CodeTask {
        guard let id = task.config?.workspaceTaskID, !id.isEmpty, id != task.id,
            let other = try await store.task(id), workspaceForm(workspacePath(of: other)) != nil
        else { return task }
        return other
    }

    func workspacePath(of task: CodeTask) -> String {
        configuration.workspaceBase + "/" + task.workspaceSlug
    }

    private func source(of task: CodeTask, reusing: Bool) async throws(CodeForgeError) -> JobSpec.Source {
        if reusing || task.iteration > 1 { return .existing }
        let config = task.config
        guard task.type == .prReview, let number = config?.prNumber else {
            return .clone(.init(branch: config?.sourceBranch?.filled ?? config?.targetBranch?.filled))
        }
        return .clone(
            .init(
                branch: config?.targetBranch?.filled ?? "main", pullRequest: number,
                pullRequestRef: (try await credentials.provider(of: task) ?? .github).pullRequestRef(number),
                expectedHead: task.headSHA))
    }

    /// The one place that says where a task's files are.
    func paths(of task: CodeTask, workspaceOf owner: CodeTask, isNew: Bool) -> JobSpec.Paths {
        let root = configuration.dataDirectory
        let workspace = workspacePath(of: owner)
        var paths = JobSpec.Paths(
            workspace: workspace, gitDirectory: "\(root)/git/\(owner.id)", home: "\(root)/homes/\(task.id)",
            state: "\(root)/runs/\(task.id)", image: configuration.imageRoot, shim: configuration.shim)
        let form = isNew ? configuration.disk : workspaceForm(workspace) ?? configuration.disk
        if form == .volume {
            paths.volume = workspace + WorkspaceForm.volumeSuffix
            paths.workspace = paths.mount + "/workspace"
            paths.gitDirectory = paths.mount + "/git"
            paths.home = "\(paths.mount)/homes/\(task.id)"
        }
        return paths
    }

    func gateway(
        of task: CodeTask, cli: String, secrets: TaskSecrets
    ) async throws(CodeForgeError) -> JobSpec.Gateway {
        let credential = try await credentials.git(for: task, secrets: secrets)
        return JobSpec.Gateway(
            anthropicURL: configuration.anthropicURL,
            anthropicKey: cli == "claude-code" ? secrets.aiAPIKey ?? configuration.anthropicKey : nil,
            openAIURL: configuration.openAIURL,
            openAIKey: cli == "codex" ? secrets.aiAPIKey ?? configuration.openAIKey : nil,
            gitUsername: credential?.user, gitToken: credential?.token,
            allowPrivateHosts: configuration.allowPrivateHosts)
    }

    private func timeout(of task: CodeTask) -> Int {
        let asked = task.config?.timeoutSeconds ?? 0
        return min(asked > 0 ? asked : configuration.defaultTimeout, configuration.maximumTimeout)
    }
}
