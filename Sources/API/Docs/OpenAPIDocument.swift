// Generated from api/openapi.yaml by `UPDATE_GENERATED=1 swift test --filter documentIsEmbedded`. Do not edit.

/// The API's description, as served.
package enum OpenAPIDocument {
    package static let yaml = #"""
        openapi: 3.1.0

        """#
}
