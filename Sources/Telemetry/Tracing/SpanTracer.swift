package import Domain
package import Logging
package import Tracing

/// The service's tracer: decides which traces are kept, and hands finished spans on.
package struct SpanTracer: Tracer {
    /// What the spans of a context hang on.
    private enum Key: ServiceContextKey {
        typealias Value = TraceContext
        static let nameOverride: String? = "trace"
    }

    /// Gets each finished span of a trace that is kept; must not block.
    package typealias Sink = @Sendable (FinishedSpan) -> Void

    private let samplingRate: Double
    private let presetSpanID: @Sendable (ServiceContext) -> UInt64?
    private let sink: Sink

    /// - Parameters:
    ///   - samplingRate: Share of the traces begun here that is kept, 0…1; others were decided over by who began them.
    ///   - presetSpanID: The id a span to be started in that context must get, if there is one.
    package init(
        samplingRate: Double, presetSpanID: @escaping @Sendable (ServiceContext) -> UInt64? = { _ in nil },
        sink: @escaping Sink
    ) {
        self.samplingRate = samplingRate
        self.presetSpanID = presetSpanID
        self.sink = sink
    }

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> LiveSpan {
        var context = context()
        let parent = context[Key.self]
        let traceID = parent?.traceID ?? UInt128.random(in: 1 ... .max)
        let place = TraceContext(
            traceID: traceID, spanID: presetSpanID(context) ?? UInt64.random(in: 1 ... .max),
            isSampled: parent?.isSampled ?? keeps(traceID))
        context[Key.self] = place
        // Without a place (a preset id of 0) there is nothing to record.
        let span = place.flatMap { place in
            place.isSampled
                ? FinishedSpan(
                    place: place, parentID: parent?.spanID, name: operationName, kind: kind,
                    start: instant().nanosecondsSinceEpoch)
                : nil
        }
        return LiveSpan(context: context, name: operationName, span: span, sink: sink)
    }

    /// The same for every span of a trace: decided by its random low bits.
    private func keeps(_ traceID: UInt128) -> Bool {
        Double(UInt64(truncatingIfNeeded: traceID) >> 11) < samplingRate * Double(1 << 53 as UInt64)
    }

    @available(*, deprecated)
    package func forceFlush() {}

    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        context[Key.self] = extractor.extract(key: "traceparent", from: carrier).flatMap {
            TraceContext(traceparent: $0)
        }
    }

    package func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let place = context[Key.self] else { return }
        injector.inject(place.traceparent, forKey: "traceparent", into: &carrier)
    }

    /// Log lines name the trace they belong to.
    package static let logMetadata = Logger.MetadataProvider {
        guard let place = ServiceContext.current?[Key.self] else { return [:] }
        return ["trace_id": "\(place.traceIDText)", "span_id": "\(place.spanIDText)"]
    }
}

/// A span that is over.
package struct FinishedSpan: Sendable {
    package var place: TraceContext
    package var parentID: UInt64?
    package var name: String
    package var kind: SpanKind
    /// Nanoseconds since 1970.
    package var start: UInt64
    package var end: UInt64
    package var attributes: SpanAttributes = [:]
    package var status: SpanStatus?

    init(place: TraceContext, parentID: UInt64?, name: String, kind: SpanKind, start: UInt64) {
        self.place = place
        self.parentID = parentID
        self.name = name
        self.kind = kind
        self.start = start
        self.end = start
    }
}
