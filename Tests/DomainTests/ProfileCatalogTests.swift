import Domain
import Testing

@Suite struct ProfileCatalogTests {
    @Test(arguments: [
        ("github.com/acme/*", "https://github.com/acme/tools", true),
        ("github.com/acme/*", "https://user:pw@GitHub.com:443/ACME/Tools.git/", true),
        ("github.com/acme/*", "https://github.com//acme/./x/../tools", true),
        ("github.com/acme/*", "https://github.com/%61cme/tools", true),
        ("github.com/acme/*", "https://github.com/acme/../evil/tools", false),
        ("github.com/acme/*", "https://github.com/acme/a/b", false),
        ("github.com/acme/*", "https://github.com/acme", false),
        ("github.com/acme/*", "https://github.com:8443/acme/tools", false),
        ("github.com/acme/*", "https://evil.example/github.com/acme/tools", false),
        ("github.com/acme/*", "https://github.com.evil.example/acme/tools", false),
        ("git.corp/infra/**", "https://git.corp/infra/a/b/c", true),
        ("git.corp/infra/**", "https://git.corp/infra", false),
        ("git.corp:8443/a/b", "https://git.corp:8443/a/b", true),
        ("*.corp/a/t*l*s", "http://git.corp/a/tools", true),
        ("*.corp/a/t*l*s", "http://git.corp/a/toolsx", false),
        ("/srv/git/*", "file:///srv/git/a.git", true),
        ("/srv/git/*", "https://srv/git/a", false),
    ])
    func aPatternMeansWhatTheForgeWouldServe(pattern: String, url: String, matches: Bool) throws {
        let url = try #require(RepositoryURL(url))
        #expect(try #require(RepositoryPattern(pattern)).matches(url) == matches)
    }

    @Test(arguments: [
        "", "github.com", "github.com/", "a//b", "a/**/b", "a/b**", "a/../b", "a/b c", "a@b/c", "a/b?c", "a/%61",
    ])
    func aPatternThatCouldNeverBeMeantIsNone(text: String) {
        #expect(RepositoryPattern(text) == nil)
    }

    private func catalog() throws -> ProfileCatalog {
        var profiles: [SandboxProfile] = []
        for name in ["one", "two", "three"] {
            var profile = SandboxProfile.code
            profile.name = name
            profiles.append(profile)
        }
        var rules = ProfileCatalog.Rules()
        rules.repositories = [
            try #require(RepositoryPattern("github.com/acme/*")): "one",
            try #require(RepositoryPattern("github.com/acme/tools")): "two",
        ]
        rules.keys = ["bot": "three"]
        rules.taskTypes = [.plan: "one"]
        return ProfileCatalog(profiles, rules: rules)
    }

    @Test(
        arguments: [
            (TaskType.code, "https://github.com/acme/x", nil, false, "one"),
            (.code, "https://github.com/acme/tools", "bot", false, "two"),
            (.code, "https://github.com/other/x", "bot", false, "three"),
            (.code, "https://github.com/other/x", "unknown", false, "code"),
            (.code, "no url at all", nil, false, "code"),
            (.plan, "https://github.com/other/x", nil, false, "one"),
            (.review, "https://github.com/other/x", nil, false, "readonly"),
            (.prReview, "https://github.com/acme/tools", "bot", true, "untrusted"),
            (.code, "https://github.com/acme/tools", "bot", true, "untrusted"),
        ] as [(TaskType, String, String?, Bool, String)])
    func untrustedThenRepositoryThenKeyThenType(
        type: TaskType, url: String, key: String?, isUntrusted: Bool, expected: String
    ) throws {
        let profile = try catalog().profile(type: type, repository: url, key: key, isUntrusted: isUntrusted)
        #expect(profile.name == expected)
    }

    @Test func whoOnlyReadsCannotWrite() throws {
        let catalog = try catalog()
        #expect(catalog.profile(type: .plan, repository: "", key: "bot", isUntrusted: false).workspace == .readOnly)
        #expect(catalog.profile(type: .code, repository: "", key: "bot", isUntrusted: false).workspace == .readWrite)
    }
}
