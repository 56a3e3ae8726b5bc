import HTTPTypes
import Metrics
import Synchronization

/// Counts requests under the reference's names. Labels come from closed sets: a client can't make new series.
final class HTTPMetrics: Sendable {
    fileprivate struct Key: Hashable {
        var method: String
        var route: String
        var status: Int
    }

    fileprivate struct Handles {
        var counters: [Key: Counter] = [:]
        var timers: [Key: Timer] = [:]
    }

    private let handles = Mutex(Handles())

    /// - Parameters:
    ///   - route: The route's template, or `unknown`.
    ///   - duration: `nil` for a stream, whose length says nothing about us.
    func record(method: HTTPRequest.Method, route: String, status: Int, duration: Duration?) {
        let name = HTTPMetrics.known.contains(method) ? method.rawValue : "OTHER"
        let (counter, timer) = handles.withLock { handles in
            (
                handles.counter(Key(method: name, route: route, status: status)),
                duration == nil ? nil : handles.timer(Key(method: name, route: route, status: 0))
            )
        }
        counter.increment()
        if let duration { timer?.record(duration: duration) }
    }

    /// Counters so far, for tests.
    var seriesCount: Int { handles.withLock { $0.counters.count } }

    private static let known: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]
}

extension HTTPMetrics.Handles {
    fileprivate mutating func counter(_ key: HTTPMetrics.Key) -> Counter {
        if let counter = counters[key] { return counter }
        let counter = Counter(
            label: "codeforge_http_requests_total",
            dimensions: [("method", key.method), ("path", key.route), ("status", String(key.status))]
        )
        counters[key] = counter
        return counter
    }

    fileprivate mutating func timer(_ key: HTTPMetrics.Key) -> Timer {
        if let timer = timers[key] { return timer }
        let timer = Timer(
            label: "codeforge_http_request_duration_seconds",
            dimensions: [("method", key.method), ("path", key.route)]
        )
        timers[key] = timer
        return timer
    }
}
