import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import TestKit
import Testing

@testable import API

/// Repositories and Sentry over HTTP, with the test server behind them.
@Suite struct ForgeTests {
    private let forge = ForgeServer.start()
    private let token: HTTPFields = [.providerToken: "ghp_good"]

    private func with(_ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void) async throws {
        try await APIRig(forge: forge).application.test(.router) { client in
            for (name, provider, token) in [
                ("hub", "github", "ghp_good"), ("lab", "gitlab", "glpat-good"), ("my-sentry", "sentry", "sntrys_good"),
            ] {
                let body = #"{"name":"\#(name)","provider":"\#(provider)","token":"\#(token)"}"#
                #expect(try await client.ask(.post, "/api/v1/keys", body).status == 201)
            }
            try await body(client)
        }
        #expect(forge.violations == [])
    }

    // MARK: Repositories

    @Test func repositoriesOfAKeyAndOfAToken() async throws {
        forge.github.add("user/my-repo") { repository in
            repository.isPrivate = true
            repository.description = "My \"repo\""
        }
        forge.gitlab.add("g/s/p")
        try await with { client in
            let byKey = try await client.ask(.get, "/api/v1/repositories?provider_key=hub&provider=gitlab")
            #expect(byKey.status == 200)
            #expect(
                byKey.body == #"{"repositories":[{"name":"my-repo","full_name":"user/my-repo","#
                    + #""clone_url":"https://github.com/user/my-repo.git","default_branch":"main","private":true,"#
                    + #""description":"My \"repo\"","updated_at":"2026-02-20T10:00:00Z"}],"#
                    + #""count":1,"provider":"github","page":1,"per_page":30}"# + "\n")
            let byToken = try await client.ask(.get, "/api/v1/repositories?provider=github", headers: token)
            #expect(byToken.body == byKey.body)
            let lab = try await client.ask(.get, "/api/v1/repositories/?provider_key=lab")
            let first = (lab.json["repositories"] as? [[String: Any]])?.first
            #expect(first?["full_name"] as? String == "g/s/p" && first?["private"] as? Bool == true)
            #expect(first?["description"] as? String == "" && lab.text("provider") == "gitlab")
        }
    }

    @Test(arguments: [
        ("", 1, 30), ("&page=2&per_page=2", 2, 2), ("&page=0&per_page=0", 1, 30), ("&page=-1&per_page=101", 1, 30),
        ("&page=x&per_page=x", 1, 30), ("&per_page=100", 1, 100),
    ])
    func pagesAreWhatIsAllowed(_ query: String, _ page: Int, _ perPage: Int) async throws {
        for number in 1...3 { forge.github.add("o/r\(number)") }
        try await with { client in
            let answer = try await client.ask(.get, "/api/v1/repositories?provider_key=hub\(query)")
            #expect(answer.json["page"] as? Int == page && answer.json["per_page"] as? Int == perPage)
            let count = page == 2 ? 1 : 3
            #expect(answer.json["count"] as? Int == count)
            #expect((answer.json["repositories"] as? [Any])?.count == count)
        }
        #expect(forge.requests.last?.query["per_page"] == String(perPage))
    }

    @Test func nothingIsAnEmptyList() async throws {
        try await with { client in
            let answer = try await client.ask(.get, "/api/v1/repositories?provider_key=hub")
            #expect(answer.body.hasPrefix(#"{"repositories":[],"count":0,"#))
        }
    }

    @Test func whoseRepositoriesMustBeSaid() async throws {
        let missing = "provide either provider_key query param, or provider query param with X-Provider-Token header"
        let provider = "provider must be 'github' or 'gitlab'"
        let cases: [(String, HTTPFields, Int, String)] = [
            ("", [:], 400, missing), ("?provider=github", [:], 400, missing), ("", token, 400, missing),
            ("?provider_key=&provider=github", [:], 400, missing),
            ("?provider_key=none", token, 404, "key 'none' not found"),
            ("?provider=sentry", token, 400, provider), ("?provider=GitHub", token, 400, provider),
            ("?provider_key=my-sentry", [:], 400, provider),
        ]
        try await with { client in
            for (query, headers, status, message) in cases {
                let answer = try await client.ask(.get, "/api/v1/repositories\(query)", headers: headers)
                #expect(answer.status == status && answer.text("message") == message, "\(query): \(answer.body)")
            }
        }
        #expect(forge.requests.isEmpty)
    }

    @Test func aForgesFailureIsABadGateway() async throws {
        try await with { client in
            func check(_ isRight: (String) -> Bool) async throws {
                let answer = try await client.ask(
                    .get, "/api/v1/repositories?provider=github", headers: [.providerToken: "ghp_bad"])
                #expect(answer.status == 502 && answer.text("error") == "Bad Gateway", "\(answer.body)")
                #expect(isRight(answer.text("message") ?? ""), "\(answer.body)")
            }
            try await check { $0 == #"GitHub API returned 401: {"message":"Bad credentials"}"# }
            forge.fail(.status(503, "ghp_bad " + String(repeating: "x", count: 600)))
            try await check { $0 == "GitHub API returned 503: *** " + String(repeating: "x", count: 496) + "…" }
            forge.fail(.rateLimited(status: 403, reset: 1_772_000_000))
            try await check { $0 == "GitHub API rate limit is used up until 2026-02-25T06:13:20Z" }
            forge.stop()
            try await check { $0.hasPrefix("GitHub API request failed: ") }
        }
    }

    // MARK: Sentry

    @Test func whatSentrySaysIsForwarded() async throws {
        forge.sentry.organizations = [["slug": "acme", "big": .int(9_007_199_254_740_993)]]
        forge.sentry.projects = ["acme": [["slug": "web"]]]
        forge.sentry.issues = ["acme/web": [["id": "1"]]]
        forge.sentry.issue = ["1": ["id": "1", "metadata": ["value": "Ž"]]]
        forge.sentry.latestEvent = ["1": ["eventID": "e"]]
        try await with { client in
            for (path, body) in [
                ("organizations?key_name=my-sentry", #"{"organizations":[{"big":9007199254740993,"slug":"acme"}]}"#),
                ("projects?key_name=my-sentry&org=acme", #"{"projects":[{"slug":"web"}]}"#),
                ("issues?key_name=my-sentry&org=acme&project=web", #"{"issues":[{"id":"1"}]}"#),
                ("issues/1?key_name=my-sentry", #"{"id":"1","metadata":{"value":"Ž"}}"#),
                ("issues/1/latest-event?key_name=my-sentry", #"{"eventID":"e"}"#),
            ] {
                let answer = try await client.ask(.get, "/api/v1/sentry/\(path)")
                #expect(answer.status == 200 && answer.body == body + "\n", "\(path): \(answer.body)")
                #expect(answer.headers[.contentType] == "application/json")
            }
        }
    }

    @Test(arguments: [
        ("", ["query": "is:unresolved", "limit": "50"]), ("&query=&limit=", ["query": "", "limit": "50"]),
        (
            "&query=is:unresolved+a%26b%3Dc%2B1+%C5%BE&sort=freq&limit=7",
            ["query": "is:unresolved a&b=c+1 ž", "limit": "7", "sort": "freq"]
        ), ("&limit=5%26sort%3Dx", ["query": "is:unresolved", "limit": "5&sort=x"]),
    ])
    func aSearchIsPassedOnWhole(_ query: String, _ sent: [String: String]) async throws {
        forge.sentry.issues = ["acme/web": []]
        try await with { client in
            _ = try await client.ask(.get, "/api/v1/sentry/issues?key_name=my-sentry&org=acme&project=web\(query)")
        }
        #expect(forge.requests.last?.query == sent)
    }

    @Test func whatIsMissingIsSaidInOrder() async throws {
        let both = "org and project query params are required"
        let cases = [
            ("organizations", 400, "key_name query param is required"),
            ("organizations?key_name=", 400, "key_name query param is required"),
            ("projects?key_name=none", 400, "org query param is required"),
            ("projects?org=a", 400, "key_name query param is required"), ("issues?key_name=none", 400, both),
            ("issues?key_name=none&org=a", 400, both), ("issues?project=a", 400, both),
            ("issues?org=a&project=b", 400, "key_name query param is required"),
            ("issues/1", 400, "key_name query param is required"),
            ("issues/1/latest-event", 400, "key_name query param is required"),
            ("organizations?key_name=none", 404, "key 'none' not found"),
            ("issues/1?key_name=none", 404, "key 'none' not found"),
            ("organizations?key_name=hub", 400, "key 'hub' is a github key, not a sentry key"),
            ("issues/1/latest-event?key_name=lab", 400, "key 'lab' is a gitlab key, not a sentry key"),
            // Nothing a client sends leads to another path.
            ("projects?key_name=my-sentry&org=..", 400, "org is malformed"),
            ("issues?key_name=my-sentry&org=a&project=b%2F..%2Fc", 400, "project is malformed"),
            ("issues/%2E%2E?key_name=my-sentry", 400, "issueID is malformed"),
        ]
        try await with { client in
            for (path, status, message) in cases {
                let answer = try await client.ask(.get, "/api/v1/sentry/\(path)")
                #expect(answer.status == status && answer.text("message") == message, "\(path): \(answer.body)")
            }
        }
        #expect(forge.requests.isEmpty)
    }

    @Test func sentrysFailureIsABadGateway() async throws {
        try await with { client in
            func check(_ isRight: (String) -> Bool) async throws {
                let answer = try await client.ask(.get, "/api/v1/sentry/issues/9?key_name=my-sentry")
                #expect(answer.status == 502 && answer.text("error") == "Bad Gateway", "\(answer.body)")
                #expect(isRight(answer.text("message") ?? ""), "\(answer.body)")
            }
            try await check { $0 == #"sentry API returned 404: {"detail":"The requested resource does not exist"}"# }
            forge.fail(.status(500, String(repeating: "x", count: 300)))
            try await check { $0 == "sentry API returned 500: " + String(repeating: "x", count: 200) + "…" }
            forge.fail(.status(200, "{} {}"))
            try await check { $0.hasPrefix("sentry API answered") }
            forge.fail(.large(2 << 20))
            forge.sentry.issue = ["9": [:]]
            try await check { $0.contains("longer than 1048576 bytes") }
            forge.stop()
            try await check { $0.hasPrefix("sentry API request failed: ") }
        }
    }
}
