import Domain
import TestKit
import Testing

@testable import Engine

@Suite struct CredentialResolverTests {
    private let fixture = EngineFixture()

    /// Registers a key; its token is its name and provider.
    private func add(_ name: String, _ provider: KeyProvider, base: String? = nil) async throws {
        let key = RegisteredKey(
            name: name, provider: provider, base: try base.flatMap { try ForgeBase($0, provider: provider) },
            createdAt: fixture.clock.now())
        #expect(try await fixture.ring.add(key, token: "\(name)-\(provider.rawValue)"))
    }

    private func task(_ url: String, key: String? = nil, token: String? = nil) async throws -> CodeTask {
        let task = CodeTask(
            id: "t", repoURL: url, prompt: "p", workspaceSlug: "s", createdAt: fixture.clock.now())
        try await fixture.secrets.put(TaskSecrets(accessToken: token), for: "t")
        var keyed = task
        keyed.providerKey = key
        return keyed
    }

    private func token(_ url: String, key: String? = nil, token: String? = nil) async throws -> String? {
        try await fixture.credentials.git(for: try await task(url, key: key, token: token))?.token
    }

    @Test func theTasksTokenComesFirstThenItsKeyThenTheURLThenTheServices() async throws {
        try await add("k", .github)
        let url = "https://github.com/o/r"
        #expect(try await token(url, key: "k", token: "own") == "own")
        #expect(try await token(url, key: "k") == "k-github")
        #expect(try await token("https://u:p@github.com/o/r", key: "k") == "k-github")
        #expect(try await token("https://u:p@github.com/o/r") == "p")
        #expect(try await token(url) == "service-github")
        #expect(try await token(url, key: "none") == "service-github", "a miss falls through")
        #expect(try await token("https://gitlab.com/o/r") == nil)
        #expect(try await token("https://gitlab.com/o/r", key: "k") == nil, "of another provider")
        #expect(try await token("file:///srv/r.git", key: "k") == nil)
    }

    @Test func theKeyOfTheRepositorysProviderIsTaken() async throws {
        for provider in [KeyProvider.sentry, .gitlab, .github] { try await add("k", provider) }
        #expect(try await token("https://github.com/o/r", key: "k") == "k-github")
        #expect(try await token("https://git.corp/o/r", key: "k") == "k-gitlab")
        let credential = try await fixture.credentials.git(for: try await task("https://git.corp/o/r", key: "k"))
        #expect(credential?.user == "oauth2")
    }

    /// Whoever names a key must not be able to send its token elsewhere.
    @Test(arguments: [
        "https://github.com/o/r", "https://evil.example/o/r", "https://ghe.corp.evil.example/o/r",
        "https://evil.example/ghe.corp/r", "https://ghe.corp@evil.example/o/r",
    ])
    func aKeyWithABaseGoesToItsHostAlone(_ url: String) async throws {
        try await add("corp", .github, base: "https://ghe.corp")
        #expect(try await token(url, key: "corp") != "corp-github")
        #expect(try await token("https://ghe.corp/o/r", key: "corp") == "corp-github")
    }

    /// A host that is known by a key alone gets neither the service's token nor another key's.
    @Test func aHostOfAKeyGetsThatKeyAlone() async throws {
        try await add("corp", .github, base: "https://ghe.corp")
        try await add("public", .github)
        #expect(try await token("https://ghe.corp/o/r", key: "public") == nil)
        #expect(try await token("https://ghe.corp/o/r") == nil)
        #expect(try await token("https://ghe.corp/o/r", token: "own") == "own")
        let named = try await fixture.credentials.git(for: try await task("https://ghe.corp/o/r", token: "own"))
        #expect(named?.user == "x-access-token", "its provider is known")
    }

    @Test(arguments: [
        ("https://github.com/o/r.git", "https://api.github.com", "o/r"),
        ("https://gitlab.com/g/s/p/", "https://gitlab.com/api/v4", "g/s/p"),
        ("https://git.corp:8443/g/p", "https://git.corp/api/v4", "g/p"),
        ("https://code.github.com/o/r", "https://code.github.com/api/v3", "o/r"),
        ("ssh://git@ghe.corp/o/r", "https://ghe.corp/api/v3", "o/r"),
        ("https://lab.corp/gitlab/g/s/p.git", "https://lab.corp/gitlab/api/v4", "g/s/p"),
        ("https://acme.ghe.com/o/r", "https://api.acme.ghe.com", "o/r"),
    ])
    func aRepositoryHasItsPlace(_ url: String, _ api: String, _ project: String) async throws {
        try await add("a", .github, base: "https://ghe.corp/api/v3")
        try await add("b", .gitlab, base: "https://lab.corp/gitlab/")
        try await add("c", .github, base: "https://api.acme.ghe.com")
        let place = try #require(try await fixture.credentials.place(of: try await task(url)))
        #expect(place.apiURL == api && place.project.description == project)
    }

    @Test(arguments: [
        "https://github.com/o", "https://github.com/o/r/x", "https://github.com/o/%2E%2E", "https://git.corp/g/../p",
        "https://git.corp/g/a%2Fb",
    ])
    func aRepositoryWithoutAPlaceIsRefused(_ url: String) async throws {
        let task = try await task(url)
        let error = await #expect(throws: CodeForgeError.self) { _ = try await fixture.credentials.place(of: task) }
        #expect(error?.code == .invalidArgument && error?.message.hasPrefix("cannot extract owner/repo") == true)
    }

    @Test(arguments: ["https://unknown.example/o/r", "file:///srv/r.git", "nonsense"])
    func anUnknownHostHasNoPlace(_ url: String) async throws {
        #expect(try await fixture.credentials.place(of: try await task(url)) == nil)
        #expect(try await fixture.credentials.provider(of: try await task(url)) == nil)
    }

    @Test func severalInstallationsOnOneHostAreToldApart() async throws {
        try await add("hub", .github, base: "https://dev.corp:8001")
        try await add("lab", .gitlab, base: "https://dev.corp:8002")
        func provider(_ url: String, _ key: String? = nil) async throws -> GitProvider? {
            try await fixture.credentials.provider(of: try await task(url, key: key))
        }
        #expect(try await provider("https://dev.corp:8002/o/r") == .gitlab)
        #expect(try await provider("https://dev.corp:8001/o/r") == .github)
        #expect(try await provider("https://dev.corp/o/r") == .github)
        #expect(try await provider("https://dev.corp/o/r", "lab") == .gitlab)
        #expect(try await token("https://dev.corp/o/r", key: "lab") == "lab-gitlab")
    }

    /// No key can say that a public host is another provider's.
    @Test func aKeyDoesNotChangeWhatIsKnown() async throws {
        try await add("trick", .gitlab, base: "https://github.com")
        #expect(try await fixture.credentials.provider(of: try await task("https://github.com/o/r")) == .github)
        #expect(try await token("https://github.com/o/r", key: "trick") == "service-github")
    }

    @Test func aKeyThatCantBeOpenedIsNotUsed() async throws {
        let key = RegisteredKey(name: "k", provider: .github, createdAt: fixture.clock.now())
        #expect(try await fixture.keys.insert(key, sealedToken: "not sealed"))
        #expect(try await token("https://github.com/o/r", key: "k") == "service-github")
        #expect(try await fixture.ring.unreadable() == [key])
        let error = await #expect(throws: CodeForgeError.self) { _ = try await fixture.credentials.key(named: "k") }
        #expect(error?.code == .unavailable)
    }

    @Test func postingOnRequestUsesWhatTheTaskBroughtAlone() async throws {
        try await add("k", .github)
        try await add("lab", .gitlab)
        let url = "https://github.com/o/r"
        let credentials = fixture.credentials
        func own(_ key: String?, _ token: String? = nil) async throws -> String? {
            let task = try await task(url, key: key, token: token)
            let place = try #require(try await credentials.place(of: task))
            do {
                return try await credentials.ownAccess(for: task, at: place).token
            } catch {
                #expect(error.code == .invalidArgument)
                return error.message
            }
        }
        #expect(try await own(nil, "own") == "own")
        #expect(try await own("k") == "k-github")
        #expect(try await own(nil) == "no access token available: the task has neither a token nor a key")
        #expect(try await own("none") == "failed to resolve provider key: key 'none' not found")
        #expect(
            try await own("lab")
                == "failed to resolve provider key: key 'lab' is a gitlab key, the repository is on github.com")
    }

    @Test func anOperatorsAPIIsForEveryHostOfTheProvider() async throws {
        let directory = ForgeDirectory(
            githubAPIURL: "http://127.0.0.1:1/api/v3/", sentryURL: "https://s.corp/api/0/",
            providerDomains: ["127.0.0.1": .github])
        let credentials = CredentialResolver(directory, ring: fixture.ring, secrets: fixture.secrets)
        for url in ["http://127.0.0.1:2/o/r", "https://github.com/o/r"] {
            #expect(try await credentials.place(of: try await task(url))?.apiURL == "http://127.0.0.1:1/api/v3")
        }
        #expect(directory.apiURL(of: .sentry) == "https://s.corp/api/0")
    }
}

/// Which key goes along with a request whose URL somebody else chose.
@Suite struct KeyDestinationTests {
    private let fixture = EngineFixture()

    private func key(
        _ provider: KeyProvider, base: String? = nil, at url: String
    ) async throws -> Result<String, CodeForgeError> {
        let key = RegisteredKey(
            name: "k", provider: provider, base: try base.flatMap { try ForgeBase($0, provider: provider) },
            createdAt: fixture.clock.now())
        _ = try await fixture.ring.add(key, token: "token")
        do throws(CodeForgeError) {
            return .success(try await fixture.credentials.key(named: "k", for: HTTPURL(url)).token)
        } catch {
            return .failure(error)
        }
    }

    @Test(
        arguments: [
            (.github, nil, "https://api.github.com/repos/o/r/issues/1"), (.gitlab, nil, "https://gitlab.com/api/v4/x"),
            (.gitlab, nil, "https://git.corp/api/v4/projects/o%2Fr"),
            (.sentry, nil, "https://sentry.io/api/0/issues/1/"),
            (.github, "https://ghe.corp", "https://ghe.corp/api/v3/repos/o/r"),
            (.github, "https://acme.ghe.com", "https://api.acme.ghe.com/repos/o/r"),
            (.gitlab, "https://h.corp/gitlab", "https://h.corp/gitlab/api/v4/x"),
            (.sentry, "http://s.corp:9000", "http://s.corp:9000/api/0/issues/1/"),
        ] as [(KeyProvider, String?, String)])
    func goesToItsOwnPlace(_ provider: KeyProvider, _ base: String?, _ url: String) async throws {
        #expect(try await key(provider, base: base, at: url) == .success("token"))
    }

    @Test(
        arguments: [
            (.github, nil, "https://evil.example/repos/o/r"), (.github, nil, "http://api.github.com/repos/o/r"),
            (.github, nil, "https://api.github.com:8443/x"), (.github, nil, "https://api.github.com.evil.example/x"),
            (.github, nil, "https://gitlab.com/api/v4/x"), (.github, nil, "https://git.corp/api/v3/x"),
            (.gitlab, nil, "http://git.corp/api/v4/x"), (.gitlab, nil, "https://gitlab.com/o/r"),
            (.github, "https://ghe.corp", "https://api.github.com/repos/o/r"),
            (.gitlab, "https://h.corp/gitlab", "https://h.corp/other"),
            (.gitlab, "https://h.corp/gitlab", "https://h.corp/gitlab/../other"),
            (.gitlab, "https://h.corp/gitlab", "https://h.corp/gitlab/%2e%2e/other"),
            (.gitlab, "https://h.corp/gitlab", "https://h.corp/gitlab/a%2f..%2f..%2fother"),
            (.gitlab, "https://h.corp/gitlab", "https://h.corp/gitlabs/x"),
            (.sentry, nil, "https://sentry.io/other"), (.sentry, "http://s.corp:9000", "http://s.corp/api/0/x"),
        ] as [(KeyProvider, String?, String)])
    func staysAwayFromAnyOther(_ provider: KeyProvider, _ base: String?, _ url: String) async throws {
        guard case .failure(let error) = try await key(provider, base: base, at: url) else {
            Issue.record("sent to \(url)")
            return
        }
        #expect(error.code == .forbidden && error.message.hasPrefix("key 'k' is for http"), "\(error)")
        #expect(!error.message.contains("token"))
    }

    @Test func anUnknownOneIsSaidToBe() async throws {
        await #expect(throws: CodeForgeError(.notFound, "key 'x' not found")) {
            try await fixture.credentials.key(named: "x", for: HTTPURL("https://api.github.com/"))
        }
    }
}
