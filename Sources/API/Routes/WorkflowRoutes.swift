import Domain
import Hummingbird
import Workflows

/// Definitions of workflows, and starting them.
struct WorkflowRoutes: Sendable {
    private let workflows: WorkflowService
    private let replays: Replays
    private let body: BodyReader

    init(_ dependencies: APIDependencies) {
        workflows = dependencies.workflows
        replays = Replays(dependencies)
        body = BodyReader(limit: dependencies.maxBodyBytes)
    }

    var routes: [Route] {
        [
            Route(.post, "/api/v1/workflows", "Create a workflow", handler: create),
            Route(.get, "/api/v1/workflows", "List workflows", handler: list),
            Route(.get, "/api/v1/workflows/{name}", "Get a workflow", handler: get),
            Route(.delete, "/api/v1/workflows/{name}", "Delete a workflow", handler: remove),
            Route(
                .post, "/api/v1/workflows/{name}/run", "Run a workflow", access: .submit,
                handler: replays.around(run)),
        ]
    }

    @Sendable private func create(_ request: Request, _ context: APIContext) async throws -> Response {
        let workflow = try await body.decode(CreateWorkflowRequest.self, from: request).workflow
        try await workflows.create(workflow)
        return .json(.created) { json in
            json.member("name", workflow.name)
            json.member("message", "workflow created")
        }
    }

    @Sendable private func list(_ request: Request, _ context: APIContext) async throws -> Response {
        let all = try await workflows.list()
        let showsSecrets = context.mayRead(secretsOf: .admin)
        return .json { json in
            json.name("workflows")
            json.beginArray()
            for workflow in all {
                json.beginObject()
                WorkflowView.write(workflow, showsSecrets: showsSecrets, to: &json)
                json.endObject()
            }
            json.endArray()
        }
    }

    @Sendable private func get(_ request: Request, _ context: APIContext) async throws -> Response {
        let workflow = try await workflows.workflow(context.decoded("name"))
        let showsSecrets = context.mayRead(secretsOf: .admin)
        return .json { WorkflowView.write(workflow, showsSecrets: showsSecrets, to: &$0) }
    }

    @Sendable private func remove(_ request: Request, _ context: APIContext) async throws -> Response {
        try await workflows.delete(context.decoded("name"))
        return .json { $0.member("message", "workflow deleted") }
    }

    @Sendable private func run(_ request: Request, _ context: APIContext) async throws -> Response {
        let params = try await body.decodeIfAny(RunWorkflowRequest.self, from: request)?.params
        let receipt = context.claim.map { claim in
            { (run: WorkflowRun) in
                replays.ledger.receipt(claim, status: 201, body: WorkflowView.created(run))
            }
        }
        let run = try await workflows.run(context.decoded("name"), params: params ?? [:], receipt: receipt)
        return Replays.created(WorkflowView.created(run))
    }
}

extension APIContext {
    /// Whether the caller may see what only callers of a role may.
    fileprivate func mayRead(secretsOf role: TokenRole) -> Bool { caller.map { $0.role >= role } ?? false }
}
