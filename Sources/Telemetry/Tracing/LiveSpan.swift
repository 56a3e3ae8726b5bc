import Synchronization
package import Tracing

/// A span that goes on. Events and links are not kept: nothing here makes any.
package final class LiveSpan: Tracing.Span {
    package let context: ServiceContext
    private let sink: SpanTracer.Sink
    /// `nil` when it is not recorded, or is over.
    private let span: Mutex<FinishedSpan?>
    private let name: Mutex<String>

    init(context: ServiceContext, name: String, span: FinishedSpan?, sink: @escaping SpanTracer.Sink) {
        self.context = context
        self.sink = sink
        self.span = Mutex(span)
        self.name = Mutex(name)
    }

    package var isRecording: Bool { span.withLock { $0 != nil } }

    package var operationName: String {
        get { name.withLock { $0 } }
        set { name.withLock { $0 = newValue } }
    }

    package var attributes: SpanAttributes {
        get { span.withLock { $0?.attributes } ?? [:] }
        set { span.withLock { $0?.attributes = newValue } }
    }

    package func setStatus(_ status: SpanStatus) { span.withLock { $0?.status = status } }
    package func addEvent(_ event: SpanEvent) {}
    package func addLink(_ link: SpanLink) {}

    package func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        setStatus(SpanStatus(code: .error, message: "\(error)"))
    }

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let finished = span.withLock { span in
            defer { span = nil }
            return span
        }
        guard var finished else { return }
        finished.name = operationName
        finished.end = max(finished.start, instant().nanosecondsSinceEpoch)
        sink(finished)
    }
}
