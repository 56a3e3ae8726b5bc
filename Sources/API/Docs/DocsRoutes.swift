import Domain
import FoundationEssentials
import HTTPTypes
import Hummingbird

/// The API's description, and pages that show it without anything from other hosts.
struct DocsRoutes: Sendable {
    private let assets: String
    private let hasAssets: Bool
    private let described: [Route]

    /// - Parameters:
    ///   - assets: Directory with Swagger UI's files. Without all of them, now, the plain page is shown.
    ///   - described: The operations the plain page lists.
    init(assets: String, described: [Route]) {
        self.assets = assets
        hasAssets =
            !assets.isEmpty
            && DocsRoutes.files.keys.allSatisfy { FileManager.default.isReadableFile(atPath: assets + "/" + $0) }
        self.described = described
    }

    var routes: [Route] {
        let page = DocsPage.plain(described)
        let document = OpenAPIDocument.yaml
        return [
            Route(.get, "/api/docs", "Documentation for people", access: .open) { _, _ in
                hasAssets ? DocsPage.swagger : page
            },
            Route(.get, "/api/docs/openapi.yaml", "This description", access: .open) { _, _ in
                .text(document, type: "application/yaml", headers: [.cacheControl: "public, max-age=3600"])
            },
            Route(.get, "/api/docs/assets/{name}", "Files of the documentation page", access: .open, handler: asset),
        ]
    }

    private static let files = [
        "swagger-ui-bundle.js": "text/javascript; charset=utf-8", "swagger-ui.css": "text/css; charset=utf-8",
    ]

    /// Only the names above: nothing a client sends becomes part of a path.
    @Sendable private func asset(_ request: Request, _ context: APIContext) async throws -> Response {
        let name = context.parameters.get("name") ?? ""
        if hasAssets, name == "start.js" { return DocsPage.start }
        guard hasAssets, let type = DocsRoutes.files[name] else {
            throw HTTPFailure(.notFound, "404 page not found")
        }
        do {
            let body = try await FileIO().loadFile(path: assets + "/" + name, context: context)
            return Response(
                status: .ok,
                headers: [.contentType: type, .cacheControl: "public, max-age=3600"],
                body: body
            )
        } catch {
            throw HTTPFailure(.notFound, "404 page not found")
        }
    }
}
