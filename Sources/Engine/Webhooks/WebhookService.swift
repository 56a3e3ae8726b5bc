package import Domain
import Logging

/// Turns deliveries of forges' webhooks into reviews.
package struct WebhookService: Sendable {
    package struct Configuration: Sendable {
        package var reviewsDrafts: Bool
        package var cli: String
        /// Key the reviews use; empty: none is configured.
        package var keyName: String
        /// How long one commit of a pull request is not reviewed again, in seconds; ≤ 0: an hour.
        package var dedupSeconds: Int
        package var policy: UntrustedPolicy

        package init(
            reviewsDrafts: Bool = false, cli: String = "", keyName: String, dedupSeconds: Int = 3600,
            policy: UntrustedPolicy = .review
        ) {
            self.reviewsDrafts = reviewsDrafts
            self.cli = cli.isEmpty ? "claude-code" : cli
            self.keyName = keyName
            self.dedupSeconds = dedupSeconds <= 0 ? 3600 : dedupSeconds
            self.policy = policy
        }
    }

    /// What became of a delivery.
    package enum Answer: Sendable, Equatable {
        case created(taskID: String)
        case deduplicated
        /// Of no concern, and why.
        case ignored(String)
        /// Not to be reviewed now, and why.
        case skipped(String)
    }

    /// Why nothing came of a delivery.
    package enum Failure: Error, Sendable, Equatable {
        case notConfigured, notAuthentic, unreadable, noKey, notCreated
    }

    private let configuration: Configuration
    private let verifier: any WebhookVerifier
    private let reader: any WebhookReader
    private let marks: any DeliveryMarks
    private let tasks: TaskService
    private let clock: any WallClock

    package init(
        configuration: Configuration, verifier: any WebhookVerifier, reader: any WebhookReader,
        marks: any DeliveryMarks, tasks: TaskService, clock: any WallClock
    ) {
        self.configuration = configuration
        self.verifier = verifier
        self.reader = reader
        self.marks = marks
        self.tasks = tasks
        self.clock = clock
    }

    /// Whether a forge's deliveries can be told from anybody's.
    package func isConfigured(for provider: GitProvider) -> Bool { verifier.isConfigured(for: provider) }

    /// Looks at one delivery, in the order of the API. The task is on record when this returns.
    package func receive(_ delivery: WebhookDelivery) async throws(Failure) -> Answer {
        guard isConfigured(for: delivery.provider) else { throw .notConfigured }
        guard verifier.accepts(delivery, now: clock.now()) else { throw .notAuthentic }
        if let reason = WebhookService.otherEvent(delivery) { return .ignored(reason) }
        let event: PullRequestEvent
        do { event = try reader.read(delivery.body, from: delivery.provider) } catch { throw .unreadable }
        guard event.isHandled else { return .ignored("action \(event.action) not handled") }
        if event.isDraft, !configuration.reviewsDrafts {
            return .skipped(event.provider == .github ? "draft PR" : "draft/WIP MR")
        }
        guard !configuration.keyName.isEmpty else { throw .noKey }
        guard event.isComplete else { throw .unreadable }
        if configuration.policy == .ignore, event.isFork { return .ignored("untrusted: \(TrustService.fork)") }
        return try await review(event)
    }

    private static func otherEvent(_ delivery: WebhookDelivery) -> String? {
        switch delivery.provider {
        case .github:
            delivery.headers["X-GitHub-Event"] == "pull_request" ? nil : "not a pull_request event"
        case .gitlab:
            delivery.headers["X-Gitlab-Event"] == "Merge Request Hook" ? nil : "not a merge request event"
        }
    }

    /// A delivery that is being turned into a task is remembered no longer than that may take, so that a crash in
    /// between loses nothing: the forge's next delivery makes the task.
    private static let claimSeconds = 60

    private func review(_ event: PullRequestEvent) async throws(Failure) -> Answer {
        var mark: DeliveryMark?
        if !event.headSHA.isEmpty {
            let new = DeliveryMark(repositoryURL: event.repositoryURL, number: event.number, sha: event.headSHA)
            do throws(CodeForgeError) {
                let seconds = min(WebhookService.claimSeconds, configuration.dedupSeconds)
                guard try await marks.add(new, seconds: seconds) else { return .deduplicated }
                mark = new
            } catch {
                Logger.current.warning("delivery not marked", metadata: ["error": "\(error)"])
            }
        }
        do throws(CodeForgeError) {
            let task = try await tasks.create(draft(event))
            // Forgotten too early it is only reviewed twice.
            if let mark { try? await marks.keep(mark, seconds: configuration.dedupSeconds) }
            Logger.current.info(
                "review of a webhook created",
                metadata: [
                    "task.id": "\(task.id)", "provider": "\(event.provider.rawValue)", "pr.number": "\(event.number)",
                    "pr.head": "\(event.headSHA)",
                ])
            return .created(taskID: task.id)
        } catch {
            Logger.current.error("review of a webhook not created", metadata: ["error": "\(error)"])
            if let mark { try? await marks.remove(mark) }  // it expires by itself
            throw .notCreated
        }
    }

    private func draft(_ event: PullRequestEvent) -> TaskDraft {
        var config = TaskConfig()
        config.cli = configuration.cli
        config.sourceBranch = event.headBranch.isEmpty ? nil : event.headBranch
        config.targetBranch = event.baseBranch.isEmpty ? nil : event.baseBranch
        config.prNumber = event.number
        config.outputMode = "post_comments"
        let prompt =
            event.provider == .github
            ? "Review pull request #\(event.number)" : "Review merge request !\(event.number): \(event.title)"
        var draft = TaskDraft(
            repoURL: event.repositoryURL, prompt: prompt, taskType: TaskType.prReview.rawValue,
            providerKey: configuration.keyName, config: config)
        draft.headSHA = event.headSHA.isEmpty ? nil : event.headSHA
        draft.isUnattended = true
        return draft
    }
}
