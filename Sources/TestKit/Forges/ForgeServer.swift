import Domain
import Foundation
import Synchronization

/// GitHub (below `/api/v3`), GitLab (`/api/v4`) and Sentry (`/api/0`) on one port of loopback, for tests: holds every
/// request against the public API and keeps what it is told.
///
///     let forge = ForgeServer.start()
///     forge.github.add("acme/app")
///     … base_url = forge.url, gateway.allow_private_hosts = forge.authority …
///     #expect(forge.github.pulls.first?.title == "…")
///     #expect(forge.violations == [])
package final class ForgeServer: Sendable {
    private struct State {
        var github = GitHubTwin()
        var gitlab = GitLabTwin()
        var sentry = SentryTwin()
        var requests: [ForgeRequest] = []
        var violations: [String] = []
        var failures: [PlannedFailure] = []
    }

    private struct PlannedFailure {
        var failure: ForgeFailure
        var method: String?
        var part: String
        var times: Int
    }

    private let state = Mutex(State())
    private let server = Mutex<LocalServer?>(nil)
    /// `127.0.0.1:port`.
    package let authority: String

    package static func start() -> ForgeServer { ForgeServer() }

    private init() {
        // The script has to know this object, which has to know the port.
        let box = Box()
        let server = LocalServer { box.forge.withLock(\.value)?.serve($0) }
        authority = "127.0.0.1:\(server.port)"
        self.server.withLock { $0 = server }
        box.forge.withLock { $0.value = self }
    }

    deinit { stop() }

    private final class Box: Sendable {
        struct Weak: Sendable { weak var value: ForgeServer? }
        let forge = Mutex(Weak())
    }

    package func stop() { server.withLock { $0 }?.stop() }

    /// To be used as a key's `base_url`; the settings want an API's path after it.
    package var url: String { "http://" + authority }
    package var githubAPI: String { url + "/api/v3" }
    package var gitlabAPI: String { url + "/api/v4" }
    package var sentryAPI: String { url + "/api/0" }

    /// What GitHub knows. Changes of it are for the time no request is on its way.
    package var github: GitHubTwin {
        get { state.withLock(\.github) }
        set { state.withLock { $0.github = newValue } }
    }

    package var gitlab: GitLabTwin {
        get { state.withLock(\.gitlab) }
        set { state.withLock { $0.gitlab = newValue } }
    }

    package var sentry: SentryTwin {
        get { state.withLock(\.sentry) }
        set { state.withLock { $0.sentry = newValue } }
    }

    /// Requests so far, those that failed on purpose too.
    package var requests: [ForgeRequest] { state.withLock(\.requests) }

    /// Where requests departed from the public APIs; a test wants none.
    package var violations: [String] { state.withLock(\.violations) }

    /// Makes the next requests of that kind fail.
    ///
    /// - Parameters:
    ///   - method: `nil`: any.
    ///   - part: Some part of the path.
    package func fail(_ failure: ForgeFailure, on method: String? = nil, _ part: String = "", times: Int = 1) {
        state.withLock {
            $0.failures.append(PlannedFailure(failure: failure, method: method, part: part, times: times))
        }
    }

    // MARK: Requests

    private func serve(_ socket: LocalSocket) {
        guard let request = ForgeRequest(socket) else { return }
        let (answer, failure) = answer(to: request)
        switch failure {
        case nil: socket.write(message(answer.status, answer.headers, answer.bytes))
        case .status(let status, let body): socket.write(message(status, [], Array(body.utf8)))
        case .rateLimited(let status, let reset):
            let headers = [
                ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "\(reset)"), ("RateLimit-Reset", "\(reset)"),
            ]
            socket.write(message(status, headers, Array(#"{"message":"API rate limit exceeded"}"#.utf8)))
        case .slow(let time):
            Thread.sleep(forTimeInterval: time / .seconds(1))
            socket.write(message(answer.status, answer.headers, answer.bytes))
        case .truncated:
            let whole = message(answer.status, answer.headers, answer.bytes + Array(repeating: 0x20, count: 100))
            socket.write(whole.dropLast(50))
        case .garbage: socket.write(message(answer.status, [], Array("<!doctype html>".utf8)))
        case .large(let count): socket.write(message(answer.status, [], Array(repeating: 0x20, count: count)))
        case .redirect(let place): socket.write(message(301, [("Location", place)], []))
        }
    }

    private func answer(to request: ForgeRequest) -> (ForgeAnswer, ForgeFailure?) {
        state.withLock { state in
            state.requests.append(request)
            let planned = state.failures.firstIndex {
                $0.times > 0 && ($0.method ?? request.method) == request.method
                    && ($0.part.isEmpty || request.path.contains($0.part))
            }
            if let planned { state.failures[planned].times -= 1 }
            let failure = planned.map { state.failures[$0].failure }
            var violations = ForgeServer.commonViolations(request)
            // A request that is to fail must be right all the same, but leaves nothing behind.
            let before = (state.github, state.gitlab, state.sentry)
            let answer: ForgeAnswer
            if let segments = request.segments(below: "/api/v3") {
                answer = state.github.answer(request, segments, &violations)
            } else if let segments = request.segments(below: "/api/v4") {
                answer = state.gitlab.answer(request, segments, &violations)
            } else if let segments = request.segments(below: "/api/0") {
                answer = state.sentry.answer(request, segments, &violations)
            } else {
                violations.append("no such path")
                answer = ForgeAnswer(404, ["message": "Not Found"])
            }
            if failure != nil { (state.github, state.gitlab, state.sentry) = before }
            ForgeRecord.append(request, answer, isFailure: failure != nil)
            state.violations += violations.map { "\(request.method) \(request.path): \($0)" }
            return (answer, failure)
        }
    }

    private static func commonViolations(_ request: ForgeRequest) -> [String] {
        var violations: [String] = []
        if request.headers["user-agent"]?.isEmpty != false { violations.append("no User-Agent") }
        if request.method == "GET" {
            if !request.bytes.isEmpty { violations.append("a GET with a body") }
        } else if request.headers["content-type"] != "application/json" {
            violations.append("Content-Type is \(request.headers["content-type"] ?? "missing")")
        }
        return violations
    }

    private func message(_ status: Int, _ headers: [(String, String)], _ body: [UInt8]) -> [UInt8] {
        var head = "HTTP/1.1 \(status) Test\r\nContent-Type: application/json; charset=utf-8\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        head += "Content-Length: \(body.count)\r\n\r\n"
        return Array(head.utf8) + body
    }
}

/// New-side lines of a patch that a comment may stand at: added and context lines.
func commentableLines(_ patch: String) -> Set<Int> {
    var lines: Set<Int> = []
    var line = 0
    for text in patch.split(separator: "\n", omittingEmptySubsequences: false) {
        if text.hasPrefix("@@") {
            let plus = text.split(separator: " ").first { $0.hasPrefix("+") }
            line = plus.flatMap { Int($0.dropFirst().prefix { $0.isNumber }) } ?? 0
        } else if text.hasPrefix("-") || text.hasPrefix("\\") {
            continue
        } else {
            lines.insert(line)
            line += 1
        }
    }
    return lines
}
