import Domain
import Gateway
import HostProcess
import Sandboxing
import Workspaces

/// Commit and push of what is in the workspace, for a pull request.
extension Job {
    /// Publishes, or only measures the changes when there is nothing to publish yet.
    func publish() async -> JobOutcome {
        do throws(JobFailure) {
            try await prepareWorkspace()
            guard let publication = spec.publication else {
                return JobOutcome(changes: try await measureChanges().summary)
            }
            return try await push(publication)
        } catch {
            return unpublished(error)
        }
    }

    /// One sandbox for both: the work tree is only read there, and nothing of it is run.
    private func push(_ publication: PublishSpec) async throws(JobFailure) -> JobOutcome {
        guard let url = RepositoryURL(spec.repoURL), url.scheme == .http || url.scheme == .https else {
            throw JobFailure(.workspace, "only http and https repositories can be pushed to")
        }
        let script = GitScript.publish(publication, to: url, gateway: SandboxRunner.gatewayURL)
        var profile = spec.gitProfile
        profile.workspace = .readOnly
        var request = SandboxRequest(
            id: sandboxID("publish"), profile: profile, image: spec.paths.image, workspace: spec.paths.workspace,
            arguments: script.argv, environment: script.environment, workingDirectory: "/")
        request.binds = [gitDirectoryBind(isWritable: true)]
        let output = ByteKeeper(limit: 4096, keepEnd: false)
        let policy: GatewayPolicy
        do throws(CodeForgeError) {
            policy = try gitPolicy(url, allowPush: true)
        } catch {
            throw JobFailure(.workspace, error.message)
        }
        let result = try await sandboxes.run(request, policy: policy) { descriptor in
            await PipeReader.read(descriptor, name: "publish") { output.add($0) }
        }
        if control.reason != nil { throw JobFailure(.cancelled, "") }
        guard result.exit.status == .exited(code: 0) else {
            let text = SafeText.line(
                result.standardError, limit: 1000, hiding: [spec.gateway.gitToken, url.password])
            throw failure(.workspace, result, text.isEmpty ? describe(result.exit) : text)
        }
        do throws(CodeForgeError) {
            var outcome = JobOutcome()
            outcome.pushed = try PushedBranch(printed: output.bytes)
            return outcome
        } catch {
            throw JobFailure(.workspace, error.message)
        }
    }

    private func unpublished(_ failure: JobFailure) -> JobOutcome {
        switch control.reason {
        case .timeout:
            let seconds = spec.limits.timeoutSeconds
            audit.hit(.wallClock, sandbox: control.stoppedSandbox, ["limit": .int(Int64(seconds))])
            return JobOutcome(
                failure: .timeout, error: "timed out after \(seconds)s (git.publish_timeout)", timeoutSeconds: seconds,
                limit: .wallClock)
        case .cancelled: return JobOutcome(failure: .cancelled, error: "canceled by user")
        case .limit(let limit, let text):
            audit.hit(limit, sandbox: control.stoppedSandbox, ["reason": .string(text)])
            return JobOutcome(failure: .limit, error: text, limit: limit)
        case .killed(let actor): return JobOutcome(failure: .sandbox, error: "sandbox killed by \(actor)")
        case nil:
            guard failure.limit == nil, let full = disk.failure() else {
                return JobOutcome(failure: failure.kind, error: failure.message, limit: failure.limit)
            }
            audit.hit(.disk, sandbox: sandboxID("publish"), ["reason": .string(full)])
            return JobOutcome(failure: .limit, error: full, limit: .disk)
        }
    }
}
