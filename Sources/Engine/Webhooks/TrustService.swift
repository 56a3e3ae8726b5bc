package import Domain
import Logging
import ServiceLifecycle
import Synchronization

/// Finds out whether somebody vouches for the code of a pull request, before its review may run.
///
/// The task is held back until then, on record: what a stopped server left is taken up by the next. The forge is asked
/// with the task's own credentials; whatever it can't be asked, or does not know, is untrusted.
package final class TrustService: Service {
    private let store: any TaskStore
    private let queue: any TaskQueue
    private let events: any EventLog
    private let credentials: CredentialResolver
    private let forge: any Forge
    private let policy: UntrustedPolicy
    private let clock: any WallClock
    private let unrun: UnrunTasks
    private let waiting = Mutex<Set<String>>([])
    private let waker = Waker()

    package init(
        store: any TaskStore, queue: any TaskQueue, events: any EventLog, secrets: any TaskSecretStore,
        credentials: CredentialResolver, forge: any Forge, policy: UntrustedPolicy, clock: any WallClock,
        historyTTL: Int, secretsTTL: Int
    ) {
        self.store = store
        self.queue = queue
        self.events = events
        self.credentials = credentials
        self.forge = forge
        self.policy = policy
        self.clock = clock
        unrun = UnrunTasks(
            events: events, secrets: secrets, clock: clock, historyTTL: historyTTL, secretsTTL: secretsTTL)
    }

    /// Tells of a task that is held back for a check.
    package func look(at id: String) {
        _ = waiting.withLock { $0.insert(id) }
        waker.wake()
    }

    /// Forges that are asked at a time.
    private static let concurrency = 8
    /// Time between two looks for tasks nobody told of.
    private static let interval: Duration = .seconds(30)

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.findForgotten() }
                for await _ in self.waker.wakes {
                    var ids = Array(
                        self.waiting.withLock { waiting in
                            defer { waiting = [] }
                            return waiting
                        })
                    while !ids.isEmpty, !Task.isCancelled {
                        let some = ids.suffix(TrustService.concurrency)
                        ids.removeLast(some.count)
                        await withDiscardingTaskGroup { group in
                            for id in some { group.addTask { await self.check(id) } }
                        }
                    }
                }
                group.cancelAll()
            }
        }
    }

    private func findForgotten() async {
        while !Task.isCancelled {
            // Away: the next look finds them.
            for task in (try? await store.held()) ?? [] where task.hold?.reason == .trustCheck {
                look(at: task.id)
            }
            try? await Task.sleep(for: TrustService.interval)  // cancelled: the loop ends
        }
    }

    // MARK: One task

    /// What the forge says.
    struct Finding: Sendable, Equatable {
        var trust: TaskTrust
        /// Why it is untrusted.
        var detail = ""
        /// The head commit as the forge has it; `nil` when it was not asked.
        var headSHA: String?
    }

    static let fork = "the head is in a fork"

    /// Lets a held task run, keeps it held or fails it, by what the forge says and the policy.
    func check(_ id: String) async {
        do throws(CodeForgeError) {
            guard let task = try await store.task(id), task.hold?.reason == .trustCheck else { return }
            let finding = await finding(about: task)
            guard !Task.isCancelled else { return }  // nothing was found out; the next start asks again
            let now = clock.now()
            let policy = policy
            let checked = try await store.update(id) { task throws(CodeForgeError) in
                guard task.status == .pending, task.hold?.reason == .trustCheck else { return nil }
                return TrustService.apply(finding, policy, to: &task, at: now)
            }
            Logger.current.info(
                "pull request checked",
                metadata: [
                    "task.id": "\(id)", "trust": "\(finding.trust.rawValue)", "detail": "\(finding.detail)",
                    "held": "\(checked.hold != nil)",
                ])
            if checked.status == .failed {
                try await unrun.tell(checked)
            } else if let hold = checked.hold {
                try await tell(of: hold, checked)
            } else {
                try? await queue.enqueue(id)  // the reconciler queues it otherwise
            }
            // A forge that shows another head may be behind, or this task may be: then nobody is overtaken.
            if finding.headSHA == nil || finding.headSHA == task.headSHA { try await void(olderThan: checked) }
        } catch {
            Logger.current.warning("pull request not checked", metadata: ["task.id": "\(id)", "error": "\(error)"])
        }
    }

    /// - Returns: The record of a task that is not run.
    private static func apply(
        _ finding: Finding, _ policy: UntrustedPolicy, to task: inout CodeTask, at now: Timestamp
    ) -> Iteration? {
        let isUnattended = task.hold?.isUnattended ?? true
        task.trust = finding.trust
        task.hold = nil
        guard isUnattended, finding.trust == .untrusted else { return nil }
        switch policy {
        case .review: return nil
        case .hold:
            // An approval is of one commit.
            task.headSHA = task.headSHA ?? finding.headSHA
            guard task.headSHA != nil else {
                return UnrunTasks.fail(
                    &task, "not run: the head commit is not known, so nobody can approve it", at: now)
            }
            task.hold = TaskHold(.approval, detail: finding.detail, isUnattended: true)
            return nil
        case .ignore:
            return UnrunTasks.fail(
                &task, "not run: the code is untrusted (\(finding.detail)), and code_review.untrusted_policy is ignore",
                at: now)
        }
    }

    /// Asks the forge.
    func finding(about task: CodeTask) async -> Finding {
        do {
            guard let number = task.config?.prNumber, let place = try await credentials.place(of: task) else {
                return Finding(trust: .untrusted, detail: "nobody said which forge the repository is on")
            }
            guard let access = try await credentials.access(for: task, at: place) else {
                return Finding(trust: .untrusted, detail: "there is no token to ask the forge with")
            }
            let pull = try await forge.pullRequest(number, in: place.project, access)
            var finding = Finding(trust: .untrusted, headSHA: CommitID.isValid(pull.headSHA) ? pull.headSHA : nil)
            if pull.isFork {
                finding.detail = TrustService.fork
            } else if let expected = task.headSHA, expected != pull.headSHA {
                finding.detail = "the forge shows another head commit"
            } else if try await forge.permission(of: pull.author, in: place.project, access) < .write {
                let name = SafeText.start(of: pull.author.name.utf8, limit: 64)
                finding.detail = "the author (\(name)) may not write to the repository"
            } else {
                finding.trust = .trusted
            }
            return finding
        } catch let error as ForgeError {
            return Finding(trust: .untrusted, detail: "the forge could not be asked: \(error.message)")
        } catch {
            return Finding(trust: .untrusted, detail: "the forge could not be asked: \(error)")
        }
    }

    // MARK: Tasks that are not run

    /// A pull request that moved on has no use for the held task of an earlier commit, and its approval would be of
    /// what is not there any more.
    private func void(olderThan task: CodeTask) async throws(CodeForgeError) {
        guard let sha = task.headSHA else { return }
        for other in try await store.held()
        where other.id != task.id && other.createdAt <= task.createdAt && TrustService.isOvertaken(other, by: task) {
            let now = clock.now()
            let failed = try await store.update(other.id) { other throws(CodeForgeError) in
                guard other.status == .pending, TrustService.isOvertaken(other, by: task) else { return nil }
                return UnrunTasks.fail(&other, "superseded: the pull request moved on to commit \(sha)", at: now)
            }
            if failed.status == .failed { try await unrun.tell(failed) }
        }
    }

    /// Ends a task that waits for an approval nobody will give.
    ///
    /// - Throws: `.conflict` when it does not wait any more.
    func decline(_ id: String) async throws(CodeForgeError) -> CodeTask {
        let now = clock.now()
        let declined = try await store.update(id) { task throws(CodeForgeError) in
            guard task.status == .pending, task.hold?.reason == .approval else {
                throw CodeForgeError(.conflict, "task is not running (status: \(task.status.rawValue))")
            }
            return UnrunTasks.fail(&task, "canceled by user", at: now)
        }
        try await unrun.tell(declined)
        return declined
    }

    private static func isOvertaken(_ other: CodeTask, by task: CodeTask) -> Bool {
        other.hold?.isUnattended == true && other.headSHA != nil && other.headSHA != task.headSHA
            && other.repoURL == task.repoURL && other.config?.prNumber == task.config?.prNumber
    }

    private func tell(of hold: TaskHold, _ task: CodeTask) async throws(CodeForgeError) {
        let event = TaskEvent(
            .system, "task_held",
            data: [
                "reason": .string(hold.reason.rawValue), "detail": .string(hold.detail),
                "head_sha": .string(task.headSHA ?? ""),
            ], time: clock.now())
        try await events.appendOnce([.event(json: event.json)], to: task.id, key: "held")
    }
}
