import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// Callbacks of a real server.
@Suite(.serialized) struct CallbackTests {
    private func settings(_ receiver: LocalReceiver) -> [String: String] {
        [
            "CODEFORGE_WEBHOOKS__ALLOW_PRIVATE": receiver.address, "CODEFORGE_WEBHOOKS__HMAC_SECRET": "shared secret",
            "CODEFORGE_WEBHOOKS__RETRY_DELAY": "300ms",
        ]
    }

    private func callback(_ receiver: LocalReceiver) -> [String: JSONValue] {
        ["callback_url": .string("http://\(receiver.address)/hook")]
    }

    @Test func everyFinishedRunIsToldAfterItsDone() async throws {
        let receiver = LocalReceiver()
        try await ServerFixture.with(settings(receiver)) { server in
            let repo = try server.makeRepository()
            let good = try await server.create("echo fine; echo x > new", repo: repo, extra: callback(receiver))
            try await server.finished(good)
            let bad = try await server.create("exit 3", repo: repo, extra: callback(receiver))
            try await server.finished(bad)
            let lost = try await server.create("true", repo: repo + ".gone", extra: callback(receiver))
            try await server.finished(lost)
            var told: [String: JSONValue] = [:]
            for request in try await receiver.wait(for: 3) {
                let json = try JSONDecoder().decode(JSONValue.self, from: Data(request.body))
                told[json["task_id"]?.stringValue ?? ""] = json
                #expect(request.headers["x-signature-256"]?.hasPrefix("sha256=") == true)
            }
            #expect(told[good]?["status"] == "completed" && told[good]?["result"] == "fine", "\(told)")
            #expect(told[good]?["changes_summary"]?["files_created"] == 1)
            let error = try await server.task(bad)["error"]
            #expect(told[bad]?["status"] == "failed" && told[bad]?["error"] == error)
            #expect(told[lost]?["error"]?.stringValue?.contains("clone") == true)
            let metrics = try await server.request("GET", "/metrics").json.stringValue ?? ""
            #expect(metrics.contains(#"codeforge_webhook_deliveries_total{status="success"} 3"#))
        }
    }

    /// Killed between two attempts, and with an attempt under way: the next start goes on.
    @Test(arguments: [500, nil]) func aKilledServerGoesOnSending(_ first: Int?) async throws {
        let receiver = LocalReceiver { number in number == 0 ? first.map { ($0, "") } : (200, "") }
        try await ServerFixture.with(settings(receiver)) { server in
            let id = try await server.create("echo fine", repo: try server.makeRepository(), extra: callback(receiver))
            _ = try await receiver.wait(for: 1)
            try await server.restart(signal: SIGKILL)
            let requests = try await receiver.wait(for: 2)
            #expect(requests[0].body == requests[1].body)
            #expect(requests[0].headers["webhook-id"] == requests[1].headers["webhook-id"])
            #expect(try await server.task(id)["status"] == "completed")
        }
    }

    /// The run ends while there is no server at all.
    @Test func anEndWithoutAServerIsToldByTheNext() async throws {
        let receiver = LocalReceiver()
        try await ServerFixture.with(settings(receiver)) { server in
            let id = try await server.create(
                "echo up; sleep 1", repo: try server.makeRepository(), extra: callback(receiver))
            try await server.wait(id, for: "running")
            server.process.signal(SIGKILL)
            try await server.process.wait()
            _ = try await eventually("the supervisor's end") { server.supervisor(of: id) == nil ? true : nil }
            #expect(receiver.accepted == 0)
            try await server.restart(signal: SIGKILL)
            _ = try await receiver.wait(for: 1)
        }
    }
}
