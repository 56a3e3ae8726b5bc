import Domain
import TestKit
import Testing

@testable import Workflows

/// What a fetch step asks, and what it takes for an answer.
@Suite struct FetchTests {
    private typealias Answer = LocalReceiver.Answer

    /// Runs one fetch step.
    private func run(
        _ rig: RunRig, _ step: WorkflowStep, params: [String: String] = [:]
    ) async throws -> (run: WorkflowRun, step: RunStep) {
        try await rig.left([step], params: params)
        var end: WorkflowRun?
        try await rig.running { _, _ async throws in end = try await rig.finished("r") }
        return (try #require(end), try #require(try await rig.steps("r").last))
    }

    private func add(_ rig: RunRig, _ provider: KeyProvider, base: String? = nil) async throws {
        let key = RegisteredKey(
            name: "bot", provider: provider, base: try base.flatMap { try ForgeBase($0, provider: provider) },
            createdAt: rig.clock.now())
        _ = try await rig.keys.insert(key, sealedToken: ReversingSecretBox().seal("key-token"))
    }

    @Test func methodAndHeadersAreTheSteps() async throws {
        let rig = try RunRig()
        let step = rig.fetch(
            "get",
            [
                "method": "POST", "headers": ["X-One": "{{.Params.x}}", "accept": "text/x", "Authorization": "own"],
            ])
        #expect(try await run(rig, step, params: ["x": "1"]).run.status == .completed)
        let request = try #require(rig.server.requests.first)
        #expect(request.line == "POST /item HTTP/1.1" && request.body.isEmpty)
        #expect(request.headers["x-one"] == "1" && request.headers["accept"] == "text/x")
        #expect(request.headers["authorization"] == "own" && request.headers["user-agent"] == "CodeForge")
    }

    @Test(arguments: [KeyProvider.github, .gitlab, .sentry])
    func aKeyGoesAlongAsItsProviderWantsIt(_ provider: KeyProvider) async throws {
        let rig = try RunRig()
        try await add(rig, provider, base: rig.url)
        let step = rig.fetch("get", ["key_name": "{{.Params.key}}", "headers": ["authorization": "own"]])
        #expect(try await run(rig, step, params: ["key": "bot"]).run.status == .completed)
        let headers = try #require(rig.server.requests.first).headers
        #expect(headers["authorization"] == (provider == .gitlab ? nil : "Bearer key-token"))
        #expect(headers["private-token"] == (provider == .gitlab ? "key-token" : nil))
    }

    @Test func anEmptyKeyNameIsNone() async throws {
        let rig = try RunRig()
        let step = rig.fetch("get", ["key_name": "{{.Params.key}}"])
        #expect(try await run(rig, step, params: ["key": ""]).run.status == .completed)
        #expect(rig.server.requests.first?.headers["authorization"] == nil)
    }

    @Test func anUnknownKeyFailsTheStep() async throws {
        let rig = try RunRig()
        let end = try await run(rig, rig.fetch("get", ["key_name": "none"]))
        #expect(end.run.error == "step 'get' failed: key 'none' not found")
        #expect(rig.server.requests.isEmpty)
    }

    /// A parameter names the host: the key must not follow it.
    @Test func aKeyGoesNowhereElse() async throws {
        let rig = try RunRig()
        try await add(rig, .gitlab)
        let step = rig.step("get", "fetch", ["url": "{{.Params.url}}/api/v4/x", "key_name": "bot"])
        let end = try await run(rig, step, params: ["url": rig.url])
        #expect(end.step.error == "key 'bot' is for https://gitlab.com/api/v4 and is not sent to \(rig.url)")
        #expect(rig.server.requests.isEmpty)
    }

    @Test func gitHubsAPIIsTheConfiguredOne() async throws {
        let rig = try RunRig()
        try await add(rig, .github)
        let step = rig.step("get", "fetch", ["url": "https://api.github.com/repos/o/r/issues/1", "key_name": "bot"])
        #expect(try await run(rig, step).run.status == .completed)
        let request = try #require(rig.server.requests.first)
        #expect(request.line == "GET /api/v3/repos/o/r/issues/1 HTTP/1.1")
        #expect(request.headers["authorization"] == "Bearer key-token")
    }

    @Test func anErrorShowsTheBeginningOfTheAnswerWithoutTheKey() async throws {
        let rig = try RunRig { _, _ in
            .init(status: 404, body: "no\u{1B}[31m key-token \(String(repeating: "x", count: 300))")
        }
        try await add(rig, .sentry, base: rig.url)
        let end = try await run(rig, rig.fetch("get", ["key_name": "bot"]))
        let text = "no?[31m *** "
        #expect(end.step.error == "HTTP 404: " + text + String(repeating: "x", count: 200 - text.utf8.count) + "…")
        #expect(rig.server.requests.count == 1, "an answer is an answer")
    }

    @Test(arguments: [
        ("<html>", "the answer is not JSON"), ("", "the answer is not JSON"),
        (String(repeating: " ", count: 1_048_577), "the answer is longer than 1048576 bytes"),
    ])
    func anAnswerThatIsNoneFailsTheStep(body: String, message: String) async throws {
        let rig = try RunRig { _, _ in .init(body: body) }
        #expect(try await run(rig, rig.fetch()).step.error == message)
        #expect(rig.server.requests.count == 1)
    }

    @Test func aPrivateAddressIsRefused() async throws {
        var rig = try RunRig()
        rig.rules.addresses = .publicOnly
        let error = try await run(rig, rig.fetch()).step.error
        #expect(error?.contains("127.0.0.1") == true)
        #expect(rig.server.requests.isEmpty)
    }

    @Test(arguments: [("GET", 2), ("HEAD", 2), ("POST", 1)])
    func aNetworkFailureIsTriedAgainOnceWhenThatDoesNoHarm(method: String, requests: Int) async throws {
        var rig = try RunRig { _, number in number == 0 ? nil : .init(body: method == "HEAD" ? "" : "{}") }
        rig.rules.fetchTimeout = .milliseconds(300)
        let end = try await run(rig, rig.fetch("get", ["method": .string(method)]))
        #expect(end.run.status == (requests == 2 ? .completed : .failed), "\(end)")
        #expect(rig.server.requests.count == requests)
    }

    @Test func aServerThatStaysAwayFailsTheStep() async throws {
        var rig = try RunRig { _, _ in nil }
        rig.rules.fetchTimeout = .milliseconds(200)
        #expect(try await run(rig, rig.fetch()).run.status == .failed)
        #expect(rig.server.requests.count == 2)
    }

    @Test func aRedirectOnTheSameServerIsFollowed() async throws {
        let rig = try RunRig { request, number in
            number == 0 ? .init(status: 301, headers: "Location: /moved?x=1\r\n") : .init(body: #"{"title":"t"}"#)
        }
        try await add(rig, .github, base: rig.url)
        #expect(try await run(rig, rig.fetch("get", ["key_name": "bot"])).step.result["title"] == "t")
        #expect(rig.server.requests.map(\.line) == ["GET /item HTTP/1.1", "GET /moved?x=1 HTTP/1.1"])
        #expect(rig.server.requests.allSatisfy { $0.headers["authorization"] == "Bearer key-token" })
    }

    @Test(arguments: ["http://127.0.0.1:1/x", "//127.0.0.1:1/x", "https://elsewhere.example/", "file:///etc/passwd"])
    func aRedirectElsewhereIsNot(place: String) async throws {
        let rig = try RunRig { _, _ in .init(status: 302, headers: "Location: \(place)\r\n") }
        #expect(
            try await run(rig, rig.fetch()).step.error == "HTTP 302: redirects are followed on the same server only")
        #expect(rig.server.requests.count == 1)
    }

    @Test func aRedirectThatGoesRoundEnds() async throws {
        let rig = try RunRig { _, _ in .init(status: 302, headers: "Location: /item\r\n") }
        #expect(try await run(rig, rig.fetch()).step.error == "more than 3 redirects")
        #expect(rig.server.requests.count == 4)
    }

    @Test(arguments: ["{{.Params.none}}", "{{.Steps.x.y}}"])
    func aWrongTemplateFailsTheStep(text: String) async throws {
        for (member, value) in [
            ("url", JSONValue.string(text)), ("key_name", .string(text)), ("headers", ["X": .string(text)]),
        ] {
            let rig = try RunRig()
            let error = try await run(rig, rig.fetch("get", [member: value])).step.error
            #expect(error?.hasPrefix(member) == true, "\(member): \(error ?? "")")
            #expect(rig.server.requests.isEmpty)
        }
    }
}
