import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import TestKit
import Testing

@testable import API

@Suite struct SystemTests {
    @Test func informationHasTheFiveLinks() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let json = try await client.ask(.get, "/", token: nil).json
            #expect(json["name"] as? String == "CodeForge")
            #expect(json["version"] as? String == "1.2.3")
            #expect(
                json["links"] as? [String: String] == [
                    "api": "/api/v1", "docs": "/api/docs", "health": "/health", "metrics": "/metrics",
                    "ready": "/ready",
                ]
            )
        }
    }

    @Test func healthNamesThePartThatIsAway() async throws {
        let rig = APIRig()
        try await rig.insert("t", .completed)
        try await rig.workspaces.insert(Workspace(taskID: "t", slug: "t", createdAt: rig.clock.now()))
        try await rig.workspaces.record(
            WorkspaceMeasurement(taskID: "t", iteration: 1, usedTaskID: nil, bytes: 3 << 19, diff: nil))
        try await rig.application.test(.router) { client async throws in
            let well = try await client.ask(.get, "/health", token: nil)
            #expect(well.status == 200)
            #expect(well.json["workspace_disk_usage_mb"] as? Double == 1.5)
            #expect(well.text("uptime")?.hasSuffix("s") == true)
            rig.messaging.fail(with: CodeForgeError(.unavailable, "no"))
            let noRedis = try await client.ask(.get, "/health", token: nil)
            #expect(noRedis.status == 503)
            #expect(noRedis.text("status") == "error")
            #expect(noRedis.text("redis") == "disconnected")
            #expect(noRedis.text("sqlite") == "connected")
            rig.store.fail(with: CodeForgeError(.unavailable, "no"))
            #expect(try await client.ask(.get, "/health", token: nil).text("sqlite") == "disconnected")
        }
    }

    @Test(arguments: [(0.4, "0s"), (330, "5m30s"), (3723, "1h2m3s"), (3600, "1h0m0s"), (59.6, "1m0s")])
    func uptimeIsCompact(seconds: Double, text: String) {
        #expect(SystemRoutes.compact(.seconds(seconds)) == text)
    }

    @Test func readinessFollowsTheShutdown() async throws {
        var rig = APIRig()
        try await rig.application.test(.router) { client async throws in
            #expect(try await client.ask(.get, "/ready", token: nil).body == #"{"status":"ready"}"# + "\n")
        }
        rig.isShuttingDown = true
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.get, "/ready", token: nil)
            #expect(answer.status == 503)
            #expect(answer.body == #"{"status":"shutting_down"}"# + "\n")
        }
    }

    @Test func metricsHaveTheirContentType() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let answer = try await client.ask(.get, "/metrics", token: nil)
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4")
            #expect(answer.body == "# metrics\n")
        }
    }

    @Test func taskTypesAreTheFour() async throws {
        try await APIRig().application.test(.router) { client async throws in
            let types = try await client.ask(.get, "/api/v1/task-types").json["task_types"] as? [[String: String]]
            #expect(types?.map { $0["name"] } == ["code", "plan", "review", "pr_review"])
            #expect(types?.allSatisfy { $0["label"]?.isEmpty == false && $0["description"]?.isEmpty == false } == true)
        }
    }

    @Test func cliListAndHealth() async throws {
        var rig = APIRig()
        try await rig.application.test(.router) { client async throws in
            let list = try await client.ask(.get, "/api/v1/cli").json["cli"] as? [[String: Any]]
            #expect(list?.map { $0["name"] as? String } == ["claude-code", "codex"])
            #expect(list?[1]["default_model"] as? String == "")
            #expect(
                try await client.ask(.get, "/api/v1/cli/health").body
                    == #"{"status":"ok","cli":"claude-code","binary":"claude"}"# + "\n"
            )
        }
        rig.clis[1].isAvailable = false
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.get, "/api/v1/cli/health")
            #expect(answer.status == 503)
            #expect(
                answer.body
                    == #"{"status":"unavailable","cli":"claude-code","binary":"","message":"binary not found"}"# + "\n"
            )
        }
        rig.clis.removeAll()
        try await rig.application.test(.router) { client async throws in
            let answer = try await client.ask(.get, "/api/v1/cli/health")
            #expect(answer.status == 503)
            #expect(answer.text("message") == "default CLI not configured")
        }
    }

    @Test func documentationNeedsNoOtherHost() async throws {
        var rig = APIRig()
        try await rig.application.test(.router) { client async throws in
            let page = try await client.ask(.get, "/api/docs", token: nil)
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(page.body.contains("/api/v1/tasks/{taskID}/stream"))
            #expect(!page.body.contains("<script"))
            #expect(try await client.ask(.get, "/api/docs/assets/start.js", token: nil).status == 404)
            let spec = try await client.ask(.get, "/api/docs/openapi.yaml", token: nil)
            #expect(spec.headers[.contentType] == "application/yaml")
            #expect(spec.headers[.cacheControl] == "public, max-age=3600")
        }
        let directory = try TemporaryDirectory()
        try Data("bundle".utf8).write(to: URL(fileURLWithPath: directory.path + "/swagger-ui-bundle.js"))
        try Data("secret".utf8).write(to: URL(fileURLWithPath: directory.path + "/other"))
        rig.docsAssets = directory.path
        try await rig.application.test(.router) { client async throws in
            // Half of the files is none.
            #expect(try await !client.ask(.get, "/api/docs", token: nil).body.contains("<script"))
        }
        try Data("css".utf8).write(to: URL(fileURLWithPath: directory.path + "/swagger-ui.css"))
        try await rig.application.test(.live) { client async throws in
            let page = try await client.ask(.get, "/api/docs", token: nil).body
            #expect(page.contains("/api/docs/assets/swagger-ui-bundle.js"))
            #expect(!page.contains("://"))
            let bundle = try await client.ask(.get, "/api/docs/assets/swagger-ui-bundle.js", token: nil)
            #expect(bundle.body == "bundle")
            let style = try await client.ask(.get, "/api/docs/assets/swagger-ui.css", token: nil)
            #expect(style.headers[.contentType] == "text/css; charset=utf-8")
            for name in ["other", "..%2Fother", "%2e%2e/other"] {
                #expect(try await client.ask(.get, "/api/docs/assets/" + name, token: nil).status == 404)
            }
        }
    }

    @Test func metricsMayAskForATokenOfTheirOwn() async throws {
        var rig = APIRig()
        rig.metricsToken = "scrape"
        try await rig.application.test(.router) { client async throws in
            for (token, status) in [(nil, 401), ("", 401), ("scrap", 401), (APIRig.token, 401), ("scrape", 200)] {
                #expect(try await client.ask(.get, "/metrics", token: token).status == status, "\(token ?? "none")")
            }
            #expect(try await client.ask(.get, "/api/v1/auth/verify", token: "scrape").status == 401)
        }
        try await APIRig().application.test(.router) { client async throws in
            #expect(try await client.ask(.get, "/metrics", token: nil).status == 200)
        }
    }
}
