import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Synchronization
import Telemetry
import TestKit
import Testing

@testable import API

@Suite struct TracingTests {
    private final class Kept: Sendable {
        private let spans = Mutex<[FinishedSpan]>([])
        var all: [FinishedSpan] { spans.withLock { $0 } }
        func add(_ span: FinishedSpan) { spans.withLock { $0.append(span) } }
    }

    private let kept = Kept()
    private let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    private let task = #"{"repo_url":"https://h.example/o/r.git","prompt":"do it"}"#

    private var rig: APIRig {
        var rig = APIRig()
        rig.tracer = SpanTracer(samplingRate: 1) { [kept] in kept.add($0) }
        return rig
    }

    private func headers(_ values: String...) -> HTTPFields {
        var headers: HTTPFields = [:]
        for value in values { headers.append(HTTPField(name: HTTPField.Name("traceparent")!, value: value)) }
        return headers
    }

    @Test func aRequestIsASpanUnderItsClients() async throws {
        try await rig.application.test(.router) { client async throws in
            _ = try await client.ask(.get, "/api/v1/tasks/none", headers: headers(traceparent))
        }
        let span = try #require(kept.all.first)
        #expect(kept.all.count == 1 && span.name == "GET /api/v1/tasks/{taskID}" && span.kind == .server)
        #expect(span.place.traceIDText == "0af7651916cd43dd8448eb211c80319c" && span.parentID == 0xb7ad_6b71_6920_3331)
        #expect(span.attributes.get("http.response.status_code") == .int64(404) && span.status == nil)
    }

    @Test func aCreatedTaskBelongsToTheRequestsTrace() async throws {
        let rig = rig
        try await rig.application.test(.router) { client async throws in
            let created = try await client.ask(.post, "/api/v1/tasks", task, headers: headers(traceparent))
            let id = try #require(created.text("id"))
            #expect(
                try await client.ask(.get, "/api/v1/tasks/\(id)").text("trace_id")
                    == "0af7651916cd43dd8448eb211c80319c")
            let trace = try await rig.store.task(id)?.trace
            #expect(trace?.spanID == kept.all[0].place.spanID, "its runs hang on the request")
        }
    }

    /// Malformed or twice: a new trace begins.
    @Test(arguments: [["00-zz"], [], ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x"]])
    func otherwiseATraceBegins(_ values: [String]) async throws {
        try await rig.application.test(.router) { client async throws in
            var headers: HTTPFields = [:]
            for value in values { headers.append(HTTPField(name: HTTPField.Name("traceparent")!, value: value)) }
            let created = try await client.ask(.post, "/api/v1/tasks", task, headers: headers)
            let id = try #require(created.text("id"))
            let trace = try #require(try await client.ask(.get, "/api/v1/tasks/\(id)").text("trace_id"))
            #expect(trace == kept.all[0].place.traceIDText && trace != "0af7651916cd43dd8448eb211c80319c")
            #expect(kept.all[0].parentID == nil)
        }
    }

    /// They have no time limit, and yet are requests as any other.
    @Test func longRequestsHaveOneToo() async throws {
        try await rig.application.test(.router) { client async throws in
            for action in ["create-pr", "post-review"] {
                #expect(try await client.ask(.post, "/api/v1/tasks/none/\(action)").status == 404)
            }
        }
        #expect(
            kept.all.map(\.name) == [
                "POST /api/v1/tasks/{taskID}/create-pr", "POST /api/v1/tasks/{taskID}/post-review",
            ])
    }

    @Test func streamsAndProbesHaveNone() async throws {
        let rig = rig
        try await rig.insert("over", .completed)
        try await rig.events.append([.done(json: Array("{}".utf8))], to: "over")
        try await rig.application.test(.router) { client async throws in
            for path in ["/health", "/ready", "/metrics", "/api/v1/tasks/over/stream"] {
                _ = try await client.ask(.get, path)
            }
            #expect(kept.all.isEmpty)
            _ = try await client.ask(.get, "/nowhere")
            #expect(kept.all.map(\.name) == ["GET"], "an unknown path makes no name")
        }
    }

    @Test func nothingIsTracedOtherwise() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let created = try await client.ask(.post, "/api/v1/tasks", task, headers: headers(traceparent))
            let id = try #require(created.text("id"))
            #expect(try await client.ask(.get, "/api/v1/tasks/\(id)").text("trace_id") == nil)
        }
    }
}
