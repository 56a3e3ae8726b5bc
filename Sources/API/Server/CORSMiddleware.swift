import HTTPTypes
import Hummingbird

/// Lets pages of some origins call the API from a browser: the others' calls are answered as ever, and their browsers
/// keep the answer from them. Cookies play no part; the token is in a header that a page must know.
///
/// Source: WHATWG Fetch, "CORS protocol".
struct CORSMiddleware: RouterMiddleware {
    typealias Context = APIContext

    /// As browsers send them.
    let origins: Set<String>

    private static let methods = "GET, HEAD, POST, PUT, PATCH, DELETE"
    private static let sent = [
        "Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Provider-Token", "X-Request-Id",
        "traceparent",
    ].joined(separator: ", ")
    private static let shown = [
        "Allow", "Idempotency-Replayed", "Retry-After", "X-Diff-Truncated", "X-Request-Id",
    ].joined(separator: ", ")
    /// Seconds a browser may remember the answer to a preflight.
    private static let remembered = "600"

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let given = request.headers[values: .origin]
        guard given.count == 1, origins.contains(given[0]) else {
            var response = try await next(request, context)
            response.headers.append(HTTPField(name: .vary, value: "Origin"))
            return response
        }
        var response: Response
        // A preflight brings no token, and is told nothing that depends on the path.
        if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
            response = Response(
                status: .noContent,
                headers: [
                    .accessControlAllowMethods: CORSMiddleware.methods,
                    .accessControlAllowHeaders: CORSMiddleware.sent,
                    .accessControlMaxAge: CORSMiddleware.remembered,
                ])
        } else {
            response = try await next(request, context)
            response.headers[.accessControlExposeHeaders] = CORSMiddleware.shown
        }
        response.headers[.accessControlAllowOrigin] = given[0]
        response.headers.append(HTTPField(name: .vary, value: "Origin"))
        return response
    }
}
