import Domain
import Foundation
import ServerKit
import Testing

/// `/metrics` of the real server: names, types and labels that dashboards are built on.
@Suite struct MetricsTests {
    @Test func everyNameAndLabelIsThere() async throws {
        try await ServerFixture.with { server in
            let fresh = try await Exposition(server)
            // There before anything happened.
            for name in [
                "codeforge_tasks_in_progress", "codeforge_queue_depth", "codeforge_workers_active",
                "codeforge_workers_total", "codeforge_http_streams", "codeforge_workflow_runs_in_progress",
            ] {
                #expect(fresh.types[name] == "gauge", "\(name)")
                #expect(fresh.samples[name] != nil, "\(name)")
            }
            #expect(fresh.samples["codeforge_workers_total"] == 3)
            #expect(fresh.samples[#"codeforge_build_info{version="dev"}"#] == 1)

            let repo = try server.makeRepository()
            for script in ["true", "exit 3"] {
                let id = try await server.create(script, repo: repo)
                _ = try await server.finished(id)
                _ = try await server.frames(id)
                // With the path of one task, a slash too many, and of a task nobody knows.
                for path in ["/api/v1/tasks/\(id)", "/api/v1/tasks/\(id)/", "/api/v1/tasks/none"] {
                    _ = try await server.request("GET", path)
                }
            }
            _ = try await server.request("GET", "/nowhere")
            _ = try await server.request("DELETE", "/api/v1/tasks")
            _ = try await server.request("GET", "/health/")

            let now = try await Exposition(server)
            for (name, type) in [
                "codeforge_tasks_total": "counter", "codeforge_tasks_duration_seconds": "histogram",
                "codeforge_http_requests_total": "counter", "codeforge_http_request_duration_seconds": "histogram",
            ] {
                #expect(now.types[name] == type, "\(name)")
            }
            for status in ["completed", "failed"] {
                #expect(now.samples["codeforge_tasks_total{status=\"\(status)\"}"] == 1)
                #expect(now.samples["codeforge_tasks_duration_seconds_count{status=\"\(status)\"}"] == 1)
                #expect(
                    now.buckets("codeforge_tasks_duration_seconds", "status=\"\(status)\"")
                        == ["10", "30", "60", "120", "300", "600", "1800", "+Inf"])
            }
            func requests(_ method: String, _ path: String, _ status: Int) -> Double? {
                now.samples["codeforge_http_requests_total{method=\"\(method)\",path=\"\(path)\",status=\"\(status)\"}"]
            }
            #expect(try #require(requests("GET", "/api/v1/tasks/{taskID}", 200)) >= 4)
            #expect(requests("GET", "/api/v1/tasks/{taskID}", 404) == 2)
            #expect(requests("GET", "/api/v1/tasks/{taskID}/stream", 200) == 2)
            #expect(requests("POST", "/api/v1/tasks", 201) == 2)
            #expect(requests("GET", "/health", 200) == 1)
            #expect(requests("GET", "/metrics", 200) == 1)
            #expect(requests("GET", "unknown", 404) == 1)
            #expect(requests("DELETE", "unknown", 405) == 1)
            #expect(
                now.buckets("codeforge_http_request_duration_seconds", #"method="GET",path="/health""#)
                    == ["0.01", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "+Inf"])
            // A stream's length is no answering time.
            #expect(
                now.buckets(
                    "codeforge_http_request_duration_seconds", #"method="GET",path="/api/v1/tasks/{taskID}/stream""#)
                    == [])
            // Nothing a client sent has become a label.
            #expect(!now.text.contains("nowhere"))
            // Every family says what it is.
            #expect(Set(now.types.keys.filter { $0.hasPrefix("codeforge_") }).subtracting(now.helps) == [])
        }
    }
}

/// The text format, taken apart.
private struct Exposition {
    let text: String
    var types: [String: String] = [:]
    var helps: Set<String> = []
    /// By name and labels, as they are written.
    var samples: [String: Double] = [:]
    private var order: [String] = []

    init(_ server: ServerFixture) async throws {
        let answer = try await server.request("GET", "/metrics")
        guard answer.status == 200, let text = answer.json.stringValue else { throw Failure("\(answer)") }
        self.text = text
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# TYPE ") {
                types[String(words[2])] = String(words[3])
            } else if line.hasPrefix("# HELP ") {
                helps.insert(String(words[2]))
            } else if let space = line.lastIndex(of: " ") {
                samples[String(line[..<space])] = Double(line[line.index(after: space)...])
                order.append(String(line[..<space]))
            }
        }
    }

    /// Upper bounds of a histogram, in order.
    func buckets(_ name: String, _ labels: String) -> [String] {
        let start = "\(name)_bucket{\(labels),le=\""
        return order.filter { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count).dropLast(2)) }
    }
}
