package import HTTPTypes
import Hummingbird

/// One operation of the API. The router, the 405 answers, the documentation page and the test that holds the
/// OpenAPI description come from the same list of these.
package struct Route: Sendable {
    typealias Handler = @Sendable (Request, APIContext) async throws -> Response

    package enum Access: Sendable { case open, token }

    package let method: HTTPRequest.Method
    /// Template such as `/api/v1/tasks/{taskID}`.
    package let path: String
    package let access: Access
    /// Whether the 60 s limit holds; streams are exempt.
    package let isLimited: Bool
    package let summary: String
    let handler: Handler

    init(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ summary: String,
        access: Access = .token,
        isLimited: Bool = true,
        handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.access = access
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
        var methods: Set<String> = []
        for template in templates where RouteIndex.matches(template.segments, segments) {
            methods.formUnion(template.methods.map(\.rawValue))
        }
        guard !methods.isEmpty else { return nil }
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
