import Domain
import Engine
import Forges
import RedisMessaging
import Settings
import Telemetry
import Vault

/// What stands behind inbound webhooks.
extension Server {
    private var untrustedPolicy: UntrustedPolicy {
        UntrustedPolicy(rawValue: settings.codeReview.untrustedPolicy) ?? .hold
    }

    func trust(
        _ store: any TaskStore, _ queue: any TaskQueue, _ events: any EventLog, _ secrets: any TaskSecretStore,
        _ credentials: CredentialResolver, _ forge: any Forge
    ) -> TrustService {
        TrustService(
            store: store, queue: queue, events: events, secrets: secrets, credentials: credentials,
            forge: forge,
            policy: untrustedPolicy, clock: SystemClock(), historyTTL: settings.tasks.workspaceTTL,
            secretsTTL: settings.tasks.stateTTL)
    }

    func webhooks(_ tasks: TaskService, _ client: RedisClient) throws(CodeForgeError) -> WebhookService {
        let review = settings.codeReview
        return WebhookService(
            configuration: .init(
                reviewsDrafts: review.reviewDrafts, cli: review.defaultCLI, keyName: review.defaultKeyName,
                dedupSeconds: review.webhookDedupTTL, policy: untrustedPolicy),
            verifier: try WebhookSecrets(github: review.githubSecrets, gitlab: review.gitlabSecrets),
            reader: WebhookPayloads(), marks: RedisDeliveryMarks(client), tasks: tasks, clock: SystemClock())
    }
}
