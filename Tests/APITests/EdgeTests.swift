import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOPosix
import TestKit
import Testing

@testable import API

@Suite struct EdgeTests {
    @Test func unknownPathsAreNotFound() async throws {
        try await APIRig().application.test(.router) { client async throws in
            for (path, token) in [("/nope", nil), ("/api/v2/tasks", nil), ("/api/v1/nope", APIRig.token)] {
                let answer = try await client.ask(.get, path, token: token)
                #expect(answer.status == 404)
                #expect(answer.text("error") == "Not Found")
                #expect(answer.text("message") == "404 page not found")
            }
        }
    }

    @Test func wrongMethodsAreToldTheRightOnes() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let answer = try await client.ask(.delete, "/api/v1/tasks")
            #expect(answer.status == 405)
            #expect(answer.headers[.allow] == "GET, HEAD, OPTIONS, POST")
            #expect(answer.text("error") == "Method Not Allowed")
            #expect(try await client.ask(.delete, "/api/v1/tasks", token: nil).status == 401)
            #expect(try await client.ask(.get, "/api/v1/tasks/x/cancel/").headers[.allow] == "OPTIONS, POST")
            let options = try await client.ask(.options, "/health", token: nil)
            #expect(options.status == 204)
            #expect(options.headers[.allow] == "GET, HEAD, OPTIONS")
        }
    }

    @Test func trailingSlashesMakeNoDifference() async throws {
        try await APIRig().application.test(.router) { client async throws in
            for path in ["/api/v1/tasks/", "/api/v1/task-types/", "/api/v1/cli/", "/health/", "/api/docs/"] {
                #expect(try await client.ask(.get, path).status == 200, "\(path)")
            }
        }
    }

    @Test func headIsGetWithoutTheBody() async throws {
        try await APIRig().application.test(.live) { client async throws in
            let get = try await client.ask(.get, "/api/v1/task-types")
            let head = try await client.ask(.head, "/api/v1/task-types")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(head.headers[.contentLength] == get.headers[.contentLength])
            let missing = try await client.ask(.head, "/api/v1/tasks/none")
            #expect(missing.status == 404)
            #expect(missing.body.isEmpty)
            // The connection is still in step.
            #expect(try await client.ask(.get, "/ready").status == 200)
        }
    }

    @Test func requestIDsAreKeptOrMade() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let kept = try await client.ask(.get, "/ready", headers: [.requestID: "abc-123"])
            #expect(kept.headers[.requestID] == "abc-123")
            for bad in ["has space", String(repeating: "x", count: 129), "ünï"] {
                let made = try await client.ask(.get, "/ready", headers: [.requestID: bad])
                #expect(try #require(made.headers[.requestID]).wholeMatch(of: /[0-9a-f]{16}/) != nil)
            }
            #expect(try await client.ask(.get, "/nope").headers[.requestID] != nil)
            #expect(try await client.ask(.get, "/nope").headers[.contentTypeOptions] == "nosniff")
        }
    }

    @Test func errorsCarryTheRequestID() async throws {
        var rig = APIRig()
        rig.maxBodyBytes = 1024
        rig.store.fail(with: CodeForgeError(.internal, "secret detail"))
        try await rig.application.test(.live) { client async throws in
            let asked: [(HTTPRequest.Method, String, String?, String?, Int)] = [
                (.get, "/nope", nil, nil, 404), (.get, "/api/v1/tasks", nil, nil, 401),
                (.delete, "/api/v1/tasks", nil, APIRig.token, 405), (.post, "/api/v1/tasks", "{", APIRig.token, 400),
                (.post, "/api/v1/tasks", String(repeating: " ", count: 2000), APIRig.token, 413),
                (.get, "/api/v1/tasks/x", nil, APIRig.token, 500),
            ]
            for (method, path, body, token, status) in asked {
                let answer = try await client.ask(
                    method, path, body, token: token, headers: [.requestID: "r-\(status)"])
                #expect(answer.status == status)
                #expect(answer.text("request_id") == "r-\(status)")
                #expect(answer.headers[.requestID] == "r-\(status)")
                #expect(!answer.body.contains("secret"))
            }
            let made = try await client.ask(.get, "/nope")
            #expect(made.text("request_id") == made.headers[.requestID])
        }
    }

    /// Over a socket, with a length and in pieces without one.
    @Test func bodiesOverTheLimitAreRefusedInEitherForm() async throws {
        var rig = APIRig()
        rig.maxBodyBytes = 1024
        try await rig.application.test(.live) { client async throws in
            let long = String(repeating: " ", count: 1025)
            let port = UInt16(try #require(client.port))
            for (header, body) in [
                ("Content-Length: 1025", long), ("Content-Length: 9999999999999", ""),
                ("Transfer-Encoding: chunked", "401\r\n\(long)\r\n0\r\n\r\n"),
            ] {
                let socket = try #require(LocalSocket.connect(port: port))
                let head = "POST /api/v1/tasks HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(APIRig.token)\r\n"
                #expect(socket.write(head + header + "\r\n\r\n" + body))
                let answer = await StreamClient.blocking { socket.read(until: "}\n") }
                #expect(answer.hasPrefix("HTTP/1.1 413 "), "\(header): \(answer)")
                #expect(answer.contains("request body is larger than 1024 bytes"))
                socket.shut()
            }
        }
    }

    @Test func whatTakesTooLongIsAnswered504() async throws {
        var rig = APIRig()
        rig.requestLimit = .seconds(5)
        let server = rig.server
        let ticker = rig.ticker
        let slow = Route(.get, "/slow", "", access: .read) { _, _ in
            try await Task.sleep(for: .seconds(3600))
            return Response(status: .ok)
        }
        let router = Router(context: APIContext.self)
        router.add(middleware: EdgeMiddleware(access: server.access, index: RouteIndex([slow]), metrics: HTTPMetrics()))
        router.get("/slow", use: server.guarded(slow))
        try await Application(router: router).test(.router) { client async throws in
            async let asked = client.ask(.get, "/slow")
            _ = try await eventually("the waiter") { ticker.count == 1 ? true : nil }
            ticker.tick(.now + .seconds(6))
            let answer = try await asked
            #expect(answer.status == 504)
            #expect(answer.text("error") == "Gateway Timeout")
            #expect(answer.text("request_id") != nil)
        }
    }

    @Test func errorsOfPartsBecomeStatuses() async throws {
        let rig = APIRig()
        for (code, status, message) in [
            (CodeForgeError.Code.unavailable, 503, "away"), (.internal, 500, "internal server error"),
            (.timeout, 504, "the request took longer than 60s"), (.forbidden, 403, "away"),
        ] {
            rig.store.fail(with: CodeForgeError(code, "away"))
            try await rig.application.test(.router) { client async throws in
                let answer = try await client.ask(.get, "/api/v1/tasks/x")
                #expect(answer.status == status)
                #expect(answer.text("message") == message)
            }
        }
    }

    @Test func aRequestThatTakesTooLongIsEnded() async throws {
        let ticker = Ticker()
        let budget = TimeBudget(ticker: ticker, limit: .seconds(60))
        async let outcome = Result { () async throws -> Int in
            try await budget.run(on: EventLoopExecutor(MultiThreadedEventLoopGroup.singleton.next())) {
                try await Task.sleep(for: .seconds(3600))
                return 1
            }
        }
        _ = try await eventually("the waiter") { ticker.count == 1 ? true : nil }
        ticker.tick(.now + .seconds(59))
        #expect(ticker.count == 1)
        ticker.tick(.now + .seconds(61))
        guard case .failure(let error as HTTPFailure) = await outcome else {
            Issue.record("not ended")
            return
        }
        #expect(error.status == .gatewayTimeout)
        #expect(ticker.count == 0)
    }

    @Test func unknownMethodsMakeNoNewSeries() {
        let metrics = HTTPMetrics()
        for n in 0..<100 {
            metrics.record(
                method: HTTPRequest.Method("X\(n)")!,
                route: "unknown",
                status: 404,
                duration: .zero
            )
        }
        #expect(metrics.seriesCount == 1)
    }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
