import HTTPTypes
import Hummingbird

/// The HTML of `/api/docs`.
enum DocsPage {
    /// Swagger UI, from our own files only.
    static let swagger = Response.text(
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <title>CodeForge API</title>
        <link rel="stylesheet" href="/api/docs/assets/swagger-ui.css">
        </head>
        <body>
        <div id="swagger-ui"></div>
        <script src="/api/docs/assets/swagger-ui-bundle.js"></script>
        <script src="/api/docs/assets/start.js"></script>
        </body>
        </html>

        """,
        type: "text/html; charset=utf-8",
        headers: [
            .contentSecurityPolicy:
                "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
        ]
    )

    static let start = Response.text(
        "SwaggerUIBundle({ url: '/api/docs/openapi.yaml', dom_id: '#swagger-ui', deepLinking: true });\n",
        type: "text/javascript; charset=utf-8"
    )

    /// A page without scripts: the operations, then the whole description.
    static func plain(_ routes: [Route]) -> Response {
        let rows = routes.map { route in
            "<tr><td><code>\(route.method.rawValue)</code></td><td><code>\(escape(route.path))</code></td>"
                + "<td>\(escape(route.summary))</td><td>\(route.access.role?.rawValue ?? "")</td></tr>\n"
        }
        return Response.text(
            """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>CodeForge API</title>
            <style>
            body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
            table { border-collapse: collapse; width: 100%; }
            td, th { border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left; vertical-align: top; }
            pre { background: #8881; overflow-x: auto; padding: 1rem; font-size: 13px; }
            </style>
            </head>
            <body>
            <h1>CodeForge API</h1>
            <p>Operations with an access want <code>Authorization: Bearer …</code> with a token of that role: <em>read</em>,
            <em>submit</em> (which may read too) or <em>admin</em> (which may do everything). The description below is
            <a href="/api/docs/openapi.yaml">/api/docs/openapi.yaml</a> (OpenAPI 3.1).</p>
            <table>
            <tr><th>Method</th><th>Path</th><th>What it does</th><th>Access</th></tr>
            \(rows.joined())</table>
            <h2>Description</h2>
            <pre>\(escape(OpenAPIDocument.yaml))</pre>
            </body>
            </html>

            """,
            type: "text/html; charset=utf-8",
            headers: [
                .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
            ]
        )
    }

    private static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
