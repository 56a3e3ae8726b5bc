import HTTPTypes
import Hummingbird
import Logging

/// What every request passes, matched or not: its id, error answers, unknown paths, metrics and the log.
struct EdgeMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let access: BearerAccess
    let index: RouteIndex
    let metrics: HTTPMetrics

    func handle(
        _ request: Request,
        context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        context.requestID = RequestID.accept(request.headers[.requestID]) ?? RequestID.make()
        var route = "unknown"
        var response: Response
        do {
            // What is logged on the way carries the id too.
            response = try await withLogger(mergingMetadata: ["request_id": "\(context.requestID)"]) { [context] _ in
                try await next(request, context)
            }
            route = context.endpointPath ?? route
        } catch let error as HTTPError where context.endpointPath == "NotFound" && error.status == .notFound {
            response = await unmatched(request, context)
        } catch {
            route = context.endpointPath ?? route
            let failure = HTTPFailure(error)
            if failure.status.code >= 500 { report(error, request, context, route) }
            response = failure.response(requestID: context.requestID)
        }
        response.headers[.requestID] = context.requestID
        response.headers[.contentTypeOptions] = "nosniff"
        if request.method == .head, response.body.contentLength != 0 { response = response.createHeadResponse() }
        let duration = ContinuousClock.now - start
        let isStream = response.body.contentLength == nil
        metrics.record(
            method: request.method,
            route: route,
            status: response.status.code,
            duration: isStream ? nil : duration
        )
        context.logger.debug(
            "request answered",
            metadata: [
                "request_id": "\(context.requestID)", "http.method": "\(request.method.rawValue)",
                "http.route": "\(route)", "http.status": .stringConvertible(response.status.code),
                "http.seconds": .stringConvertible(duration.seconds),
            ]
        )
        return response
    }

    /// No route, or none with this method. The part that needs a token tells strangers nothing about its paths.
    private func unmatched(_ request: Request, _ context: APIContext) async -> Response {
        func failure(_ failure: HTTPFailure) -> Response { failure.response(requestID: context.requestID) }
        let path = request.uri.path
        if RouteIndex.isProtected(path: path) {
            do { _ = try await access.authenticate(request.headers) } catch { return failure(HTTPFailure(error)) }
        }
        guard let allowed = index.allowed(path: path) else {
            return failure(HTTPFailure(.notFound, "404 page not found"))
        }
        if request.method == .options { return Response(status: .noContent, headers: [.allow: allowed]) }
        return failure(
            HTTPFailure(
                .methodNotAllowed,
                "method \(request.method.rawValue) is not allowed here; allowed: \(allowed)",
                headers: [.allow: allowed]
            )
        )
    }

    private func report(_ error: any Error, _ request: Request, _ context: APIContext, _ route: String) {
        context.logger.error(
            "request failed",
            metadata: [
                "request_id": "\(context.requestID)", "http.method": "\(request.method.rawValue)",
                "http.route": "\(route)", "error": "\(error)",
            ]
        )
    }
}

extension HTTPField.Name {
    // Both are valid names; the initializer only refuses characters that are not in them.
    static let requestID = HTTPField.Name("X-Request-Id") ?? .upgrade
    static let contentTypeOptions = HTTPField.Name("X-Content-Type-Options") ?? .upgrade
    static let accelBuffering = HTTPField.Name("X-Accel-Buffering") ?? .upgrade
    static let diffTruncated = HTTPField.Name("X-Diff-Truncated") ?? .upgrade
    static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .upgrade
}

extension Duration {
    /// With the fraction.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
