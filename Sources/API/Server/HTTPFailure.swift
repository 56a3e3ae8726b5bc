import Domain
import HTTPTypes
import Hummingbird
import NIOCore

/// An answer that is an error, in the shape of the API.
struct HTTPFailure: Error {
    var status: HTTPResponse.Status
    /// The `error` member; the status' reason phrase but for the two of the middleware.
    var error: String
    var message: String
    var fields: [(name: String, reason: String)] = []
    var headers: HTTPFields = [:]

    init(
        _ status: HTTPResponse.Status,
        _ message: String,
        error: String? = nil,
        fields: [(name: String, reason: String)] = [],
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.error = error ?? status.reasonPhrase
        self.message = message
        self.fields = fields
        self.headers = headers
    }

    static var unauthorized: HTTPFailure {
        HTTPFailure(
            .unauthorized,
            "missing or invalid Bearer token",
            error: "unauthorized",
            headers: [.wwwAuthenticate: "Bearer"]
        )
    }

    static func forbidden(_ role: TokenRole, needs: TokenRole) -> HTTPFailure {
        HTTPFailure(
            .forbidden,
            "this token's role is \(role.rawValue), which may not do this; it takes \(needs.rawValue)",
            headers: [.wwwAuthenticate: #"Bearer error="insufficient_scope""#]
        )
    }

    static func tooManyRequests(retryAfter seconds: Int) -> HTTPFailure {
        HTTPFailure(
            .tooManyRequests,
            "rate limit exceeded, retry after \(seconds)s",
            error: "rate_limit_exceeded",
            headers: [.retryAfter: String(seconds)]
        )
    }

    static func tooLarge(limit: Int) -> HTTPFailure {
        HTTPFailure(.contentTooLarge, "request body is larger than \(limit) bytes", error: "Request Entity Too Large")
    }

    /// What any error becomes. What is not ours to explain is an internal error without details.
    init(_ error: any Error) {
        switch error {
        case let failure as HTTPFailure: self = failure
        case let error as CodeForgeError: self.init(error)
        case is CancellationError: self = HTTPFailure.timeout
        case let error as any HTTPResponseError where (400..<500).contains(error.status.code):
            self.init(error.status, error.status.reasonPhrase)
        default: self.init(.internalServerError, "internal server error")
        }
    }

    /// The one table from error codes to HTTP.
    private init(_ error: CodeForgeError) {
        switch error.code {
        case .invalidArgument: self.init(.badRequest, error.message, fields: error.fields)
        case .notFound: self.init(.notFound, error.message)
        case .conflict: self.init(.conflict, error.message)
        case .unauthorized: self = .unauthorized
        case .forbidden: self.init(.forbidden, error.message)
        case .limited: self.init(.tooManyRequests, error.message, error: "rate_limit_exceeded")
        case .unavailable: self.init(.serviceUnavailable, error.message)
        case .timeout, .cancelled: self = .timeout
        case .failed: self.init(.internalServerError, error.message)
        case .upstream: self.init(.badGateway, error.message)
        default: self.init(.internalServerError, "internal server error")
        }
    }

    /// The 60 s budget of a request is used up.
    static var timeout: HTTPFailure { HTTPFailure(.gatewayTimeout, "the request took longer than 60s") }

    /// - Parameter requestID: So that a person who has the answer finds the log.
    func response(requestID: String) -> Response {
        var response = Response.json(status) { json in
            json.name("error")
            json.string(error)
            json.name("message")
            json.string(message)
            if !fields.isEmpty {
                json.name("fields")
                json.beginObject()
                for (name, reason) in fields {
                    json.name(dynamic: name)
                    json.string(reason)
                }
                json.endObject()
            }
            json.member("request_id", requestID)
        }
        for header in headers { response.headers.append(header) }
        return response
    }
}
