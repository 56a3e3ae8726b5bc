package import Domain
import Logging
import Metrics
import ServiceLifecycle
import Synchronization

/// Sends finished spans to an OTLP collector over HTTP, in batches. Never makes anybody wait: what does not fit is
/// dropped and counted.
package final class SpanExporter: Service {
    package struct Configuration: Sendable {
        /// `http` or `https` URL of a collector's trace receiver, `/v1/traces` included.
        package var url: String
        /// Spans kept while the collector is slow or away.
        package var bufferedSpans: Int
        /// Spans in one request.
        package var batchSpans: Int
        /// Longest time a span waits for others.
        package var interval: Duration
        /// Time one request may take.
        package var timeout: Duration

        package init(
            url: String, bufferedSpans: Int = 2048, batchSpans: Int = 512, interval: Duration = .seconds(5),
            timeout: Duration = .seconds(10)
        ) {
            self.url = url
            self.bufferedSpans = bufferedSpans
            self.batchSpans = batchSpans
            self.interval = interval
            self.timeout = timeout
        }

        /// The receiver behind `tracing.endpoint`: a base URL, or host and port alone.
        package static func url(endpoint: String) -> String {
            var base = endpoint.isEmpty ? "http://localhost:4318" : endpoint
            if !base.contains("://") { base = "http://" + base }
            while base.hasSuffix("/") { base.removeLast() }
            return base + "/v1/traces"
        }
    }

    private let configuration: Configuration
    private let version: String
    private let transport: any HTTPTransport
    private let addresses: AddressRule
    private let waiting = Mutex<[FinishedSpan]>([])
    private let waker = Waker()

    /// - Parameter version: Of the service, for the spans' resource.
    /// - Throws: `.invalidArgument` for a malformed URL.
    package init(
        _ configuration: Configuration, version: String, transport: any HTTPTransport
    ) throws(CodeForgeError) {
        self.configuration = configuration
        self.version = version
        self.transport = transport
        do {
            // An operator's own choice: wherever it is.
            addresses = try AddressRule(exceptions: [HTTPURL(configuration.url).authorityWithPort])
        } catch {
            throw CodeForgeError(.invalidArgument, "tracing.endpoint: \(error.message)")
        }
    }

    package func add(_ span: FinishedSpan) {
        let count = waiting.withLock { spans in
            guard spans.count < configuration.bufferedSpans else { return 0 }
            spans.append(span)
            return spans.count
        }
        if count == 0 { dropped(1, "full") }
        if count == configuration.batchSpans { waker.wake() }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.waker.wait(atMost: self.configuration.interval)
                while !Task.isCancelled, await self.sendBatch() {}
            }
        }
        // What the last requests left: one short try.
        let rest = Task { [self] in while await sendBatch(within: .seconds(2)) {} }  // cancelled tasks can't send
        await rest.value
    }

    /// - Returns: Whether more waits.
    private func sendBatch(within limit: Duration? = nil) async -> Bool {
        let (batch, rest) = waiting.withLock { spans in
            let batch = Array(spans.prefix(configuration.batchSpans))
            spans.removeFirst(batch.count)
            return (batch, spans.count)
        }
        guard !batch.isEmpty else { return false }
        let timeout = limit ?? configuration.timeout
        do throws(CodeForgeError) {
            let status = try await transport.send(
                TransportRequest(
                    method: "POST", url: configuration.url,
                    headers: ["Content-Type": "application/json", "User-Agent": "CodeForge"],
                    body: .bytes(OTLPText.encode(batch, service: version)),
                    limits: TransportLimits(connect: timeout, idle: timeout, total: timeout), addresses: addresses)
            ).status
            guard (200..<300).contains(status) else {
                throw CodeForgeError(.unavailable, "the collector answered \(status)")
            }
        } catch {
            dropped(batch.count, "export")
            Logger.current.warning("spans not exported", metadata: ["count": "\(batch.count)", "error": "\(error)"])
        }
        return rest > 0
    }

    private func dropped(_ count: Int, _ reason: String) {
        Counter(label: "codeforge_tracing_dropped_spans_total", dimensions: [("reason", reason)]).increment(by: count)
    }
}

extension HTTPURL {
    fileprivate var authorityWithPort: String { "\(host):\(port)" }
}
