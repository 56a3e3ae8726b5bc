package import Domain
package import HTTPTypes
import Hummingbird

/// One operation of the API. The router, the 405 answers, the documentation page and the test that holds the
/// OpenAPI description come from the same list of these.
package struct Route: Sendable {
    typealias Handler = @Sendable (Request, APIContext) async throws -> Response

    /// Who may call it.
    package enum Access: Sendable, Equatable {
        /// Everybody.
        case open
        /// Whose token has this role, or a higher one.
        case role(TokenRole)

        package static let read = Access.role(.read)
        package static let submit = Access.role(.submit)
        package static let admin = Access.role(.admin)

        package var role: TokenRole? {
            if case .role(let role) = self { return role }
            return nil
        }
    }

    package let method: HTTPRequest.Method
    /// Template such as `/api/v1/tasks/{taskID}`.
    package let path: String
    package let access: Access
    /// Whether the 60 s limit holds; streams are exempt, and what has limits of its own.
    package let isLimited: Bool
    /// Whether the answer may go on for hours.
    var isStream: Bool { !isLimited && method == .get }
    package let summary: String
    let handler: Handler

    /// - Parameter access: Without one, `GET` wants `read` and anything else `admin`.
    init(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ summary: String,
        access: Access? = nil,
        isLimited: Bool = true,
        handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.access = access ?? (method == .get ? .read : .admin)
        self.isLimited = isLimited
        self.summary = summary
        self.handler = handler
    }
}

/// Which methods a path has.
struct RouteIndex: Sendable {
    private let templates: [(segments: [Substring], methods: [HTTPRequest.Method])]

    init(_ routes: [Route]) {
        var methods: [String: [HTTPRequest.Method]] = [:]
        for route in routes { methods[route.path, default: []].append(route.method) }
        templates = methods.map { ($0.key.split(separator: "/"), $0.value) }
    }

    /// The value of `Allow`, or `nil` for a path nobody serves.
    func allowed(path: String) -> String? {
        let segments = path.split(separator: "/")
        // As the router has it: a path that is spelled out comes before one with parameters.
        func parameters(_ template: [Substring]) -> Int { template.count { $0.hasPrefix("{") } }
        let matching = templates.filter { RouteIndex.matches($0.segments, segments) }
        guard let found = matching.min(by: { parameters($0.segments) < parameters($1.segments) }) else { return nil }
        var methods = Set(found.methods.map(\.rawValue))
        if methods.contains("GET") { methods.insert("HEAD") }
        return methods.union(["OPTIONS"]).sorted().joined(separator: ", ")
    }

    /// Whether a path belongs to the part that needs a token, however its slashes are written.
    static func isProtected(path: String) -> Bool {
        path.split(separator: "/").prefix(2) == ["api", "v1"]
    }

    private static func matches(_ template: [Substring], _ path: [Substring]) -> Bool {
        template.count == path.count && zip(template, path).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
