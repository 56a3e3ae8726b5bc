import CurlHTTP
import Domain
import Foundation
import Metrics
import Telemetry
import TestKit
import Testing
import Vault

@testable import Engine

/// Callbacks over real HTTP.
@Suite struct CallbackServiceTests {
    private let fixture = EngineFixture()
    private static let secret = "a secret of 32 bytes or so ......"

    private func service(
        to receiver: LocalReceiver, retries: Int = 3, delay: Duration = .milliseconds(5),
        timeout: Duration = .seconds(10), concurrency: Int = 8, resultBytes: Int = 0, allow: [String]? = nil,
        secret: String? = CallbackServiceTests.secret, clock: any WallClock = SystemClock()
    ) throws -> CallbackService {
        CallbackService(
            configuration: .init(
                retryCount: retries, retryDelay: delay, timeout: timeout, concurrency: concurrency,
                resultBytes: resultBytes, addresses: try AddressRule(exceptions: allow ?? [receiver.address])),
            store: fixture.store, transport: CurlTransport(),
            signer: secret.map { secret in
                .init(
                    hex: { Digests.hmacSHA256Hex(key: secret, $0) },
                    base64: { Digests.hmacSHA256Base64(key: secret, $0) })
            }, clock: clock)
    }

    /// Runs the service while `body` works, and then until nothing waits.
    ///
    /// - Returns: The lines of the metric.
    @discardableResult
    private func sending(_ service: CallbackService, _ body: () async throws -> Void) async throws -> Set<String> {
        let prometheus = PrometheusMetrics()
        try await withMetricsFactory(prometheus) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await service.run() }
                try await body()
                _ = try await eventually("no callback waits") {
                    try await fixture.store.nextDue(except: []) == nil ? true : nil
                }
                group.cancelAll()
            }
        }
        return Set(
            prometheus.text().split(separator: "\n").map(String.init).filter {
                $0.hasPrefix("codeforge_webhook_deliveries_total{")
            })
    }

    private func finalizer(_ service: CallbackService) -> RunFinalizer {
        RunFinalizer(
            store: fixture.store, workspaces: fixture.workspaces, events: fixture.events, secrets: fixture.secrets,
            queue: fixture.queue, cliName: { _ in "shell" }, clock: fixture.clock, historyTTL: 60, secretsTTL: 90,
            callbacks: service,
            onPosting: nil)
    }

    /// Ends a run of a new task.
    private func end(
        _ service: CallbackService, task id: String = "t", url: String?, trace: String? = nil,
        _ outcome: JobOutcome = JobOutcome(result: "fine")
    ) async throws {
        _ = try await fixture.task(id) { task in
            task.status = .running
            task.attempt = 1
            task.callbackURL = url
            task.traceID = trace
        }
        let run = RunID(taskID: id, iteration: 1, attempt: 1, purpose: .task)
        try await finalizer(service).apply(
            JobReport(run: run, body: .finished(outcome), time: fixture.clock.now()))
    }

    private func json(_ request: LocalReceiver.Request) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(request.body))
    }

    @Test func successIsToldInFull() async throws {
        let receiver = LocalReceiver()
        let service = try service(to: receiver)
        let metrics = try await sending(service) {
            try await end(
                service, url: "http://\(receiver.address)/hook?a=b", trace: "0af7651916cd43dd8448eb211c80319c",
                JobOutcome(
                    result: "fine", changes: ChangesSummary(filesModified: 3, diffStats: "+45 -12"),
                    usage: Usage(inputTokens: 1500, outputTokens: 500, durationSeconds: 120)))
        }
        let request = try #require(receiver.requests.first)
        #expect(receiver.requests.count == 1 && request.line == "POST /hook?a=b HTTP/1.1")
        #expect(
            try json(request) == [
                "task_id": "t", "status": "completed", "result": "fine",
                "changes_summary": [
                    "files_modified": 3, "files_created": 0, "files_deleted": 0, "diff_stats": "+45 -12",
                ], "usage": ["input_tokens": 1500, "output_tokens": 500, "duration_seconds": 120],
                "trace_id": "0af7651916cd43dd8448eb211c80319c", "finished_at": "2026-01-02T03:04:05Z",
            ])
        #expect(request.headers["content-type"] == "application/json")
        #expect(request.headers["x-codeforge-event"] == "task.completed")
        #expect(request.headers["x-trace-id"] == "0af7651916cd43dd8448eb211c80319c")
        #expect(metrics == [#"codeforge_webhook_deliveries_total{status="success"} 1"#])
    }

    /// Both signatures, computed anew by another implementation.
    @Test func signaturesHold() async throws {
        let receiver = LocalReceiver()
        let service = try service(to: receiver)
        try await sending(service) { try await end(service, url: "http://\(receiver.address)/") }
        let request = try #require(receiver.requests.first)
        let headers = request.headers
        func openssl(_ bytes: [UInt8]) throws -> String {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = ["dgst", "-sha256", "-hmac", CallbackServiceTests.secret, "-r"]
            let (input, output) = (Pipe(), Pipe())
            (process.standardInput, process.standardOutput) = (input, output)
            try process.run()
            input.fileHandleForWriting.write(Data(bytes))
            try input.fileHandleForWriting.close()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            return String(text.prefix { $0 != " " })
        }
        #expect(headers["x-signature-256"] == "sha256=" + (try openssl(request.body)))
        let id = try #require(headers["webhook-id"])
        let time = try #require(headers["webhook-timestamp"])
        #expect(abs(try #require(Double(time)) - Date().timeIntervalSince1970) < 60)
        let digest = try #require(headers["webhook-signature"]?.dropFirst(3)).description
        let hex = Data(base64Encoded: digest)?.map { String(format: "%02x", $0) }.joined()
        #expect(headers["webhook-signature"]?.hasPrefix("v1,") == true)
        #expect(hex == (try openssl(Array("\(id).\(time).".utf8) + request.body)))
    }

    @Test func failureSaysWhyAndNothingElse() async throws {
        let receiver = LocalReceiver()
        let service = try service(to: receiver, secret: nil)
        try await sending(service) {
            try await end(
                service, url: "http://\(receiver.address)/",
                JobOutcome(failure: .timeout, error: "task timed out after 5s", result: "half"))
        }
        let request = try #require(receiver.requests.first)
        #expect(
            try json(request) == [
                "task_id": "t", "status": "failed", "error": "task timed out after 5s",
                "finished_at": "2026-01-02T03:04:05Z",
            ])
        #expect(request.headers["x-codeforge-event"] == "task.failed")
        for name in ["x-trace-id", "x-signature-256", "webhook-signature"] { #expect(request.headers[name] == nil) }
    }

    @Test func theSameMessageGoesOutAgain() async throws {
        let receiver = LocalReceiver(statuses: [500, 302, 200])
        let service = try service(to: receiver)
        let metrics = try await sending(service) { try await end(service, url: "http://\(receiver.address)/") }
        let requests = receiver.requests
        #expect(requests.count == 3)
        #expect(Set(requests.map(\.body)).count == 1 && Set(requests.map { $0.headers["webhook-id"] }).count == 1)
        #expect(Set(requests.map { $0.headers["x-signature-256"] }).count == 1)
        #expect(metrics == [#"codeforge_webhook_deliveries_total{status="success"} 1"#])
    }

    @Test func aRedirectIsNotFollowed() async throws {
        let other = LocalReceiver()
        let receiver = LocalReceiver { [port = other.port] _ in (307, "Location: http://127.0.0.1:\(port)/\r\n") }
        let service = try service(to: receiver, retries: 0, allow: [receiver.address, other.address])
        try await sending(service) { try await end(service, url: "http://\(receiver.address)/") }
        #expect(receiver.requests.count == 1 && other.accepted == 0)
    }

    @Test func triesEndAfterTheLastRetry() async throws {
        let receiver = LocalReceiver(statuses: [503])
        let service = try service(to: receiver, retries: 2)
        let metrics = try await sending(service) { try await end(service, url: "http://\(receiver.address)/") }
        #expect(receiver.requests.count == 3)
        #expect(metrics == [#"codeforge_webhook_deliveries_total{status="failed"} 1"#])
    }

    @Test func goneEndsTheTries() async throws {
        let receiver = LocalReceiver(statuses: [410])
        let service = try service(to: receiver)
        let metrics = try await sending(service) { try await end(service, url: "http://\(receiver.address)/") }
        #expect(receiver.requests.count == 1)
        #expect(metrics == [#"codeforge_webhook_deliveries_total{status="failed"} 1"#])
    }

    @Test func aReceiverThatNeverAnswersIsTriedAgain() async throws {
        let receiver = LocalReceiver { $0 == 0 ? nil : (204, "") }
        let service = try service(to: receiver, timeout: .milliseconds(200))
        let metrics = try await sending(service) { try await end(service, url: "http://\(receiver.address)/") }
        #expect(receiver.requests.count == 2)
        #expect(metrics == [#"codeforge_webhook_deliveries_total{status="success"} 1"#])
    }

    @Test(arguments: [
        "http://127.0.0.1:PORT/", "http://localhost:PORT/", "http://[::ffff:127.0.0.1]:PORT/",
        "http://169.254.169.254/latest/", "http://10.0.0.1/", "http://user:pw@127.0.0.1:PORT/", "http://2130706433/",
        "ftp://example.com/",
    ])
    func otherAddressesAreRefusedAtOnce(_ url: String) async throws {
        let receiver = LocalReceiver()
        let service = try service(to: receiver, allow: [])
        let metrics = try await sending(service) {
            try await end(service, url: url.replacing("PORT", with: String(receiver.port)))
        }
        #expect(receiver.accepted == 0)
        #expect(metrics == [#"codeforge_webhook_deliveries_total{status="failed"} 1"#])
        #expect(try await fixture.store.task("t")?.status == .completed, "the task does not mind")
    }

    @Test func slowReceiversTakeTheirPlacesOnly() async throws {
        let slow = LocalReceiver { _ in nil }
        let service = try service(to: slow, retries: 0, timeout: .milliseconds(300), concurrency: 2)
        try await sending(service) {
            for number in 0..<4 { try await end(service, task: "t\(number)", url: "http://\(slow.address)/") }
            _ = try await slow.wait(for: 2)
            #expect(slow.accepted == 2)
        }
        #expect(slow.accepted == 4)
    }

    @Test func aLongResultMayBeCut() async throws {
        let receiver = LocalReceiver()
        let service = try service(to: receiver, resultBytes: 4)
        try await sending(service) {
            try await end(service, url: "http://\(receiver.address)/", JobOutcome(result: "ab\u{0}éé"))
        }
        #expect(try json(receiver.requests[0])["result"] == "ab\u{0}...")
    }

    // MARK: With the run's end

    @Test func aReportThatComesTwiceIsToldOnce() async throws {
        let service = try service(to: LocalReceiver())
        try await end(service, url: "http://127.0.0.1/")
        let run = RunID(taskID: "t", iteration: 1, attempt: 1, purpose: .task)
        for _ in 0..<2 {
            try await finalizer(service).apply(
                JobReport(run: run, body: .finished(JobOutcome(result: "fine")), time: fixture.clock.now()))
        }
        #expect(
            try await fixture.store.due(at: fixture.clock.now().advanced(by: .seconds(9999)), limit: 9, except: [])
                .count == 1)
    }

    /// The server died between the record and the log: the callback waits for the report to come again.
    @Test func nothingIsSentBeforeDone() async throws {
        let service = try service(to: LocalReceiver(), clock: fixture.clock)
        fixture.events.fail(with: CodeForgeError(.unavailable, "away"))
        await #expect(throws: CodeForgeError.self) { try await end(service, url: "http://127.0.0.1/") }
        #expect(try await fixture.store.task("t")?.status == .completed)
        let due = try #require(try await fixture.store.nextDue(except: []), "it is on record")
        #expect(due > fixture.clock.now(), "and held")
        fixture.events.fail(with: nil)
        let run = RunID(taskID: "t", iteration: 1, attempt: 1, purpose: .task)
        try await finalizer(service).apply(
            JobReport(run: run, body: .finished(JobOutcome(result: "fine")), time: fixture.clock.now()))
        #expect(try await fixture.store.nextDue(except: []) == fixture.clock.now())
    }

    @Test func nobodyIsToldWithoutAnAddress() async throws {
        let service = try service(to: LocalReceiver())
        try await end(service, url: nil)
        #expect(try await fixture.store.nextDue(except: []) == nil)
    }

    @Test func aReviewHasNoChanges() async throws {
        let task = try await fixture.task { $0.callbackURL = "https://example.com/" }
        let outcome = JobOutcome(result: "lgtm", changes: ChangesSummary(filesModified: 1))
        let callback = try #require(
            try service(to: LocalReceiver()).callback(
                for: task, run: RunID(taskID: "t", iteration: 1, attempt: 2, purpose: .review), outcome: outcome,
                at: fixture.clock.now()))
        let json = try JSONDecoder().decode(JSONValue.self, from: Data(callback.body))
        #expect(json["changes_summary"] == nil && json["result"] == "lgtm" && callback.event == "task.completed")
    }

    @Test(arguments: [(1, 5), (2, 25), (3, 125), (4, 625), (100, 86_400)])
    func delaysGrowFivefold(_ attempts: Int, _ seconds: Int) {
        #expect(CallbackService.delay(.seconds(5), after: attempts) == .seconds(seconds))
    }
}
