import HTTPTypes
import Hummingbird
import Tracing

/// One server span for each request, as a child of what the client says in `traceparent`. Everything the request makes
/// happen sees it as `ServiceContext.current`.
struct TracingMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let tracer: any Tracer
    /// Routes without a span: streams, which may last for hours, and what is asked every few seconds.
    let exempt: RouteIndex

    static func isExempt(_ route: Route) -> Bool {
        route.isStream || ["/health", "/ready", "/metrics"].contains(route.path)
    }

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        if exempt.allowed(path: request.uri.path) != nil { return try await next(request, context) }
        var trace = ServiceContext.topLevel
        tracer.extract(request.headers, into: &trace, using: TraceHeaders())
        let method = TracingMiddleware.methods.contains(request.method) ? request.method.rawValue : "_OTHER"
        let span = tracer.startSpan(method, context: trace, ofKind: .server)
        defer { span.end() }
        let response = try await ServiceContext.withValue(span.context) { try await next(request, context) }
        let route = context.endpointPath.flatMap { $0 == "NotFound" ? nil : $0 }
        if let route { span.operationName = method + " " + route }
        span.updateAttributes { attributes in
            attributes["http.request.method"] = method
            attributes["http.route"] = route
            attributes["http.response.status_code"] = response.status.code
        }
        if response.status.code >= 500 { span.setStatus(SpanStatus(code: .error)) }
        return response
    }

    private static let methods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]
}

/// A header that is there twice says nothing.
private struct TraceHeaders: Extractor {
    func extract(key: String, from headers: HTTPFields) -> String? {
        guard let name = HTTPField.Name(key) else { return nil }
        let values = headers[values: name]
        return values.count == 1 ? values[0] : nil
    }
}
