import Domain
import Foundation
import TestKit
import Vault

/// One request nobody would send, as bytes.
struct HostileRequest {
    /// What all of them have in common.
    struct Plan: Sendable {
        var operations: [(method: String, path: String)]
        /// Ids to be put in paths.
        var tasks: [String]
        var tokens: [String]
    }

    static let secret = "hostile-secret"

    var bytes: [UInt8]
    /// Whether it is HTTP, so that an answer must come.
    var isWellFormed = true
    var isStream = false
    /// Whether a forge or Sentry may be asked, which may be away.
    var asksOthers = false
    /// Whether nothing more is said after these bytes.
    var isCut = false

    init(_ plan: Plan, _ random: inout Seeded) {
        if Int.random(in: 0..<4, using: &random) == 0 {
            let raw = Self.malformed.randomElement(using: &random) ?? ""
            bytes = Array(raw.utf8)
            if Bool.random(using: &random) { Self.mutate(&bytes, &random) }
            (isWellFormed, isCut) = (false, true)
            return
        }
        let operation = plan.operations.randomElement(using: &random) ?? ("GET", "/")
        isStream = operation.path.hasSuffix("/stream") || operation.path.hasSuffix("/audit")
        asksOthers = ["/keys/{name}/verify", "/repositories", "/sentry/", "/create-pr", "/post-review"].contains {
            operation.path.contains($0)
        }
        let other = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
        let isOther = Int.random(in: 0..<10, using: &random) == 0
        let method = isOther ? other.randomElement(using: &random) ?? "GET" : operation.method
        let body = Self.body(for: operation.path, method, &random)
        var lines = ["\(method) \(Self.path(operation.path, plan, &random)) HTTP/1.1", "Host: h", "Connection: close"]
        if let token = plan.tokens.randomElement(using: &random) { lines.append("Authorization: Bearer \(token)") }
        if operation.path.hasPrefix("/api/v1/webhooks/") { lines += Self.proof(operation.path, body, &random) }
        for name in ["Accept", "Content-Type", "Last-Event-ID", "X-Request-ID", "Idempotency-Key", "traceparent"]
        where Int.random(in: 0..<8, using: &random) == 0 {
            lines.append("\(name): \(Self.headerText(&random))")
        }
        if !body.isEmpty || method != "GET" { lines.append("Content-Length: \(body.count)") }
        bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
    }

    // MARK: Parts

    private static func path(_ template: String, _ plan: Plan, _ random: inout Seeded) -> String {
        var path = template.split(separator: "/", omittingEmptySubsequences: false).map { part -> String in
            guard part.hasPrefix("{") else { return String(part) }
            let names = part.hasPrefix("{name") ? ["bot", "n", "m", "t", "git", "w"] : plan.tasks
            return Int.random(in: 0..<4, using: &random) > 0
                ? names.randomElement(using: &random) ?? "" : escaped(text(&random))
        }.joined(separator: "/")
        if Int.random(in: 0..<20, using: &random) == 0 {
            path += ["/", "//", "/..", "/%2e", "/%00", "/."].randomElement(using: &random) ?? ""
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            let names = [
                "limit", "offset", "status", "include", "after", "kind", "verdict", "page", "per_page", "iteration",
                "provider_key", "organization", "project", "query", "profile", "reveal", "x",
            ]
            path +=
                "?"
                + (0..<Int.random(in: 1...3, using: &random)).map { _ in
                    (names.randomElement(using: &random) ?? "") + "=" + escaped(text(&random))
                }.joined(separator: "&")
        }
        return path
    }

    /// Sometimes with its percent signs misplaced.
    private static func escaped(_ text: String) -> String {
        let right = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return text.utf8.count % 5 == 0 ? right.replacing("%2", with: "%") : right
    }

    private static let texts = [
        "", "0", "1", "-1", "9223372036854775807", "99999999999999999999", "1e308", "NaN", "true", "null", "ž", "💥",
        "../../etc/passwd", "\u{0}", "\u{1}\u{7f}", "\u{202e}", "'; DROP TABLE tasks; --", "<script>", "%", "%zz",
        "{{.Params.x}}", "text/event-stream", "application/json", "done", "completed", "iterations,audit", "1-0",
        "bytes=0-1", "file:///x", "https://h/o/r.git", "a\tb", "a\r\nb: c", "bot",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ]

    private static func text(_ random: inout Seeded) -> String {
        if Int.random(in: 0..<20, using: &random) == 0 {
            return String(repeating: "A", count: Int.random(in: 1...6000, using: &random))
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            let count = Int.random(in: 0...12, using: &random)
            return String(decoding: (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }, as: UTF8.self)
        }
        return texts.randomElement(using: &random) ?? ""
    }

    /// One line, whatever else is in it.
    private static func headerText(_ random: inout Seeded) -> String {
        String(String.UnicodeScalarView(text(&random).unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
    }

    /// What makes a delivery of a webhook one that is looked at.
    private static func proof(_ path: String, _ body: [UInt8], _ random: inout Seeded) -> [String] {
        guard Int.random(in: 0..<8, using: &random) > 0 else { return [] }
        return path.hasSuffix("github")
            ? [
                "X-GitHub-Event: pull_request",
                "X-Hub-Signature-256: sha256=" + Digests.hmacSHA256Hex(key: secret, body),
            ] : ["X-Gitlab-Event: Merge Request Hook", "X-Gitlab-Token: \(secret)"]
    }

    // MARK: Bodies

    /// Bodies that are right, by the path they are for.
    private static let bodies: [String: [String]] = [
        "/api/v1/tasks": [
            #"{"repo_url":"https://h.invalid/o/r.git","prompt":"p","task_type":"plan","config":{"cli":"shell","timeout_seconds":5,"tools":[{"name":"t","config":{"a":"b"}}],"mcp_servers":[{"name":"m","command":"c","args":["a"],"env":{"K":"v"}}],"max_budget_usd":2.5}}"#,
            #"{"repo_url":"https://h.invalid/o/r.git","prompt":"p","provider_key":"bot","callback_url":"https://h.invalid/c","access_token":"t"}"#,
        ],
        "/api/v1/workflows": [
            #"{"name":"w","description":"d","steps":[{"name":"a","type":"fetch","config":{"url":"https://h.invalid/{{.Params.r}}","headers":{"A":"b"},"outputs":{"x":"$.a[0].b"}}},{"name":"b","type":"task","config":{"repo_url":"{{.Params.r}}","prompt":"{{.Steps.a.x}}"}}],"parameters":[{"name":"r","required":true},{"name":"o","default":"d"}]}"#,
            #"{"name":"v","steps":[{"name":"b","type":"task","config":{"repo_url":"https://h.invalid/o/r.git","prompt":"p"}},{"name":"c","type":"action","config":{"kind":"create_pr","task_step_ref":"b","title":"t"}}]}"#,
        ],
        "/api/v1/workflows/{name}/run": [#"{"params":{"r":"x","o":"{{.Params.r}}"}}"#, "{}"],
        "/api/v1/tasks/{taskID}/instruct": [#"{"prompt":"more"}"#],
        "/api/v1/tasks/{taskID}/review": [#"{"cli":"codex","model":"m"}"#, "{}"],
        "/api/v1/tasks/{taskID}/create-pr": [
            #"{"title":"t","description":"d","target_branch":"main"}"#, "{}",
        ],
        "/api/v1/tasks/{taskID}/approve": [#"{"head_sha":"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"}"#],
        "/api/v1/keys": [
            #"{"name":"n","provider":"github","token":"t","scope":"s"}"#,
            #"{"name":"bot","provider":"gitlab","token":"t","base_url":"https://gitlab.h.invalid"}"#,
        ],
        "/api/v1/mcp/servers": [
            #"{"name":"m","transport":"http","url":"https://m.invalid/mcp","headers":{"X-A":"b"}}"#,
            #"{"name":"n","package":"mcp-x","args":["a"],"env":{"K":"v"}}"#,
        ],
        "/api/v1/tools": [
            #"{"name":"t","type":"mcp","description":"d","mcp_package":"x","required_config":[{"name":"a","type":"secret"}]}"#
        ],
        "/api/v1/webhooks/github": (["opened", "synchronize", "closed"]).map {
            String(decoding: WebhookFixture($0).github, as: UTF8.self)
        },
        "/api/v1/webhooks/gitlab": (["open", "update", "merge"]).map {
            String(decoding: WebhookFixture($0).gitlab, as: UTF8.self)
        },
    ]

    private static func body(for path: String, _ method: String, _ random: inout Seeded) -> [UInt8] {
        guard method != "GET", method != "HEAD", Int.random(in: 0..<8, using: &random) > 0 else { return [] }
        let own = bodies[path] ?? ["{}", "[]", "null", "0"]
        let any = Int.random(in: 0..<8, using: &random) == 0
        let all = any ? bodies.values.flatMap(\.self).sorted() : own
        var bytes = Array((all.randomElement(using: &random) ?? "").utf8)
        if Bool.random(using: &random) { mutate(&bytes, &random) }
        return bytes
    }

    /// Up to four bytes changed, left out, doubled or made a text of their own.
    private static func mutate(_ bytes: inout [UInt8], _ random: inout Seeded) {
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: Array(bytes[index...].prefix(20)), at: index)
            default: bytes.insert(contentsOf: Array(text(&random).utf8), at: index)
            }
        }
    }

    /// No HTTP, or HTTP with two readings.
    private static let malformed: [String] = [
        "\r\n\r\n\r\n", "GET", "GET /", "GET / HTTP/1.1", "GET / HTTP/1.1\r\n", "GET  /  HTTP/1.1\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: h\r\n\r\n", "GET / HTTP/0.9\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /health HTTP/1.1\nHost: h\n\n", "GET /health HTTP/1.1\r\n\r\n",
        "GET http://h/health HTTP/1.1\r\nHost: h\r\n\r\n", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "GET /%zz%00 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /\u{0} HTTP/1.1\r\nHost: h\r\n\r\n", "GET /health HTTP/1.1\r\nHost: h\r\n folded: x\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost : h\r\n\r\n", "GET /health HTTP/1.1\r\n: h\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: h\r\nX: a\u{0}b\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "a", count: 100_000))\r\n\r\n",
        "GET /\(String(repeating: "a", count: 70_000)) HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: h\r\n\(String(repeating: "X: y\r\n", count: 5000))\r\n",
        "POST /api/v1/webhooks/github HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n{}",
        "POST /api/v1/webhooks/github HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n{}",
        "POST /api/v1/webhooks/github HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        "POST /api/v1/webhooks/github HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{}",
        "POST /api/v1/webhooks/github HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /api/v1/webhooks/gitlab HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "POST /api/v1/webhooks/gitlab HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
        "POST /api/v1/webhooks/gitlab HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "POST /api/v1/webhooks/gitlab HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /api/v1/webhooks/gitlab HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: h\r\n\r\nGET /ready HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    ]

    /// SplitMix64.
    struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
