import Domain
import Engine
import HTTPTypes
import Hummingbird

/// Registered keys. Their tokens never come back.
struct KeyRoutes: Sendable {
    private let keys: KeyService
    private let body: BodyReader

    init(_ dependencies: APIDependencies) {
        keys = dependencies.keys
        body = BodyReader(limit: dependencies.maxBodyBytes)
    }

    var routes: [Route] {
        [
            Route(.post, "/api/v1/keys", "Register a key", handler: register),
            Route(.get, "/api/v1/keys", "List keys", handler: list),
            Route(.delete, "/api/v1/keys/{name}", "Delete a key", handler: remove),
            Route(.get, "/api/v1/keys/{name}/verify", "Try a key at its provider", access: .admin, handler: verify),
        ]
    }

    private struct RegisterKeyRequest: Decodable {
        var name: String?
        var provider: String?
        var token: String?
        var scope: String?
        var base_url: String?

        var draft: KeyDraft {
            KeyDraft(
                name: name ?? "", provider: provider ?? "", token: token ?? "", scope: scope ?? "", baseURL: base_url)
        }
    }

    @Sendable private func register(_ request: Request, _ context: APIContext) async throws -> Response {
        let key = try await keys.register(body.decode(RegisterKeyRequest.self, from: request).draft)
        return .json(.created) { json in
            json.member("name", key.name)
            json.member("provider", key.provider.rawValue)
            json.member("message", "key registered")
        }
    }

    @Sendable private func list(_ request: Request, _ context: APIContext) async throws -> Response {
        let found = try await keys.list()
        return .json { json in
            json.name("keys")
            json.beginArray()
            for key in found {
                json.beginObject()
                json.member("name", key.name)
                json.member("provider", key.provider.rawValue)
                json.member("scope", key.scope)
                json.member(ifAny: "base_url", key.base?.text)
                json.member("created_at", key.createdAt)
                json.endObject()
            }
            json.endArray()
        }
    }

    @Sendable private func remove(_ request: Request, _ context: APIContext) async throws -> Response {
        try await keys.remove(context.decoded("name"))
        return .json { $0.member("message", "key deleted") }
    }

    @Sendable private func verify(_ request: Request, _ context: APIContext) async throws -> Response {
        let check = try await keys.verify(context.decoded("name"))
        return .json(check.error == nil ? .ok : .unprocessableContent) { json in
            json.member("name", check.name)
            json.member("provider", check.provider.rawValue)
            json.member("valid", check.error == nil)
            json.member("username", check.account.username)
            json.member("email", check.account.email)
            json.member("scopes", check.account.scopes)
            json.member("error", check.error ?? "")
        }
    }
}
