import Domain
import Logging
import ServiceLifecycle

extension Publisher: Service {
    /// Takes up what an earlier server left, and what this one had to leave because the record was away.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                var wait = self.configuration.resumeInterval
                do throws(CodeForgeError) {
                    try await self.resume()
                } catch {
                    Logger.current.warning("publications not resumed, trying again", metadata: ["error": "\(error)"])
                    wait = min(wait, .milliseconds(500))
                }
                try? await Task.sleep(for: wait)  // cancelled: the loop ends
            }
        }
    }

    func resume() async throws(CodeForgeError) {
        // In this order: a task gets its status after its publication.
        let inTheMaking = try await store.tasks(in: [.creatingPR]).map(\.id)
        let open = try await publications.open()
        for publication in open where !busy.contains(publication.taskID) {
            let task = try await store.task(publication.taskID)
            switch task?.status {
            case .creatingPR?:
                // Read again: a supervisor that outlived a server may have reported its push just now.
                guard let task, let latest = try await publications.latest(of: task.id),
                    latest.number == publication.number
                else { break }
                guard latest.state.isOpen, busy.insert(task.id).inserted else { continue }
                // Not the service's own task: it outlasts a stop as long as the process does.
                Task { await self.resume(task, latest) }
                continue
            case .prCreated?, .failed?:
                if let task { await tell(task, publication) }
            default: break
            }
            // Somebody may have begun meanwhile, or be at its end: then it is theirs.
            guard !busy.contains(publication.taskID) else { continue }
            try await close(publication, task?.status == .prCreated ? .created : .failed)
        }
        for id in inTheMaking where !busy.contains(id) {
            if let latest = try await publications.latest(of: id), latest.state.isOpen { continue }
            let publication = Publication(
                taskID: id, iteration: 0, title: "", description: "", base: "", branch: "", createdAt: clock.now())
            try await fail(publication, "it was interrupted before it began")
        }
    }

    private func resume(_ task: CodeTask, _ publication: Publication) async {
        Logger.current.notice("publication resumed", metadata: ["task.id": "\(task.id)"])
        defer { busy.remove(task.id) }
        do throws(CodeForgeError) {
            _ = try await publish(task, publication, isResumed: true)
        } catch {
            Logger.current.warning("publication failed", metadata: ["task.id": "\(task.id)", "error": "\(error)"])
        }
    }
}
