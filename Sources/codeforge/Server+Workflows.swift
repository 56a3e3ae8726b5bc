import Domain
import Engine
import FoundationEssentials
import Settings
import Workflows

/// What carries workflows out.
extension Server {
    /// - Returns: Both with the built-in workflows on record.
    func workflows(
        _ parts: RunParts, _ addresses: AddressRule, _ tracing: RunTracing?
    ) async throws(CodeForgeError) -> (WorkflowService, WorkflowRunner) {
        let workflow = settings.workflow
        let rules = RunRules(
            concurrency: workflow.concurrency, maximumSeconds: workflow.maxRunDurationSeconds,
            historyTTL: workflow.contextTTLHours * 3600, fetchTimeout: workflow.fetchTimeout, addresses: addresses)
        let runner = WorkflowRunner(parts, rules)
        let service = WorkflowService(
            parts, rules, runner: runner, makeID: { UUID().uuidString.lowercased() }, tracing: tracing)
        try await service.seed()
        return (service, runner)
    }
}
