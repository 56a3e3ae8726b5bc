import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import API

/// Ten thousand requests nobody would send, the same ones in every run.
@Suite struct HostileRequestTests {
    @Test(arguments: [1, 2])
    func noRequestIsAFaultOfOurs(seed: UInt64) async throws {
        let rig = APIRig()
        let tokens = [
            try await rig.token("a", .read), try await rig.token("bb", .submit), APIRig.token, APIRig.token, "nobody's",
        ]
        for (id, status) in [("t-done", TaskStatus.completed), ("t-failed", .failed), ("t-open", .prCreated)] {
            try await rig.insert(id, status) { $0.config = TaskConfig() }
        }
        let routes = rig.server.routes
        try await rig.application.test(.router) { client async throws in
            var random = Seeded(state: seed)
            var statuses: [Int: Int] = [:]
            for number in 0..<5_000 {
                let route = routes[Int.random(in: routes.indices, using: &random)]
                var headers: HTTPFields = [:]
                for name in Self.headers where Int.random(in: 0..<8, using: &random) == 0 {
                    headers[name] = Self.text(&random)
                }
                let method = Int.random(in: 0..<8, using: &random) == 0 ? Self.method(&random) : route.method
                let path = Self.path(route.path, &random)
                let answer = try await client.ask(
                    method, path, Self.body(&random), token: tokens.randomElement(using: &random), headers: headers)
                statuses[answer.status, default: 0] += 1
                #expect(answer.status < 500, "request \(number): \(method) \(path)")
                if answer.status >= 400, method != .head { #expect(answer.text("error") != nil, "\(path)") }
            }
            // It did not just knock at the door.
            #expect(statuses.count >= 6, "\(statuses)")
            #expect(statuses[200, default: 0] > 500, "\(statuses)")
        }
    }

    private static let headers: [HTTPField.Name] = [
        .accept, .contentType, .contentLength, .lastEventID, .requestID, .idempotencyKey, .ifNoneMatch, .range, .cookie,
        .transferEncoding, .expect,
    ]

    private static func method(_ random: inout Seeded) -> HTTPRequest.Method {
        [.get, .head, .post, .put, .patch, .delete, .options, .trace].randomElement(using: &random) ?? .get
    }

    private static func path(_ template: String, _ random: inout Seeded) -> String {
        // A stream ends with its task, and a failed one stays ended.
        let ids = template.hasSuffix("/stream") ? ["t-failed", "x"] : ["t-done", "t-failed", "t-open", "w", "x"]
        var path = template.split(separator: "/", omittingEmptySubsequences: false).map { part -> String in
            guard part.hasPrefix("{") else { return String(part) }
            return Bool.random(using: &random) ? ids.randomElement(using: &random) ?? "" : escaped(text(&random))
        }.joined(separator: "/")
        if Int.random(in: 0..<10, using: &random) == 0 {
            path += ["/", "//", "/..", "/%2e", "/."].randomElement(using: &random) ?? ""
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            let names = ["limit", "offset", "status", "include", "after", "kind", "verdict", "page", "x"]
            let pairs = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                (names.randomElement(using: &random) ?? "") + "=" + escaped(text(&random))
            }
            path += "?" + pairs.joined(separator: "&")
        }
        return path
    }

    /// Sometimes right, sometimes with its percent signs misplaced.
    private static func escaped(_ text: String) -> String {
        let right = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return text.utf8.count % 5 == 0 ? right.replacingOccurrences(of: "%2", with: "%") : right
    }

    private static let texts = [
        "", "0", "-1", "9223372036854775807", "99999999999999999999", "1e308", "NaN", "true", "null",
        "../../etc/passwd",
        "\u{0}", "\u{1}\u{7f}", "ž", "💥", "\u{202e}", "'; DROP TABLE tasks; --", "<script>", "%", "%zz",
        "{{.Params.x}}",
        "text/event-stream", "application/json", "done", "completed", "iterations,audit", "1-0", "100-continue",
        "chunked",
        "bytes=0-1", "file:///x", "https://h/o/r.git", "a\tb", "a\r\nb: c",
    ]

    private static func text(_ random: inout Seeded) -> String {
        if Int.random(in: 0..<20, using: &random) == 0 {
            return String(repeating: "A", count: Int.random(in: 1...9000, using: &random))
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            return String(
                decoding: (0..<Int.random(in: 0...12, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                },
                as: UTF8.self)
        }
        return texts.randomElement(using: &random) ?? ""
    }

    private static let bodies = [
        #"{"repo_url":"https://h/o/r.git","prompt":"p","task_type":"plan","config":{"cli":"shell","timeout_seconds":5,"tools":[{"name":"t","config":{"a":"b"}}],"mcp_servers":[{"name":"m","args":["a"],"env":{"K":"v"}}],"max_budget_usd":2.5,"pr_number":3}}"#,
        #"{"name":"w","description":"d","steps":[{"name":"a","type":"fetch","config":{"url":"https://h.example/{{.Params.r}}","method":"GET","headers":{"A":"b"},"outputs":{"x":"$.a[0].b"}}},{"name":"b","type":"task","config":{"repo_url":"{{.Params.r}}","prompt":"{{.Steps.a.x}}"}}],"parameters":[{"name":"r","required":true},{"name":"o","default":"d"}]}"#,
        #"{"params":{"r":"x","o":"{{.Params.r}}"}}"#,
        #"{"prompt":"more"}"#, #"{"name":"n","provider":"github","token":"t"}"#, "{}", "[]", "null", "0", "",
    ]

    /// A body with up to four bytes changed, left out or doubled.
    private static func body(_ random: inout Seeded) -> String? {
        guard Int.random(in: 0..<4, using: &random) > 0 else { return nil }
        var bytes = Array((bodies.randomElement(using: &random) ?? "").utf8)
        for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
            default: bytes.replaceSubrange(index..<index, with: Array(text(&random).utf8))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// SplitMix64.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
