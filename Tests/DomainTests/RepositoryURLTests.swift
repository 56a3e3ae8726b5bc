import Domain
import Testing

@Suite struct RepositoryURLTests {
    @Test func takesAnHTTPURLApart() throws {
        let url = try #require(RepositoryURL("https://bot:p%40ss@GitHub.com:8443/Org/Repo.git"))
        #expect(url.scheme == .https)
        #expect(url.host == "github.com")
        #expect(url.port == 8443)
        #expect(url.user == "bot")
        #expect(url.password == "p@ss")
        #expect(url.path == "/Org/Repo.git")
        #expect(url.withoutCredentials == "https://github.com:8443/Org/Repo.git")
    }

    @Test(arguments: ["file:///srv/a%20b.git", "file:/srv/a%20b.git", "file://localhost/srv/a%20b.git"])
    func readsFilePaths(_ text: String) {
        #expect(RepositoryURL(text)?.path == "/srv/a b.git")
    }

    @Test(arguments: [
        "not-a-url", "git@host:owner/repo.git", "https://", "https:///path", "https://host:0/x", "https://host:99999/x",
        "file://other/srv/x", "file://relative", "file:///a%00b", "file:///a%+1", "https://ho st/x",
        "https://host/x?a=b",
        "https://host/x#f",
    ])
    func refusesWhatItCannotName(_ text: String) {
        #expect(RepositoryURL(text) == nil)
    }

    @Test(arguments: [
        ("https://user:tok@host/x", "https://***@host/x"), ("https://host/a@b", "https://host/a@b"),
        ("ssh://git@host/x", "ssh://***@host/x"), ("nonsense", "nonsense"),
    ])
    func masksUserInformation(_ text: String, _ shown: String) {
        #expect(RepositoryURL.masked(text) == shown)
    }
}
