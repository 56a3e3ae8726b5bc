import Domain
import HTTPTypes
import Hummingbird
import Workflows

/// Runs of workflows.
struct WorkflowRunRoutes: Sendable {
    private let workflows: WorkflowService
    private let streams: RunStreams

    init(_ dependencies: APIDependencies, ticker: Ticker) {
        workflows = dependencies.workflows
        streams = RunStreams(workflows: dependencies.workflows, ticker: ticker, clock: dependencies.clock)
    }

    var routes: [Route] {
        [
            Route(.get, "/api/v1/workflow-runs", "List workflow runs", handler: list),
            Route(.get, "/api/v1/workflow-runs/{runID}", "Get a workflow run", handler: get),
            Route(
                .get, "/api/v1/workflow-runs/{runID}/stream", "Stream a workflow run's events", isLimited: false,
                handler: stream),
            Route(
                .post, "/api/v1/workflow-runs/{runID}/cancel", "Cancel a workflow run", access: .submit,
                handler: cancel),
            Route(
                .post, "/api/v1/workflow-runs/cancel-all", "Cancel all runs of a workflow", access: .submit,
                handler: cancelAll),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: APIContext) async throws -> Response {
        let name = request.uri.queryParameters["workflow"].flatMap { String($0).filled }
        let runs = try await workflows.runs(of: name)
        return .json { json in
            json.name("runs")
            json.beginArray()
            for run in runs {
                json.beginObject()
                WorkflowView.write(run, to: &json)
                json.endObject()
            }
            json.endArray()
        }
    }

    @Sendable private func get(_ request: Request, _ context: APIContext) async throws -> Response {
        let run = try await workflows.run(context.runID)
        let steps = try await workflows.steps(of: run.id)
        return .json { json in
            WorkflowView.write(run, to: &json)
            guard !steps.isEmpty else { return }
            json.name("steps")
            json.beginArray()
            for step in steps {
                json.beginObject()
                WorkflowView.write(step, to: &json)
                json.endObject()
            }
            json.endArray()
        }
    }

    @Sendable private func stream(_ request: Request, _ context: APIContext) async throws -> Response {
        let run = try await workflows.run(context.runID)
        let after = request.headers[.lastEventID] ?? request.uri.queryParameters["after"].map { String($0) }
        return streams.response(for: run, after: after?.filled, context)
    }

    @Sendable private func cancel(_ request: Request, _ context: APIContext) async throws -> Response {
        let run = try await workflows.cancel(context.runID)
        return .json { json in
            json.member("id", run.id)
            json.member("status", "canceling")
            json.member("message", "workflow run cancellation requested")
        }
    }

    @Sendable private func cancelAll(_ request: Request, _ context: APIContext) async throws -> Response {
        guard let name = request.uri.queryParameters["workflow"].flatMap({ String($0).filled }) else {
            throw HTTPFailure(.badRequest, "workflow query parameter is required")
        }
        let count = try await workflows.cancelAll(of: name)
        return .json { json in
            json.member("canceled", count)
            json.member("message", "\(count) workflow runs canceled")
        }
    }
}

extension APIContext {
    /// The workflow run a path names. Never checked for its form.
    fileprivate var runID: String { decoded("runID") }
}
