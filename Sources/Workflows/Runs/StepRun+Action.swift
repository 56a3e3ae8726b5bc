import Domain
import Engine

/// Makes a pull request of what an earlier step's task changed. May be repeated: there is one pull request in the end.
extension StepRun {
    /// Longest title in bytes of UTF-8, and what is left of a longer one before the dots.
    private static let titleBytes = (most: 72, kept: 69)

    mutating func act() async throws(StepFailure) -> [String: String] {
        let config = try StepRun.read { () throws(CodeForgeError) in try ActionConfig(step) }
        let id = try task(of: config.taskStepRef, "task_step_ref")
        var title = try render(config.title ?? "", "title")
        if title.utf8.count > StepRun.titleBytes.most {
            title = Truncation.start(of: title, utf8: StepRun.titleBytes.kept) + "..."
        }
        let draft = Publisher.Draft(
            title: title, description: try render(config.description ?? "", "description"),
            targetBranch: renderIfAny(config.targetBranch))
        try await assign(id)
        let task = try await pullRequest(of: id, draft)
        return [
            "pr_url": task.prURL ?? "", "pr_number": task.prNumber.map { String($0) } ?? "",
            "branch": task.branch ?? "",
        ]
    }

    private func pullRequest(of id: String, _ draft: Publisher.Draft) async throws(StepFailure) -> CodeTask {
        while true {
            // Whoever makes one, an earlier server or a client: it is waited for.
            let task = try await settled(id) { $0.status != .creatingPR }
            if task.status == .prCreated { return task }
            if task.status == .failed { throw .failed(task.error ?? "task \(id) failed") }
            do throws(CodeForgeError) {
                return try await made(id, draft)
            } catch {
                if Task.isCancelled { throw .interrupted }
                guard error.code == .conflict, try await settled(id, { _ in true }).status == .creatingPR else {
                    throw StepFailure(error)
                }
            }
        }
    }

    /// Stops waiting when the run is stopped; the pull request is then made all the same.
    private func made(_ id: String, _ draft: Publisher.Draft) async throws(CodeForgeError) -> CodeTask {
        let (results, source) = AsyncStream<Result<CodeTask, CodeForgeError>>.makeStream()
        let make = parts.makePullRequest
        Task {  // ends with the pull request
            do throws(CodeForgeError) {
                source.yield(.success(try await make(id, draft)))
            } catch {
                source.yield(.failure(error))
            }
            source.finish()
        }
        for await result in results { return try result.get() }
        throw CodeForgeError(.cancelled, "nobody waits for the pull request of task \(id)")
    }
}
