import HTTPTypes
import Hummingbird
import HummingbirdTesting
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
                #expect(answer.body == #"{"error":"unauthorized","message":"missing or invalid Bearer token"}"# + "\n")
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

    @Test func twoAuthorizationHeadersAreNone() throws {
        var headers = HTTPFields()
        headers.append(HTTPField(name: .authorization, value: "Bearer t"))
        #expect(try BearerAccess(tokens: ["t"]).authenticate(headers) == "t")
        headers.append(HTTPField(name: .authorization, value: "Bearer t"))
        #expect(throws: HTTPFailure.self) { try BearerAccess(tokens: ["t"]).authenticate(headers) }
    }

    @Test func emptyTokensOpenNothing() {
        #expect(throws: HTTPFailure.self) {
            try BearerAccess(tokens: [""]).authenticate([.authorization: "Bearer "])
        }
    }
}
