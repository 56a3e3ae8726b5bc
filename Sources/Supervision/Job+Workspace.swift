import Domain
import Gateway
import HostProcess
import Logging
import Sandboxing
import Workspaces

/// The workspace, before the CLI runs.
extension Job {
    func prepareWorkspace() async throws(JobFailure) {
        guard HostTree.isDirectory(spec.paths.image) else {
            throw JobFailure(
                .sandbox,
                "sandbox image not found at \(spec.paths.image): build it with `codeforge image build`")
        }
        try await disk.open(control)
        do throws(CodeForgeError) {
            try HostTree.make(parent(of: spec.paths.home))
            try WorkspaceOwner.current.makeDirectory(spec.paths.home)
        } catch {
            throw JobFailure(.workspace, "workspace failed: \(error.message)")
        }
        switch spec.source {
        case .clone(let clone):
            try await phases.measure(.clone, clock) { () throws(JobFailure) in try await self.clone(clone) }
        case .existing:
            guard HostTree.isDirectory(spec.paths.workspace), HostTree.isDirectory(spec.paths.gitDirectory) else {
                throw JobFailure(.workspace, spec.workspaceGone)
            }
            if let branch = spec.pullBranch { try await pull(branch) }
        }
    }

    private func clone(_ clone: JobSpec.CloneSpec) async throws(JobFailure) {
        emit(.git, "clone_started", ["repo_url": .string(RepositoryURL.masked(spec.repoURL))])
        guard let url = RepositoryURL(spec.repoURL), url.scheme != .other else {
            throw JobFailure(
                .clone, "clone failed: git clone failed: only http, https and file repositories can be cloned")
        }
        var request = SandboxRequest(
            id: sandboxID("clone"), profile: spec.gitProfile, image: spec.paths.image, workspace: spec.paths.workspace,
            arguments: [], environment: [:], workingDirectory: "/")
        let policy: GatewayPolicy?
        do throws(CodeForgeError) {
            // What a lost attempt left behind is of no use.
            for path in [spec.paths.workspace, spec.paths.gitDirectory] {
                try await HostTree.remove(path)
                try HostTree.make(parent(of: path))
                try WorkspaceOwner.current.makeDirectory(path)
            }
            if url.scheme == .file {
                let path = try LocalRepositories(roots: spec.allowedLocalRoots).resolve(url.path)
                request.binds = [try LocalRepositoryBind.make(source: path, target: url.path)]
                policy = nil
            } else {
                policy = try gitPolicy(url)
            }
        } catch {
            throw JobFailure(.clone, "clone failed: git clone failed: \(error.message)")
        }
        request.binds.append(gitDirectoryBind(isWritable: true))
        let script = GitScript.clone(url: url, spec: clone, gateway: policy == nil ? nil : SandboxRunner.gatewayURL)
        request.arguments = script.argv
        request.environment = script.environment
        let result = try await sandboxes.run(request, policy: policy) { output in
            _ = await PipeReader.collect(output, limit: 0, keepEnd: false, name: "clone")
        }
        guard result.exit.status == .exited(code: 0) else {
            let text = SafeText.line(
                result.standardError, limit: 2000,
                hiding: [spec.gateway.gitToken, url.password, spec.gateway.anthropicKey, spec.gateway.openAIKey])
            throw failure(
                .clone, result, "clone failed: git clone failed: \(text.isEmpty ? describe(result.exit) : text)")
        }
        emit(.git, "clone_completed", ["work_dir": .string(spec.paths.shownWorkspace)])
    }

    /// Most seconds of a run that a pull may take up.
    private static let pullSeconds = 60

    /// What can't be had is done without: the workspace is then as the last run left it.
    private func pull(_ branch: String) async throws(JobFailure) {
        guard let url = RepositoryURL(spec.repoURL), url.scheme == .http || url.scheme == .https,
            let policy = try? gitPolicy(url)  // its failure is none of the run
        else { return }
        let script = GitScript.pull(
            branch, from: url, gateway: SandboxRunner.gatewayURL, seconds: Job.pullSeconds)
        var request = SandboxRequest(
            id: sandboxID("pull"), profile: spec.gitProfile, image: spec.paths.image, workspace: spec.paths.workspace,
            arguments: script.argv, environment: script.environment, workingDirectory: "/")
        request.binds = [gitDirectoryBind(isWritable: true)]
        let text: String
        do throws(JobFailure) {
            let result = try await sandboxes.run(request, policy: policy) { output in
                _ = await PipeReader.collect(output, limit: 0, keepEnd: false, name: "pull")
            }
            guard result.exit.status != .exited(code: 0) else { return }
            text = SafeText.line(result.standardError, limit: 300, hiding: [spec.gateway.gitToken, url.password])
        } catch {
            text = error.message
        }
        if control.reason != nil { throw JobFailure(.cancelled, "") }
        Logger.current.info("branch not pulled", metadata: ["task.id": "\(spec.taskID)", "error": "\(text)"])
    }

    /// - Parameter allowPush: Only for a sandbox where nothing of the agent's runs.
    func gitPolicy(_ url: RepositoryURL, allowPush: Bool = false) throws(CodeForgeError) -> GatewayPolicy {
        var policy = GatewayPolicy(
            git: .init(
                repositoryURL: url.withoutCredentials, username: spec.gateway.gitUsername,
                token: spec.gateway.gitToken, allowPush: allowPush),
            addresses: try AddressRule(exceptions: spec.gateway.allowPrivateHosts))
        policy.limits = spec.gitProfile.gatewayLimits
        return policy
    }
}
