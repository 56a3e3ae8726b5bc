import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// Spans of a real server, as a collector gets them.
@Suite(.serialized) struct TracingTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"

    private func spans(in collector: LocalReceiver) throws -> [JSONValue] {
        try collector.requests.flatMap { request in
            let json = try JSONDecoder().decode(JSONValue.self, from: Data(request.body))
            return json["resourceSpans"]?.arrayValue?.first?["scopeSpans"]?.arrayValue?.first?["spans"]?.arrayValue
                ?? []
        }
    }

    /// The spans of these names, once all of them are there.
    private func spans(_ collector: LocalReceiver, _ names: String...) async throws -> [JSONValue] {
        try await eventually("spans \(names)") {
            let all = try spans(in: collector)
            let found = names.compactMap { name in all.first { $0["name"]?.stringValue == name } }
            return found.count == names.count ? found : nil
        }
    }

    private func time(_ span: JSONValue, _ name: String) -> UInt64 {
        span[name]?.stringValue.flatMap { UInt64($0) } ?? 0
    }

    @Test func aRunIsSeenFromItsRequestToItsCLI() async throws {
        let (collector, receiver) = (LocalReceiver(), LocalReceiver())
        try await ServerFixture.with([
            "CODEFORGE_TRACING__ENABLED": "true", "CODEFORGE_TRACING__ENDPOINT": collector.address,
            "CODEFORGE_TRACING__SAMPLING_RATE": "0", "CODEFORGE_WEBHOOKS__ALLOW_PRIVATE": receiver.address,
        ]) { server in
            let answer = try await server.request(
                "POST", "/api/v1/tasks",
                [
                    "repo_url": .string(try server.makeRepository()),
                    "prompt": "echo \"$TRACEPARENT\"; sleep 0.1; exit 3",
                    "callback_url": .string("http://\(receiver.address)/"),
                ], headers: ["traceparent": "00-\(Self.trace)-b7ad6b7169203331-01"])
            let id = try #require(answer.json["id"]?.stringValue, "\(answer)")
            let task = try await server.finished(id)
            #expect(task["trace_id"] == .string(Self.trace))
            let found = try await spans(collector, "POST /api/v1/tasks", "task.execute", "task.clone", "task.run")
            let (request, execute, clone, run) = (found[0], found[1], found[2], found[3])
            for span in found { #expect(span["traceId"] == .string(Self.trace)) }
            #expect(request["parentSpanId"] == "b7ad6b7169203331" && request["kind"] == 2)
            #expect(execute["parentSpanId"] == request["spanId"])
            #expect(clone["parentSpanId"] == execute["spanId"] && run["parentSpanId"] == execute["spanId"])
            #expect(execute["status"]?["code"] == 2 && run["status"]?["code"] == 2 && clone["status"] == nil)
            #expect(time(execute, "startTimeUnixNano") <= time(clone, "startTimeUnixNano"))
            #expect(time(clone, "endTimeUnixNano") <= time(run, "startTimeUnixNano"))
            #expect(time(run, "endTimeUnixNano") - time(run, "startTimeUnixNano") >= 100_000_000)
            #expect(time(run, "endTimeUnixNano") <= time(execute, "endTimeUnixNano"))

            let output = try await server.frames(id).filter { $0.name == "output" }
            let traceparent = "00-\(Self.trace)-\(run["spanId"]?.stringValue ?? "")-01"
            #expect(
                output.first?.data["data"]?["content"] == .string(traceparent), "what the CLI sends hangs on its run")

            let callback = try #require(try await receiver.wait(for: 1).first)
            #expect(callback.headers["x-trace-id"] == Self.trace)
            let body = try JSONDecoder().decode(JSONValue.self, from: Data(callback.body))
            #expect(body["trace_id"] == .string(Self.trace))

            let lines = server.process.output.split(separator: "\n").filter { $0.contains("supervisor started") }
            #expect(lines.first?.contains(#""trace_id":"\#(Self.trace)""#) == true)
            let names = try spans(in: collector).compactMap { $0["name"]?.stringValue }
            #expect(!names.contains { $0.contains("stream") })
        }
    }

    /// A review hangs on the request that made the task, as the run it looks at does.
    @Test func aReviewHasASpanOfItsOwn() async throws {
        let collector = LocalReceiver()
        let stub = "/tmp/cf-stub-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: stub) }
        let script = #"""
            #!/bin/bash
            printf '{"type":"system","at":"%s"}\n' "$TRACEPARENT"
            echo '{"type":"result","subtype":"success","result":"{\"verdict\":\"approve\",\"score\":9}","usage":{"input_tokens":11,"output_tokens":7}}'
            """#
        try script.write(toFile: stub, atomically: false, encoding: .utf8)
        chmod(stub, 0o755)
        try await ServerFixture.with([
            "CODEFORGE_TRACING__ENABLED": "true", "CODEFORGE_TRACING__ENDPOINT": collector.address,
            "CODEFORGE_TRACING__SAMPLING_RATE": "1", "CODEFORGE_CLI__CLAUDE_CODE__PATH": stub,
        ]) { server in
            let id = try await server.create("true", repo: try server.makeRepository())
            _ = try await server.finished(id)
            #expect(
                try await server.request("POST", "/api/v1/tasks/\(id)/review", ["cli": "claude-code"]).status == 202)
            let task = try await server.finished(id)
            #expect(task["review_result"]?["verdict"] == "approve", "\(task)")
            let found = try await spans(collector, "POST /api/v1/tasks", "task.execute", "task.review")
            let (request, execute, review) = (found[0], found[1], found[2])
            for span in found { #expect(span["traceId"] == task["trace_id"]) }
            #expect(review["parentSpanId"] == request["spanId"] && execute["parentSpanId"] == request["spanId"])
            #expect(review["kind"] == 1 && review["status"] == nil, "\(review)")
            #expect(time(review, "startTimeUnixNano") >= time(execute, "endTimeUnixNano"))
            #expect(time(review, "endTimeUnixNano") >= time(review, "startTimeUnixNano"))
            let attributes = review["attributes"]?.arrayValue ?? []
            func attribute(_ key: String) -> JSONValue? { attributes.first { $0["key"] == .string(key) }?["value"] }
            #expect(attribute("codeforge.task.id")?["stringValue"] == .string(id), "\(attributes)")
            #expect(attribute("codeforge.cli")?["stringValue"] == "claude-code")
            #expect(attribute("gen_ai.usage.input_tokens")?["intValue"] == "11", "\(attributes)")
            let place = "-\(review["spanId"]?.stringValue ?? "")-01"
            #expect(
                try await server.frames(id).contains { "\($0.data)".contains(place) }, "what the CLI sends hangs on it")
        }
    }

    @Test func nothingIsTracedUnlessAskedFor() async throws {
        let collector = LocalReceiver()
        try await ServerFixture.with(["CODEFORGE_TRACING__ENDPOINT": collector.address]) { server in
            let id = try await server.create("env | grep -c TRACEPARENT || true", repo: try server.makeRepository())
            let task = try await server.finished(id)
            #expect(task["trace_id"] == nil && task["result"] == "0")
        }
        #expect(collector.accepted == 0)
    }
}
