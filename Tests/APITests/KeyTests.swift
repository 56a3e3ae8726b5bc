import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import TestKit
import Testing

@testable import API

/// Keys over HTTP, with the test server behind them.
@Suite struct KeyTests {
    private let forge = ForgeServer.start()

    private func with(_ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void) async throws {
        try await APIRig(forge: forge).application.test(.router) { client in try await body(client) }
        #expect(forge.violations == [])
    }

    @Test func aKeyIsRegisteredListedAndDeleted() async throws {
        try await with { client in
            let empty = try await client.ask(.get, "/api/v1/keys")
            #expect(empty.status == 200 && empty.body == "{\"keys\":[]}\n")
            let made = try await client.ask(
                .post, "/api/v1/keys", #"{"name":"k_1-A","provider":"github","token":"ghp_good","scope":"org/repo"}"#)
            #expect(made.status == 201)
            #expect(made.body == #"{"name":"k_1-A","provider":"github","message":"key registered"}"# + "\n")
            let other = try await client.ask(
                .post, "/api/v1/keys", #"{"name":"k_1-A","provider":"sentry","token":"s","extra":1}"#)
            #expect(other.status == 201, "the same name under another provider")

            let list = try await client.ask(.get, "/api/v1/keys/")
            #expect(!list.body.contains("token") && !list.body.contains("ghp_good"))
            let keys = try #require(list.json["keys"] as? [[String: Any]])
            #expect(keys.map { $0["provider"] as? String } == ["github", "sentry"])
            #expect(keys.map { $0["scope"] as? String } == ["org/repo", ""])
            let created = try #require(keys[0]["created_at"] as? String)
            #expect(Timestamp(created).map { $0.nanoseconds % 1_000_000 } == 0, "\(created)")

            let gone = try await client.ask(.delete, "/api/v1/keys/k_1-A")
            #expect(gone.status == 200 && gone.body == "{\"message\":\"key deleted\"}\n")
            #expect(try await client.ask(.get, "/api/v1/keys").body == "{\"keys\":[]}\n", "of every provider")
            let again = try await client.ask(.delete, "/api/v1/keys/k_1-A")
            #expect(again.status == 404 && again.text("message") == "key 'k_1-A' not found")
        }
    }

    @Test(arguments: [
        (#"{"provider":"github","token":"t"}"#, "name, provider, and token are required"),
        (#"{"name":"k","token":"t"}"#, "name, provider, and token are required"),
        (#"{"name":"k","provider":"github"}"#, "name, provider, and token are required"),
        (#"{"name":"","provider":"github","token":"t"}"#, "name, provider, and token are required"),
        (
            #"{"name":"a b","provider":"no","token":"t"}"#,
            "name must contain only alphanumeric characters, hyphens, and underscores"
        ),
        (
            #"{"name":"k\n","provider":"github","token":"t"}"#,
            "name must contain only alphanumeric characters, hyphens, and underscores"
        ),
        (
            #"{"name":"ž","provider":"github","token":"t"}"#,
            "name must contain only alphanumeric characters, hyphens, and underscores"
        ),
        (#"{"name":"k","provider":"GitHub","token":"t"}"#, "provider must be 'github', 'gitlab', or 'sentry'"),
        (
            #"{"name":"k","provider":"github","token":"t\r\nX: y"}"#,
            "token must be visible ASCII characters without spaces"
        ),
        (
            #"{"name":"k","provider":"github","token":"t ","base_url":""}"#,
            "token must be visible ASCII characters without spaces"
        ),
        (
            #"{"name":"k","provider":"github","token":"t","base_url":"git.corp"}"#,
            "base_url starts with neither http:// nor https://"
        ),
        (
            #"{"name":"k","provider":"github","token":"t","base_url":"https://u:p@git.corp"}"#,
            "base_url holds a user name or password"
        ),
        (#"{"name":"k","provider":"github","token":"t","base_url":"https://git.corp?x"}"#, "base_url has a query"),
        (
            #"{"name":"k","provider":"github","token":"t","base_url":"https://git.corp/a/../b"}"#,
            "base_url has a malformed path"
        ),
        (
            #"{"name":"k","provider":"github","token":"t","base_url":"http://git.corp"}"#,
            "base_url must be https; http is for hosts that gateway.allow_private_hosts names"
        ),
        (
            #"{"name":"k","provider":"github","token":"t","base_url":"https://169.254.169.254"}"#,
            "base_url is a link-local or metadata address; name the host in gateway.allow_private_hosts to allow it"
        ),
        (#"{"name":1,"provider":"github","token":"t"}"#, "invalid JSON body"), ("[]", "invalid JSON body"),
        ("", "invalid JSON body"),
    ])
    func whatIsNoKeyIsRefused(_ body: String, _ message: String) async throws {
        try await with { client in
            let answer = try await client.ask(.post, "/api/v1/keys", body)
            #expect(answer.status == 400 && answer.text("message") == message, "\(answer.body)")
            #expect(answer.text("error") == "Bad Request")
            #expect(try await client.ask(.get, "/api/v1/keys").body == "{\"keys\":[]}\n")
        }
    }

    @Test func aSecondKeyOfANameIsAConflict() async throws {
        try await with { client in
            let body = #"{"name":"k","provider":"gitlab","token":"t"}"#
            #expect(try await client.ask(.post, "/api/v1/keys", body).status == 201)
            let answer = try await client.ask(.post, "/api/v1/keys", body)
            #expect(answer.status == 409 && answer.text("error") == "Conflict")
            #expect(answer.text("message") == "key 'k' already exists for provider 'gitlab'")
        }
    }

    @Test(arguments: [
        ("https://Git.Corp/", "https://git.corp"), ("https://git.corp:8443/lab/api/v4/", "https://git.corp:8443/lab"),
        ("https://gitlab.com", "https://gitlab.com"), ("", nil),
    ])
    func aBaseURLIsKeptInOneForm(_ given: String, _ kept: String?) async throws {
        try await with { client in
            let body = #"{"name":"k","provider":"gitlab","token":"t","base_url":"\#(given)"}"#
            #expect(try await client.ask(.post, "/api/v1/keys", body).status == 201)
            let keys = try await client.ask(.get, "/api/v1/keys").json["keys"] as? [[String: Any]]
            #expect(keys?.first?["base_url"] as? String == kept)
        }
    }

    private func register(
        _ client: any TestClientProtocol, _ provider: String, _ token: String, base: String? = nil
    ) async throws {
        let more = base.map { #","base_url":"\#($0)""# } ?? ""
        let body = #"{"name":"k","provider":"\#(provider)","token":"\#(token)"\#(more)}"#
        #expect(try await client.ask(.post, "/api/v1/keys", body).status == 201)
    }

    @Test(arguments: [
        (
            "github", "ghp_good",
            #""username":"octocat","email":"octocat@github.com","scopes":"repo, read:org","error":"""#
        ),
        ("gitlab", "glpat-good", #""username":"tanuki","email":"tanuki@gitlab.com","scopes":"","error":"""#),
        ("sentry", "sntrys_good", #""username":"","email":"","scopes":"2 organization(s)","error":"""#),
    ])
    func aGoodKeyIsFoundGood(_ provider: String, _ token: String, _ rest: String) async throws {
        forge.sentry.organizations = [["slug": "a"], ["slug": "b"]]
        try await with { client in
            try await register(client, provider, token)
            let answer = try await client.ask(.get, "/api/v1/keys/k/verify")
            #expect(answer.status == 200)
            #expect(answer.body == #"{"name":"k","provider":"\#(provider)","valid":true,\#(rest)}"# + "\n")
            _ = try await client.ask(.delete, "/api/v1/keys/k")
            try await register(client, provider, token, base: forge.url)
            #expect(try await client.ask(.get, "/api/v1/keys/k/verify").body == answer.body, "by its base_url")
        }
    }

    @Test func noOrganizationsAreNoScopes() async throws {
        try await with { client in
            try await register(client, "sentry", "sntrys_good")
            #expect(try await client.ask(.get, "/api/v1/keys/k/verify").text("scopes") == "")
        }
    }

    @Test(arguments: ["github", "gitlab", "sentry"])
    func aBadKeyIsFoundBad(_ provider: String) async throws {
        try await with { client in
            try await register(client, provider, "bad-token")
            func error() async throws -> String? {
                let answer = try await client.ask(.get, "/api/v1/keys/k/verify")
                #expect(answer.status == 422 && answer.json["valid"] as? Bool == false && answer.text("username") == "")
                #expect(!answer.body.contains("bad-token"))
                return answer.text("error")
            }
            #expect(try await error() == "invalid or expired token")
            forge.fail(.forbidden)
            #expect(try await error() == "invalid or expired token")
            forge.fail(.status(500, "no"))
            #expect(try await error() == "unexpected status 500")
            forge.fail(.rateLimited(status: 429, reset: 1_772_000_000))
            #expect(try await error()?.hasSuffix("rate limit is used up until 2026-02-25T06:13:20Z") == true)
            forge.fail(.truncated)
            forge.stop()
            #expect(try await error() == "connection failed")
        }
    }

    @Test func anUnknownKeyIsNotFound() async throws {
        try await with { client in
            for (method, path) in [(HTTPRequest.Method.get, "/verify"), (.delete, "")] {
                let answer = try await client.ask(method, "/api/v1/keys/no%20such" + path)
                #expect(answer.status == 404 && answer.text("message") == "key 'no such' not found")
            }
        }
    }

    @Test func everythingWantsAToken() async throws {
        try await with { client in
            for (method, path) in [
                (HTTPRequest.Method.get, "keys"), (.post, "keys"), (.delete, "keys/k"), (.get, "keys/k/verify"),
                (.get, "repositories"), (.get, "sentry/organizations"), (.get, "sentry/issues/1"),
            ] {
                let answer = try await client.ask(method, "/api/v1/\(path)", token: nil)
                #expect(answer.status == 401, "\(path)")
            }
        }
    }
}
