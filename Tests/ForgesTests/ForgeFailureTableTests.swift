import Domain
import Synchronization
import TestKit
import Testing

@testable import Forges

/// Every call of both forges, in every way a forge can fail it.
@Suite struct ForgeFailureTableTests {
    private let rig = ForgeRig()

    /// A call, and what of its request it may be told by.
    struct Call: Sendable, CustomTestStringConvertible {
        var name: String
        var provider: GitProvider
        var method = "GET"
        /// Some part of the path.
        var path: String
        /// From the name lookup to the last byte.
        var limit: Duration = .seconds(15)
        /// Whether anything is read in the answer.
        var isRead = true
        /// Whether "there is no such thing" is an answer of its own.
        var takes404 = false
        var run: @Sendable (RemoteForge, ForgeAccess) async throws(ForgeError) -> Void
        var testDescription: String { "\(provider.rawValue) \(name)" }
    }

    /// Of a branch that has none yet.
    private static var draft: PullRequestDraft {
        PullRequestDraft(title: "t", body: "b", head: "h\(UInt32.random(in: 0 ... .max))", base: "main")
    }

    private static let patch = "@@ -1 +1 @@\n-a\n+b"

    private static func project(_ access: ForgeAccess) -> ForgeProject {
        access.provider == .github ? ForgeRig.project : ForgeRig.nested
    }

    static let calls = shared(.github) + shared(.gitlab) + own

    private static func shared(_ provider: GitProvider) -> [Call] {
        let isGitHub = provider == .github
        let requests = isGitHub ? "/pulls" : "/merge_requests"
        return [
            Call(name: "account", provider: provider, path: "/user") { forge, access throws(ForgeError) in
                _ = try await forge.account(access)
            },
            Call(name: "repositories", provider: provider, path: isGitHub ? "/user/repos" : "/projects") {
                forge, access throws(ForgeError) in _ = try await forge.repositories(access, page: 1, perPage: 30)
            },
            Call(name: "create", provider: provider, method: "POST", path: requests) {
                forge, access throws(ForgeError) in
                _ = try await forge.createPullRequest(draft, in: project(access), access)
            },
            Call(name: "open", provider: provider, path: requests) { forge, access throws(ForgeError) in
                _ = try await forge.openPullRequest(from: "h", in: project(access), access)
            },
            Call(name: "pull request", provider: provider, path: requests + "/1") { forge, access throws(ForgeError) in
                _ = try await forge.pullRequest(1, in: project(access), access)
            },
            Call(
                name: "permission", provider: provider, path: isGitHub ? "/permission" : "/members/all/", takes404: true
            ) { forge, access throws(ForgeError) in
                _ = try await forge.permission(of: ForgeUser(name: "mona", id: 8), in: project(access), access)
            },
            Call(
                name: "remarks", provider: provider, path: isGitHub ? "/reviews" : "/discussions", limit: .seconds(30)
            ) { forge, access throws(ForgeError) in
                _ = try await forge.remarks(on: 1, in: project(access), access)
            },
        ]
    }

    private static let own: [Call] = [
        Call(name: "users", provider: .gitlab, path: "/users") { forge, access throws(ForgeError) in
            _ = try await forge.permission(of: ForgeUser(name: "mona"), in: project(access), access)
        },
        Call(name: "files", provider: .github, path: "/files", limit: .seconds(30)) {
            forge, access throws(ForgeError) in
            _ = try await forge.changedFiles(of: 1, in: project(access), access)
        },
        Call(name: "review", provider: .github, method: "POST", path: "/reviews", limit: .seconds(30)) {
            forge, access throws(ForgeError) in
            let comments = [ReviewDraft.Comment(path: "a", line: 1, body: "c")]
            let review = ReviewDraft(body: "b", event: .comment, comments: comments)
            _ = try await forge.submitReview(review, of: 1, in: project(access), access)
        },
        Call(name: "versions", provider: .gitlab, path: "/versions", limit: .seconds(30)) {
            forge, access throws(ForgeError) in
            _ = try await forge.versions(of: 1, in: project(access), access)
        },
        Call(
            name: "discussion", provider: .gitlab, method: "POST", path: "/discussions", limit: .seconds(30),
            isRead: false
        ) { forge, access throws(ForgeError) in
            try await forge.startDiscussion("b", at: nil, of: 1, in: project(access), access)
        },
    ]

    private func prepare() {
        rig.server.github.add("acme/app") { $0.permissions = ["mona": "write"] }
        rig.server.github.addPull(1, in: "acme/app") { $0.files = [ChangedFile(path: "a", patch: Self.patch)] }
        rig.server.gitlab.add("acme/team/app one") { $0.members = [8: 30] }
        rig.server.gitlab.users = [.init(id: 8, username: "mona")]
        rig.server.gitlab.addMergeRequest(1, in: "acme/team/app one")
    }

    private func access(_ call: Call) -> ForgeAccess { call.provider == .github ? rig.github() : rig.gitlab() }

    private func failing(_ failure: ForgeFailure, _ call: Call) async throws -> ForgeError? {
        rig.server.fail(failure, on: call.method, call.path)
        let (forge, access) = (try rig.forge(), access(call))
        return await error { () async throws(ForgeError) in try await call.run(forge, access) }
    }

    @Test(arguments: calls)
    func aFailureIsToldAsWhatItIs(_ call: Call) async throws {
        prepare()
        let title = call.provider == .github ? "GitHub API" : "GitLab API"
        let forge = try rig.forge()
        let access = access(call)
        #expect(await error { () async throws(ForgeError) in try await call.run(forge, access) } == nil)

        for status in [400, 401, 403, 404, 409, 422, 500, 502, 503] {
            let error = try await failing(.status(status, #"{"message":"no, \#(access.token ?? "")"}"#), call)
            if status == 404, call.takes404 {
                #expect(error == nil)
                continue
            }
            #expect(error?.status == status, "\(status): \(error as Any)")
            #expect(error?.message == "\(title) returned \(status): {\"message\":\"no, ***\"}", "\(error as Any)")
        }
        for status in call.provider == .github ? [403, 429] : [429] {
            let error = try await failing(.rateLimited(status: status, reset: 1_772_000_000), call)
            #expect(error?.reason == .limited(until: Timestamp(nanoseconds: 1_772_000_000_000_000_000)))
            #expect(error?.message == "\(title) rate limit is used up until 2026-02-25T06:13:20Z")
        }
        #expect(try await failing(.truncated, call)?.reason == .unreachable)
        #expect(try await failing(.large(9 << 20), call)?.reason == .unreadable)
        #expect(try await failing(.garbage, call)?.reason == (call.isRead ? .unreadable : nil))
        #expect(try await failing(.redirect(rig.server.url + "/elsewhere"), call)?.status == 301)
        #expect(!rig.server.requests.contains { $0.path == "/elsewhere" })
        #expect(rig.server.violations == [])
    }

    /// Each call has a limit for the whole of it, here made short; the forge is slower.
    @Test(arguments: calls)
    func aForgeThatTakesTooLongIsLeft(_ call: Call) async throws {
        prepare()
        let transport = Hurried(limit: .milliseconds(300))
        let forge = RemoteForge(transport, addresses: try AddressRule(exceptions: [rig.server.authority]))
        let access = access(call)
        rig.server.fail(.slow(.seconds(2)), on: call.method, call.path)
        let start = ContinuousClock.now
        let error = await error { () async throws(ForgeError) in try await call.run(forge, access) }
        #expect(error?.reason == .unreachable && error?.message.contains("request failed: ") == true, "\(error as Any)")
        #expect(ContinuousClock.now - start < .seconds(2))
        #expect(transport.limits.last == call.limit, "\(transport.limits)")
    }
}

/// A transport with a shorter patience than it is asked for.
private final class Hurried: HTTPTransport {
    private let limit: Duration
    private let asked = Mutex<[Duration?]>([])

    init(limit: Duration) { self.limit = limit }

    /// For all of a transfer, as it was asked for.
    var limits: [Duration?] { asked.withLock(\.self) }

    func send(_ request: TransportRequest) async throws(CodeForgeError) -> TransportResponse {
        asked.withLock { $0.append(request.limits.total) }
        var request = request
        request.limits.total = limit
        return try await ForgeRig.transport.send(request)
    }
}
