import Domain
import TestKit
import Testing

@testable import Forges

@Suite struct WebhookPayloadTests {
    private let reader = WebhookPayloads()

    @Test func aGitHubPullRequestIsRead() throws {
        let event = try reader.read(WebhookFixture("opened").github, from: .github)
        #expect(
            event
                == PullRequestEvent(
                    provider: .github, action: "opened", number: 42, title: "Add login",
                    repositoryURL: "https://github.com/acme/app.git", headBranch: "feature/login", baseBranch: "main",
                    headSHA: String(repeating: "a1", count: 20), isFork: false))
        #expect(event.isHandled && event.isComplete)
    }

    @Test func aGitLabMergeRequestIsRead() throws {
        let fixture = WebhookFixture("update") { $0.repositoryURL = "https://gitlab.com/acme/team/app.git" }
        let event = try reader.read(fixture.gitlab, from: .gitlab)
        #expect(
            event
                == PullRequestEvent(
                    provider: .gitlab, action: "update", number: 42, title: "Add login",
                    repositoryURL: "https://gitlab.com/acme/team/app.git", headBranch: "feature/login",
                    baseBranch: "main", headSHA: String(repeating: "a1", count: 20), isFork: false))
        #expect(event.isHandled && event.isComplete)
    }

    @Test(arguments: WebhookFixture.githubActions)
    func eachGitHubActionIsRead(_ action: String) throws {
        let body = WebhookFixture(action).github
        ForgeRecord.append(webhook: body, event: "pull_request")
        let event = try reader.read(body, from: .github)
        #expect(event.action == action && event.isComplete && !event.isFork && event.number == 42)
        #expect(event.isHandled == ["opened", "synchronize", "reopened"].contains(action))
    }

    @Test(arguments: WebhookFixture.gitlabActions)
    func eachGitLabActionIsRead(_ action: String) throws {
        let event = try reader.read(WebhookFixture(action).gitlab, from: .gitlab)
        #expect(event.action == action && event.isComplete && !event.isFork && event.number == 42)
        #expect(event.isHandled == ["open", "update", "reopen"].contains(action))
    }

    @Test(arguments: [GitProvider.github, .gitlab])
    func aHeadElsewhereOrGoneIsAFork(_ provider: GitProvider) throws {
        for (fork, exists, expected) in [(false, true, false), (true, true, true), (true, false, true)] {
            let fixture = WebhookFixture("opened") {
                $0.isFork = fork
                $0.headExists = exists
            }
            let body = provider == .github ? fixture.github : fixture.gitlab
            #expect(try reader.read(body, from: provider).isFork == expected)
        }
        #expect(try reader.read(Array("{}".utf8), from: provider).isFork, "what is not said is not vouched for")
    }

    @Test(arguments: [GitProvider.github, .gitlab])
    func whatIsNoPayloadIsRefused(_ provider: GitProvider) {
        let deep = String(repeating: "[", count: 100_000)
        let inside = #"{"action":"#
        for text in ["", "{", "[]", "null", "7", #"{"action":7,"object_attributes":7}"#, deep, inside + deep] {
            #expect(throws: CodeForgeError(.invalidArgument, "failed to parse webhook payload"), "\(text.prefix(20))") {
                try reader.read(Array(text.utf8), from: provider)
            }
        }
    }

    @Test func hostileTextsAreCutAndPrintable() throws {
        let fixture = WebhookFixture("opened\u{1B}[31m\n" + String(repeating: "x", count: 500)) {
            $0.title = "a\r\nfake log line\u{202E}" + String(repeating: "y", count: 5000)
        }
        let event = try reader.read(fixture.gitlab, from: .gitlab)
        #expect(event.action.hasPrefix("opened?[31m?xxx") && event.action.utf8.count < 80 && !event.isHandled)
        #expect(event.title.hasPrefix("a??fake log line?yyy") && event.title.utf8.count < 1100)
    }

    @Test(arguments: [
        ("", true), ("git://h/o/r", false), ("file:///etc", false), ("ssh://git@h/o/r", false), ("javascript:1", false),
        ("https://u:p@h/o/r", false), ("http://h/o/r.git", true), ("https://h:8443/o/r", true),
        ("https://h/o/r?x", false),
        ("https://h/o/r\nx", false), ("https://h/" + String(repeating: "a", count: 3000), false),
    ])
    func onlyPlainHTTPRepositoriesWillDo(_ url: String, _ expected: Bool) throws {
        let fixture = WebhookFixture("opened") { $0.repositoryURL = url }
        // Without a clone URL the page's address is taken.
        #expect(try reader.read(fixture.github, from: .github).isComplete == expected, "\(url)")
    }

    @Test func hostileNamesWillNotDo() throws {
        let branches = [
            "-x", "--upload-pack=x", "a b", "a\nb", "a..b", "/a", "a//b", "a.lock", "a~1", "@{x", "a\u{7F}",
        ]
        for name in branches {
            #expect(!BranchName.isValid(name), "\(name)")
            for change in [\WebhookFixture.headBranch, \.baseBranch] {
                let fixture = WebhookFixture("opened") { $0[keyPath: change] = name }
                #expect(try !reader.read(fixture.github, from: .github).isComplete)
            }
        }
        for name in ["main", "feature/login", "ž", "$(id)", "a-b.c"] { #expect(BranchName.isValid(name)) }
        for sha in ["a", String(repeating: "g", count: 40), String(repeating: "a", count: 41), "--help"] {
            let fixture = WebhookFixture("opened") { $0.sha = sha }
            let events = [
                try reader.read(fixture.github, from: .github), try reader.read(fixture.gitlab, from: .gitlab),
            ]
            for event in events { #expect(event.headSHA == "" && event.isComplete, "as if there were none") }
        }
        let upper = WebhookFixture("opened") { $0.sha = String(repeating: "AB", count: 20) }
        #expect(try reader.read(upper.github, from: .github).isComplete)
        #expect(try !reader.read(WebhookFixture("opened") { $0.number = 0 }.github, from: .github).isComplete)
    }
}
