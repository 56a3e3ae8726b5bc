import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import API

@Suite struct CORSTests {
    private static let origin = "https://app.example.com"

    private var rig: APIRig {
        var rig = APIRig()
        rig.corsOrigins = [CORSTests.origin, "http://localhost:3000"]
        return rig
    }

    private static let preflight: HTTPFields = [
        .origin: origin, .accessControlRequestMethod: "POST",
        .accessControlRequestHeaders: "authorization,content-type",
    ]

    @Test func withoutTheSettingNothingIsSaid() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let answer = try await client.ask(.get, "/api/v1/task-types", headers: [.origin: Self.origin])
            #expect(answer.status == 200 && answer.headers[.accessControlAllowOrigin] == nil)
            #expect(answer.headers[.vary] == nil)
            let preflight = try await client.ask(.options, "/api/v1/tasks", token: nil, headers: Self.preflight)
            #expect(preflight.status == 401)
        }
    }

    @Test func aPageOfANamedOriginMayCall() async throws {
        try await rig.application.test(.router) { client async throws in
            // No token: browsers send none with a preflight.
            let preflight = try await client.ask(.options, "/api/v1/tasks", token: nil, headers: Self.preflight)
            #expect(preflight.status == 204 && preflight.headers[.accessControlAllowOrigin] == Self.origin)
            #expect(preflight.headers[.accessControlAllowMethods]?.contains("POST") == true)
            #expect(preflight.headers[.accessControlAllowHeaders]?.contains("Authorization, Content-Type") == true)
            #expect(preflight.headers[.accessControlAllowCredentials] == nil)
            for (path, token, status) in [
                ("/api/v1/task-types", APIRig.token, 200), ("/api/v1/tasks/none", APIRig.token, 404),
                ("/api/v1/task-types", "wrong", 401),
            ] {
                let answer = try await client.ask(.get, path, token: token, headers: [.origin: Self.origin])
                #expect(answer.status == status && answer.headers[.accessControlAllowOrigin] == Self.origin)
                #expect(answer.headers[.vary] == "Origin")
                #expect(answer.headers[.accessControlExposeHeaders]?.contains("X-Request-Id") == true)
            }
        }
    }

    @Test func noOtherOriginIsLetIn() async throws {
        try await rig.application.test(.router) { client async throws in
            for origin in ["https://evil.example", "https://app.example.com.evil.example", "null", "*", ""] {
                var headers = Self.preflight
                headers[.origin] = origin
                let preflight = try await client.ask(.options, "/api/v1/tasks", token: nil, headers: headers)
                #expect(preflight.status == 401 && preflight.headers[.accessControlAllowOrigin] == nil)
                let answer = try await client.ask(.get, "/api/v1/task-types", headers: [.origin: origin])
                #expect(answer.status == 200 && answer.headers[.accessControlAllowOrigin] == nil)
                #expect(answer.headers[.vary] == "Origin", "a cache must not give it to the others")
            }
        }
    }

    @Test func aPreflightTellsNothingOfPaths() async throws {
        try await rig.application.test(.router) { client async throws in
            let known = try await client.ask(.options, "/api/v1/tasks", token: nil, headers: Self.preflight)
            let unknown = try await client.ask(.options, "/api/v1/nothing", token: nil, headers: Self.preflight)
            #expect(known.status == unknown.status && known.headers == unknown.headers)
        }
    }
}
