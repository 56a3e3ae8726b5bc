package import Domain
import Logging
package import Tracing

/// The spans of runs.
///
/// They are made when a run's end is on record, out of the times its report has: so neither a restart of the server nor
/// a supervisor that outlives it leaves one open. Their ids follow from the run, so that what a CLI sends hangs on the
/// right one although that comes later.
package struct RunTracing: Sendable {
    private let tracer: any Tracer

    package init(_ tracer: any Tracer) { self.tracer = tracer }

    /// Where the spans of a task's runs hang: the request under way, or a span that only says that a task began.
    package func parentOfNewTask() -> TraceContext? {
        var headers: [String: String] = [:]
        if let context = ServiceContext.current { tracer.inject(context, into: &headers, using: Headers()) }
        if headers.isEmpty {
            let span = tracer.startSpan("task.create", context: .topLevel, ofKind: .internal)
            tracer.inject(span.context, into: &headers, using: Headers())
            span.end()
        }
        return headers["traceparent"].flatMap { TraceContext(traceparent: $0) }
    }

    /// What the CLI's own spans hang on: `TRACEPARENT` in its environment.
    static func parentOfCLI(_ task: CodeTask, _ run: RunID) -> String? {
        task.trace?.at(span: spanID(run, run.purpose == .review ? "task.review" : "task.run"))?.traceparent
    }

    /// Makes the spans of a run that ended.
    ///
    /// - Parameter end: When its end went on record.
    func record(_ task: CodeTask, _ run: RunID, _ outcome: JobOutcome, cli: String, end: Timestamp) {
        guard let trace = task.trace, trace.isSampled else { return }
        let isReview = run.purpose == .review
        let root = span(
            isReview ? "task.review" : "task.execute", of: run, under: trace,
            from: outcome.startedAt ?? task.startedAt ?? end)
        root.span.updateAttributes { attributes in
            attributes["codeforge.task.id"] = task.id
            attributes["codeforge.task.type"] = task.type.rawValue
            attributes["codeforge.iteration"] = run.iteration
            attributes["codeforge.attempt"] = run.attempt
            attributes["codeforge.cli"] = cli
        }
        for phase in isReview ? [] : outcome.phases ?? [] {
            let (span, _) = self.span("task.\(phase.name.rawValue)", of: run, under: root.place, from: phase.startedAt)
            if phase.name == .run { RunTracing.describe(outcome.usage, on: span) }
            if outcome.failure != nil, phase == outcome.phases?.last { RunTracing.fail(span, outcome) }
            span.end(at: Instant(phase.endedAt))
        }
        if isReview { RunTracing.describe(outcome.usage, on: root.span) }
        if outcome.failure != nil { RunTracing.fail(root.span, outcome) }
        root.span.end(at: Instant(end))
    }

    private func span(
        _ name: String, of run: RunID, under parent: TraceContext, from start: Timestamp
    ) -> (span: any Tracing.Span, place: TraceContext) {
        var context = ServiceContext.topLevel
        tracer.extract(["traceparent": parent.traceparent], into: &context, using: Headers())
        let id = RunTracing.spanID(run, name)
        context[PresetSpanID.self] = id
        let span = tracer.startSpan(name, context: context, ofKind: .internal, at: Instant(start))
        return (span, parent.at(span: id) ?? parent)
    }

    private static func fail(_ span: any Tracing.Span, _ outcome: JobOutcome) {
        span.attributes["error.type"] = outcome.failure?.rawValue
        span.setStatus(SpanStatus(code: .error, message: outcome.error))
    }

    /// Names: OpenTelemetry's semantic conventions for generative AI.
    private static func describe(_ usage: Usage, on span: any Tracing.Span) {
        guard usage.inputTokens + usage.outputTokens > 0 else { return }
        span.attributes["gen_ai.usage.input_tokens"] = usage.inputTokens
        span.attributes["gen_ai.usage.output_tokens"] = usage.outputTokens
    }

    /// FNV-1a of what names the span: spread well enough to be unique within a trace.
    static func spanID(_ run: RunID, _ name: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in "\(run.taskID)/\(run.iteration)/\(run.attempt)/\(run.purpose.rawValue)/\(name)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        return hash == 0 ? 1 : hash
    }

    private struct Headers: Extractor, Injector {
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    }

    private struct Instant: TracerInstant {
        let nanosecondsSinceEpoch: UInt64

        init(_ time: Timestamp) { nanosecondsSinceEpoch = UInt64(max(0, time.nanoseconds)) }

        static func < (a: Instant, b: Instant) -> Bool { a.nanosecondsSinceEpoch < b.nanosecondsSinceEpoch }
    }
}

/// The id the next span must get.
package enum PresetSpanID: ServiceContextKey { package typealias Value = UInt64 }

extension Logger.Metadata {
    /// With the trace of the task the line is about.
    func tracing(_ id: String?) -> Logger.Metadata {
        guard let id else { return self }
        return merging(["trace_id": "\(id)"]) { $1 }
    }
}
