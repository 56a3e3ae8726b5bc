import CurlHTTP
import Domain
import Foundation
import Metrics
import Synchronization
import Telemetry
import TestKit
import Testing
import Tracing

/// Keeps what a tracer hands on.
private final class Kept: Sendable {
    private let spans = Mutex<[FinishedSpan]>([])
    var all: [FinishedSpan] { spans.withLock { $0 } }
    func add(_ span: FinishedSpan) { spans.withLock { $0.append(span) } }
}

private struct Headers: Extractor, Injector {
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
}

@Suite struct SpanTracerTests {
    private let kept = Kept()

    private func tracer(_ rate: Double) -> SpanTracer { SpanTracer(samplingRate: rate) { [kept] in kept.add($0) } }

    private func context(_ tracer: SpanTracer, _ traceparent: String) -> ServiceContext {
        var context = ServiceContext.topLevel
        tracer.extract(["traceparent": traceparent], into: &context, using: Headers())
        return context
    }

    @Test func childrenHangOnTheirParents() throws {
        let tracer = tracer(1)
        tracer.withSpan("outer", ofKind: .server) { _ in
            tracer.withSpan("inner") { $0.attributes["number"] = 7 }
        }
        let (inner, outer) = (kept.all[0], kept.all[1])
        #expect(outer.name == "outer" && outer.kind == .server && outer.parentID == nil)
        #expect(inner.place.traceID == outer.place.traceID && inner.parentID == outer.place.spanID)
        #expect(inner.attributes.get("number") == .int64(7) && inner.start >= outer.start && inner.end <= outer.end)
    }

    @Test func aSpanEndsOnce() {
        let span = tracer(1).startSpan("once", context: .topLevel)
        span.end()
        span.end()
        span.attributes["late"] = true
        #expect(kept.all.count == 1 && !span.isRecording)
    }

    @Test func anErrorIsTheStatus() {
        struct Broken: Error {}
        #expect(throws: Broken.self) { try tracer(1).withSpan("broken") { _ in throw Broken() } }
        #expect(kept.all.first?.status?.code == .error)
    }

    @Test(arguments: [(0.0, 0...0), (1.0, 2000...2000), (0.25, 380...620)])
    func aShareOfTheTracesIsKept(_ rate: Double, _ expected: ClosedRange<Int>) {
        for _ in 0..<2000 { tracer(rate).startSpan("span", context: .topLevel).end() }
        #expect(expected.contains(kept.all.count))
    }

    /// Whoever began a trace has decided.
    @Test func theParentDecides() throws {
        let trace = "0af7651916cd43dd8448eb211c80319c"
        let none = tracer(0)
        none.startSpan("kept", context: context(none, "00-\(trace)-b7ad6b7169203331-01")).end()
        let all = tracer(1)
        let span = all.startSpan("dropped", context: context(all, "00-\(trace)-b7ad6b7169203331-00"))
        span.end()
        #expect(kept.all.map(\.name) == ["kept"])
        #expect(kept.all[0].place.traceIDText == trace && kept.all[0].parentID == 0xb7ad_6b71_6920_3331)
        var headers: [String: String] = [:]
        all.inject(span.context, into: &headers, using: Headers())
        #expect(headers["traceparent"]?.hasPrefix("00-\(trace)-") == true, "the id travels on all the same")
        #expect(headers["traceparent"]?.hasSuffix("-00") == true)
    }

    @Test func logLinesNameTheTrace() throws {
        let tracer = tracer(0)
        #expect(SpanTracer.logMetadata.get().isEmpty)
        tracer.withSpan("request") { span in
            var headers: [String: String] = [:]
            tracer.inject(span.context, into: &headers, using: Headers())
            let id = SpanTracer.logMetadata.get()["trace_id"].map { "\($0)" } ?? "none"
            #expect(headers["traceparent"]?.contains(id) == true)
        }
    }
}

@Suite struct SpanExporterTests {
    private func exporter(
        _ receiver: LocalReceiver, buffered: Int = 100, batch: Int = 2, interval: Duration = .milliseconds(20),
        timeout: Duration = .seconds(10)
    ) throws -> SpanExporter {
        try SpanExporter(
            .init(
                url: SpanExporter.Configuration.url(endpoint: "http://\(receiver.address)/"), bufferedSpans: buffered,
                batchSpans: batch, interval: interval, timeout: timeout),
            version: "1.2.3", transport: CurlTransport())
    }

    private func metrics(_ body: () async throws -> Void) async throws -> Set<String> {
        let prometheus = PrometheusMetrics()
        try await withMetricsFactory(prometheus) { try await body() }
        return Set(
            prometheus.text().split(separator: "\n").map(String.init).filter {
                $0.hasPrefix("codeforge_tracing_dropped_spans_total{")
            })
    }

    /// Runs an exporter while `body` works; the end is that of a service that is told to stop.
    private func running(_ exporter: SpanExporter, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await exporter.run() }
            try await body()
            group.cancelAll()
        }
    }

    private func spans(_ request: LocalReceiver.Request) throws -> [JSONValue] {
        let json = try JSONDecoder().decode(JSONValue.self, from: Data(request.body))
        return try #require(
            json["resourceSpans"]?.arrayValue?.first?["scopeSpans"]?.arrayValue?.first?["spans"]?.arrayValue)
    }

    @Test func spansArriveAsTheProtocolHasThem() async throws {
        let receiver = LocalReceiver()
        let exporter = try exporter(receiver)
        let tracer = SpanTracer(samplingRate: 1) { exporter.add($0) }
        try await running(exporter) {
            tracer.withSpan("parent", ofKind: .server) { parent in
                parent.setStatus(SpanStatus(code: .error, message: "\"why\"\u{7}"))
                tracer.withSpan("child") { span in
                    span.attributes["text"] = "a\u{0}b"
                    span.attributes["number"] = 7
                    span.attributes["flag"] = true
                }
            }
            _ = try await receiver.wait(for: 1)
        }
        let request = receiver.requests[0]
        #expect(request.line == "POST /v1/traces HTTP/1.1")
        #expect(request.headers["content-type"] == "application/json")
        let all = try JSONDecoder().decode(JSONValue.self, from: Data(request.body))
        let resource = all["resourceSpans"]?.arrayValue?.first?["resource"]?["attributes"]?.arrayValue ?? []
        #expect(resource.contains(["key": "service.name", "value": ["stringValue": "codeforge"]]))
        let spans = try spans(request)
        try #require(spans.count == 2)
        let (child, parent) = (spans[0], spans[1])
        #expect(child["traceId"]?.stringValue?.utf8.count == 32 && child["traceId"] == parent["traceId"])
        #expect(child["parentSpanId"] == parent["spanId"] && parent["parentSpanId"] == nil)
        #expect(child["kind"] == 1 && parent["kind"] == 2 && child["flags"] == 1)
        #expect(parent["status"] == ["code": 2, "message": "\"why\"\u{7}"])
        let attributes = Set(child["attributes"]?.arrayValue ?? [])
        #expect(
            attributes == [
                ["key": "text", "value": ["stringValue": "a\u{0}b"]], ["key": "number", "value": ["intValue": "7"]],
                ["key": "flag", "value": ["boolValue": true]],
            ])
        let start = try #require(child["startTimeUnixNano"]?.stringValue.flatMap { UInt64($0) })
        let end = try #require(child["endTimeUnixNano"]?.stringValue.flatMap { UInt64($0) })
        #expect(start <= end && abs(Double(end) / 1e9 - Date().timeIntervalSince1970) < 60)
    }

    @Test func manySpansGoInBatches() async throws {
        let receiver = LocalReceiver()
        let exporter = try exporter(receiver, batch: 3)
        let tracer = SpanTracer(samplingRate: 1) { exporter.add($0) }
        for _ in 0..<7 { tracer.startSpan("span", context: .topLevel).end() }
        try await running(exporter) { _ = try await receiver.wait(for: 3) }
        #expect(try receiver.requests.map { try spans($0).count } == [3, 3, 1])
    }

    /// Nobody waits for a collector that does not answer.
    @Test func whatDoesNotFitIsDroppedAndCounted() async throws {
        let receiver = LocalReceiver { _ in nil }
        let exporter = try exporter(receiver, buffered: 2)
        let tracer = SpanTracer(samplingRate: 1) { exporter.add($0) }
        let counted = try await metrics { for _ in 0..<5 { tracer.startSpan("span", context: .topLevel).end() } }
        #expect(counted == [#"codeforge_tracing_dropped_spans_total{reason="full"} 3"#])
    }

    @Test func aFailedExportIsCounted() async throws {
        let receiver = LocalReceiver(statuses: [503])
        let exporter = try exporter(receiver)
        let tracer = SpanTracer(samplingRate: 1) { exporter.add($0) }
        let counted = try await metrics {
            try await running(exporter) {
                tracer.startSpan("span", context: .topLevel).end()
                _ = try await receiver.wait(for: 1)
            }
        }
        #expect(counted == [#"codeforge_tracing_dropped_spans_total{reason="export"} 1"#])
    }

    @Test func theLastSpansLeaveAtTheStop() async throws {
        let receiver = LocalReceiver()
        let exporter = try exporter(receiver, interval: .seconds(3600))
        let tracer = SpanTracer(samplingRate: 1) { exporter.add($0) }
        tracer.startSpan("last", context: .topLevel).end()
        try await running(exporter) {}
        #expect(try spans(try #require(receiver.requests.first)).first?["name"] == "last")
    }

    @Test(arguments: [
        ("", "http://localhost:4318/v1/traces"), ("otel:4318", "http://otel:4318/v1/traces"),
        ("https://otel.example/base/", "https://otel.example/base/v1/traces"),
    ])
    func endpoints(_ endpoint: String, _ url: String) {
        #expect(SpanExporter.Configuration.url(endpoint: endpoint) == url)
    }

    @Test func aMalformedEndpointIsAProblemOfTheStart() {
        #expect(throws: CodeForgeError.self) {
            try SpanExporter(.init(url: "http://user:pw@x/"), version: "1", transport: CurlTransport())
        }
    }
}
