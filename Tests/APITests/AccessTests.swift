import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestKit
import Testing

@testable import API

@Suite struct AccessTests {
    @Test(arguments: [
        "", "Bearer", "Bearer ", "bearer a-good-token", "Basic a-good-token", "a-good-token", "Bearer a-good-toke",
        "Bearer a-good-token2", "Bearer  a-good-token", "Bearer a-good-tokenx,Bearer a-good-token",
    ])
    func anythingButTheTokenIsRefused(header: String) async throws {
        try await APIRig().application.test(.router) { client async throws in
            for path in ["/api/v1/auth/verify", "/api/v1/tasks", "/api/v1/nothing", "//api//v1/tasks/", "/api/v1"] {
                var headers: HTTPFields = [:]
                if !header.isEmpty { headers[.authorization] = header }
                let answer = try await client.ask(.get, path, token: nil, headers: headers)
                #expect(answer.status == 401, "\(path)")
                let id = try #require(answer.headers[.requestID])
                let seed = #"{"error":"unauthorized","message":"missing or invalid Bearer token","#
                #expect(answer.body == seed + "\"request_id\":\"\(id)\"}\n")
                #expect(answer.headers[.wwwAuthenticate] == "Bearer")
            }
        }
    }

    @Test func theTokenOpensWhatItShould() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let answer = try await client.ask(.get, "/api/v1/auth/verify")
            #expect(answer.status == 200)
            #expect(answer.body == #"{"status":"authenticated"}"# + "\n")
            for path in ["/", "/health", "/ready", "/metrics", "/api/docs", "/api/docs/openapi.yaml"] {
                #expect(try await client.ask(.get, path, token: nil).status == 200, "\(path)")
            }
        }
    }

    @Test func twoAuthorizationHeadersAreNone() async throws {
        let access = BearerAccess(tokens: ["t"], store: InMemoryTokenStore(), digest: { $0 })
        var headers = HTTPFields()
        headers.append(HTTPField(name: .authorization, value: "Bearer t"))
        #expect(try await access.authenticate(headers).role == .admin)
        headers.append(HTTPField(name: .authorization, value: "Bearer t"))
        await #expect(throws: HTTPFailure.self) { try await access.authenticate(headers) }
    }

    @Test func emptyTokensOpenNothing() async {
        let access = BearerAccess(tokens: [""], store: InMemoryTokenStore(), digest: { $0 })
        await #expect(throws: HTTPFailure.self) { try await access.authenticate([.authorization: "Bearer "]) }
    }

    /// Every operation is tried with a token of every role: exactly the roles it declares get past the gate.
    @Test func eachRoleOpensItsOperationsAndNoOthers() async throws {
        let rig = APIRig()
        var made: [TokenRole: String] = [:]
        for role in TokenRole.allCases { made[role] = try await rig.token(role.rawValue, role) }
        let tokens = made
        let routes = rig.server.routes
        try await rig.application.test(.router) { client async throws in
            for route in routes {
                guard let needed = route.access.role else { continue }
                let path = route.path.replacing(/\{\w+\}/, with: "none")
                for (role, token) in tokens {
                    let answer = try await client.ask(route.method, path, token: token)
                    #expect(
                        (answer.status != 403) == (role >= needed),
                        "\(role) \(route.method) \(route.path): \(answer.status)")
                    #expect(answer.status != 401)
                }
            }
            let answer = try await client.ask(.post, "/api/v1/tasks", token: tokens[.read])
            #expect(answer.text("error") == "Forbidden")
            #expect(answer.text("message") == "this token's role is read, which may not do this; it takes submit")
            #expect(answer.headers[.wwwAuthenticate] == #"Bearer error="insufficient_scope""#)
        }
    }

    /// What must not become more open by accident.
    @Test func rolesAreAsDocumented() {
        for route in APIRig().server.routes where route.path.hasPrefix("/api/v1/") {
            guard let role = route.access.role else { continue }
            let changes = route.method != .get
            #expect(!changes || role >= .submit, "\(route.path)")
            if route.path.contains("/sandboxes/") && changes { #expect(role == .admin, "\(route.path)") }
            if route.path.contains("/tasks") && changes { #expect(role == .submit, "\(route.path)") }
        }
    }

    @Test func aRevokedTokenIsGoodForNothing() async throws {
        let rig = APIRig()
        let token = try await rig.token("ci", .submit)
        try await rig.application.test(.router) { client async throws in
            #expect(try await client.ask(.get, "/api/v1/auth/verify", token: token).status == 200)
            // No shorter or longer text is the same token.
            for other in [String(token.dropLast()), token + "0", token.uppercased(), String(token.dropFirst(4))] {
                #expect(try await client.ask(.get, "/api/v1/auth/verify", token: other).status == 401)
            }
            try await rig.tokens.remove(name: "ci")
            #expect(try await client.ask(.get, "/api/v1/auth/verify", token: token).status == 401)
            #expect(try await client.ask(.get, "/api/v1/nothing", token: token).status == 401)
        }
    }

    @Test func withoutTheRecordNoTokenOnRecordIsGood() async throws {
        let rig = APIRig()
        let token = try await rig.token("ci", .admin)
        rig.tokens.fail(with: CodeForgeError(.unavailable, "away"))
        try await rig.application.test(.router) { client async throws in
            for path in ["/api/v1/auth/verify", "/api/v1/nothing"] {
                #expect(try await client.ask(.get, path, token: token).status == 503)
                #expect(try await client.ask(.get, path, token: "guess").status == 401)
            }
            #expect(try await client.ask(.get, "/api/v1/auth/verify").status == 200)
        }
    }
}
