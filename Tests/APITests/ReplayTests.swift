import Domain
import Engine
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Synchronization
import TestKit
import Testing

@testable import API

/// `Idempotency-Key`.
@Suite struct ReplayTests {
    private let good = #"{"repo_url":"file:///srv/x.git","prompt":"p"}"#

    @Test func theSameRequestIsAnsweredAlikeAndCarriedOutOnce() async throws {
        let rig = APIRig()
        try await rig.application.test(.live) { client async throws in
            let first = try await client.ask(.post, "/api/v1/tasks", good, headers: [.idempotencyKey: "k 1"])
            #expect(first.status == 201)
            #expect(first.headers[.idempotencyReplayed] == nil)
            for _ in 0..<3 {
                let again = try await client.ask(.post, "/api/v1/tasks", good, headers: [.idempotencyKey: "k 1"])
                #expect(again.status == 201)
                #expect(again.body == first.body)
                #expect(again.headers[.contentType] == "application/json")
                #expect(again.headers[.idempotencyReplayed] == "true")
            }
            let other = try await client.ask(.post, "/api/v1/tasks", good, headers: [.idempotencyKey: "k 2"])
            #expect(other.text("id") != first.text("id"))
            #expect(try await rig.store.list(status: nil, limit: 10, offset: 0).total == 2)
            #expect(try await rig.queue.depth() == 2)
        }
    }

    @Test func aRunIsStartedOnce() async throws {
        let rig = APIRig()
        try await rig.workflows.insert(WorkflowStoreContract.workflow("w"))
        try await rig.application.test(.live) { client async throws in
            let body = #"{"params":{"a":"1"}}"#
            var answers: Set<String> = []
            for _ in 0..<3 {
                let answer = try await client.ask(
                    .post, "/api/v1/workflows/w/run", body, headers: [.idempotencyKey: "k"])
                #expect(answer.status == 201)
                answers.insert(answer.body)
            }
            #expect(answers.count == 1)
            #expect(try await rig.runs.runs(of: nil, limit: 10).count == 1)
        }
    }

    @Test func anotherRequestUnderTheKeyIsAConflict() async throws {
        let rig = APIRig()
        try await rig.application.test(.live) { client async throws in
            _ = try await client.ask(.post, "/api/v1/tasks", good, headers: [.idempotencyKey: "k"])
            for (path, body) in [("/api/v1/tasks", good + " "), ("/api/v1/tasks?x=1", good), ("/api/v1/tasks", "{")] {
                let answer = try await client.ask(.post, path, body, headers: [.idempotencyKey: "k"])
                #expect(answer.status == 409)
                #expect(answer.text("message") == "this Idempotency-Key was used for another request")
            }
            #expect(try await rig.store.list(status: nil, limit: 10, offset: 0).total == 1)
        }
    }

    @Test func whatWasRefusedMayBeTriedAgain() async throws {
        let rig = APIRig()
        try await rig.application.test(.live) { client async throws in
            let headers: HTTPFields = [.idempotencyKey: "k"]
            #expect(try await client.ask(.post, "/api/v1/tasks", "{}", headers: headers).status == 400)
            rig.store.fail(with: CodeForgeError(.unavailable, "away"))
            #expect(try await client.ask(.post, "/api/v1/tasks", good, headers: headers).status == 503)
            rig.store.fail(with: nil)
            #expect(try await client.ask(.post, "/api/v1/tasks", good, headers: headers).status == 201)
        }
    }

    @Test func keysBelongToTheToken() async throws {
        let rig = APIRig()
        let one = try await rig.token("a", .submit)
        let two = try await rig.token("bb", .submit)
        try await rig.application.test(.live) { client async throws in
            var ids: Set<String?> = []
            for token in [one, two, APIRig.token] {
                let answer = try await client.ask(
                    .post, "/api/v1/tasks", good, token: token, headers: [.idempotencyKey: "k"])
                #expect(answer.status == 201)
                ids.insert(answer.text("id"))
            }
            #expect(ids.count == 3)
        }
    }

    @Test func keysThatAreNoneAreRefused() async throws {
        let rig = APIRig()
        try await rig.application.test(.router) { client async throws in
            for key in ["", String(repeating: "k", count: 256), "ž", "a\tb"] {
                let answer = try await client.ask(.post, "/api/v1/tasks", good, headers: [.idempotencyKey: key])
                #expect(answer.status == 400, "\(key)")
                #expect(answer.text("message")?.hasPrefix("Idempotency-Key must be") == true)
            }
            var two: HTTPFields = [.idempotencyKey: "a"]
            two.append(HTTPField(name: .idempotencyKey, value: "a"))
            #expect(try await client.ask(.post, "/api/v1/tasks", good, headers: two).status == 400)
            let longest: HTTPFields = [.idempotencyKey: String(repeating: "k", count: 255)]
            #expect(try await client.ask(.post, "/api/v1/tasks", good, headers: longest).status == 201)
        }
    }

    @Test func keysAreForgottenAfterADay() async throws {
        let rig = APIRig()
        try await rig.application.test(.live) { client async throws in
            let headers: HTTPFields = [.idempotencyKey: "k"]
            let first = try await client.ask(.post, "/api/v1/tasks", good, headers: headers)
            rig.clock.advance(by: .seconds(86_399))
            #expect(try await client.ask(.post, "/api/v1/tasks", good, headers: headers).text("id") == first.text("id"))
            rig.clock.advance(by: .seconds(1))
            #expect(try await client.ask(.post, "/api/v1/tasks", good, headers: headers).text("id") != first.text("id"))
        }
    }

    @Test func replaysCountTowardsTheRateToo() async throws {
        var rig = APIRig()
        rig.rateLimit = 2
        try await rig.application.test(.live) { client async throws in
            let headers: HTTPFields = [.idempotencyKey: "k"]
            #expect(try await client.ask(.post, "/api/v1/tasks", good, headers: headers).status == 201)
            #expect(try await client.ask(.post, "/api/v1/tasks", good, headers: headers).status == 201)
            #expect(try await client.ask(.post, "/api/v1/tasks", good, headers: headers).status == 429)
        }
    }

    /// The ledger and the wrapper, around a handler that is under way.
    @Test func aRequestUnderWayIsAConflictUntilItIsOver() async throws {
        let rig = APIRig()
        let replays = Replays(rig.dependencies)
        let (gate, open) = AsyncStream<Void>.makeStream()
        let count = Mutex(0)
        let router = Router(context: APIContext.self)
        router.add(middleware: EdgeMiddleware(access: rig.server.access, index: RouteIndex([]), metrics: HTTPMetrics()))
        router.post(
            "/slow",
            use: replays.around { request, context in
                count.withLock { $0 += 1 }
                for await _ in gate { break }
                let body = Array((try await request.body.collect(upTo: 100)).readableBytesView)
                let claim = try #require(context.claim)
                try await rig.store.receipts.insert(replays.ledger.receipt(claim, status: 201, body: body))
                return Replays.created(body)
            })
        // Not over a socket: the test's client has one, and the second request would wait behind the first.
        try await Application(router: router).test(.router) { client async throws in
            let headers: HTTPFields = [.idempotencyKey: "k"]
            async let first = client.ask(.post, "/slow", "x", headers: headers)
            _ = try await eventually("the first request") { count.withLock { $0 } == 1 ? true : nil }
            let second = try await client.ask(.post, "/slow", "x", headers: headers)
            #expect(second.status == 409)
            #expect(second.headers[.retryAfter] == "1")
            open.finish()
            #expect(try await first.body == "x")
            let third = try await client.ask(.post, "/slow", "x", headers: headers)
            #expect(third.status == 201)
            #expect(third.body == "x")
            #expect(third.headers[.idempotencyReplayed] == "true")
            #expect(count.withLock { $0 } == 1)
        }
    }
}
