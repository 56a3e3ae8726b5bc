import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// From GitHub's signed delivery to the review at the pull request: real server, git server, sandbox and CLIs; a scripted
/// model, and GitHub played by the test server.
@Suite(.serialized) struct GitHubWebhookTests {
    private static let review =
        #"{"verdict":"approve","score":8,"summary":"Draws well.","issues":["#
        + #"{"severity":"major","file":"wordstat.py","line":28,"description":"An empty text has no first row."},"#
        + #"{"severity":"minor","file":"wordstat.py","line":3,"description":"Only needed below."}],"auto_fixable":false}"#

    private let forge = ForgeServer.start()
    private let git: GitFixture
    private let model: ModelFixture
    private let secret = "hook-secret-\(UUID().uuidString)"

    init() async throws {
        git = try await GitFixture(user: "x-access-token")
        model = try await ModelFixture(
            """
            scenarios:
              - match: '"verdict"'
                turns:
                  - run: git log -1 --format=%s; git show --stat HEAD | tail -1; env | grep -c git-secret- || true
                  - say: |-
                      After {result}:
                      ```json
                      \(Self.review)
                      ```
            """)
        forge.github.accounts[git.password] = .init(login: "review-bot")
        forge.github.add("acme/wordstat")
    }

    private func settings(cli: String) -> [String: String] {
        var settings = model.settings
        settings["CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS"]! += ",\(git.authority),\(forge.authority)"
        settings["CODEFORGE_GIT__PROVIDER_DOMAINS"] = #"{"127.0.0.1":"github"}"#
        settings["CODEFORGE_FORGES__GITHUB_API_URL"] = forge.githubAPI
        settings["CODEFORGE_CODE_REVIEW__DEFAULT_KEY_NAME"] = "bot"
        settings["CODEFORGE_CODE_REVIEW__DEFAULT_CLI"] = cli
        settings["CODEFORGE_CODE_REVIEW__WEBHOOK_SECRETS__GITHUB"] = "\(secret)-old, \(secret)"
        return settings
    }

    /// The head of the pull request as the git server has it.
    private func head() throws -> String {
        let place = git.repository.replacing("http://", with: "http://x-access-token:\(git.password)@")
        return String(try HostRepository.shell("git ls-remote '\(place)' refs/pull/1/head").prefix(40))
    }

    /// Pull request 1, with the patch that git makes of it.
    private func open(from repository: String?) throws -> String {
        let sha = try head()
        let patch = try HostRepository.shell(
            "git -C '\(git.bare)' diff main refs/pull/1/head -- wordstat.py | sed '1,/^+++/d'")
        forge.github.addPull(1, in: "acme/wordstat", head: "histogram") { pull in
            pull.sha = sha
            pull.headRepository = repository
            pull.files = [ChangedFile(path: "wordstat.py", patch: patch)]
        }
        return sha
    }

    private func register(_ server: ServerFixture) async throws {
        let answer = try await server.request(
            "POST", "/api/v1/keys", ["name": "bot", "provider": "github", "token": .string(git.password)])
        #expect(answer.status == 201, "\(answer)")
    }

    /// As GitHub sends it; the signature is Python's.
    private func deliver(
        _ server: ServerFixture, _ action: String, sha: String, fork: Bool, secret: String? = nil
    ) async throws -> (status: Int, json: JSONValue) {
        let body = WebhookFixture(action) {
            $0.number = 1
            $0.sha = sha
            $0.isFork = fork
            $0.headBranch = "histogram"
            $0.repositoryURL = git.repository
        }.github
        let folder = try TemporaryDirectory()
        try Data(body).write(to: URL(fileURLWithPath: folder.file("body")))
        let digest = try HostRepository.shell(
            "python3 -c 'import hashlib, hmac, sys; "
                + "print(hmac.new(sys.argv[1].encode(), open(sys.argv[2], \"rb\").read(), hashlib.sha256).hexdigest())' "
                + "'\(secret ?? self.secret)' '\(folder.file("body"))'"
        ).trimmingCharacters(in: .whitespacesAndNewlines)
        return try await server.post(
            "/api/v1/webhooks/github", body,
            headers: [
                "Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/044aadd",
                "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "X-GitHub-Event": "pull_request",
                "X-GitHub-Hook-ID": "292430182", "X-Hub-Signature-256": "sha256=" + digest,
            ])
    }

    private func finished(_ server: ServerFixture, _ id: String) async throws -> (task: JSONValue, profile: String) {
        let task = try await server.finished(id, seconds: 90)
        // Posted before the stream ends.
        let names = try await server.frames(id).map(\.name)
        #expect(names.contains("review_posted") && names.last == "done", "\(names)")
        let iteration = try await server.task(id, iterations: true)["iterations"]?.arrayValue?.last
        return (task, iteration?["profile"]?.stringValue ?? "")
    }

    /// The token was seen by the git server alone, and `refs/pull/1/head` came from there.
    private func expectAClone() throws {
        let requests = try git.requests()
        let good = "Basic " + Data("x-access-token:\(git.password)".utf8).base64EncodedString()
        #expect(requests.contains { $0.uri.hasSuffix("/git-upload-pack") && $0.status == 200 }, "\(requests)")
        #expect(requests.filter { $0.status == 200 }.allSatisfy { $0.authorization == good }, "\(requests)")
        let said = try model.bodies()
        #expect(!said.contains(git.password) && said.contains("Draw a histogram"), "the head's commit was reviewed")
    }

    /// The real CLIs, on a stranger's change: reviewed as untrusted, and the approval they were talked into is a comment.
    @Test(arguments: AgentTests.agents)
    func aForksPullRequestIsReviewedAsUntrusted(cli: String) async throws {
        let sha = try open(from: "mona/wordstat")
        // In the fork she may do everything; here she may write, and it is a fork all the same.
        forge.github.repositories[0].permissions = ["mona": "write"]
        try await ServerFixture.with(settings(cli: cli)) { server in
            try await register(server)
            let stranger = try await deliver(server, "opened", sha: sha, fork: true, secret: "guess")
            #expect(stranger.status == 401 && stranger.json["message"] == "invalid signature", "\(stranger)")
            let answer = try await deliver(server, "opened", sha: sha, fork: true)
            #expect(answer.status == 201, "\(answer)")
            let id = try #require(answer.json["task_id"]?.stringValue)
            #expect(try await deliver(server, "opened", sha: sha, fork: true).json == ["status": "deduplicated"])

            let (task, profile) = try await finished(server, id)
            #expect(task["status"] == "completed" && task["trust"] == "untrusted" && profile == "untrusted", "\(task)")
            #expect(task["head_sha"] == .string(sha) && task["review_result"]?["verdict"] == "approve", "\(task)")
            #expect(task["result"]?.stringValue?.contains("Draw a histogram") == true, "\(task)")
            let reviews = forge.github.pulls[0].reviews
            try #require(reviews.count == 1, "\(reviews)")
            #expect(reviews[0].event == "COMMENT" && reviews[0].author == "review-bot", "\(reviews)")
            // One at its line, the other, which is not in the diff, in the text.
            #expect(reviews[0].comments.map(\.line) == [28] && reviews[0].comments[0].path == "wordstat.py")
            #expect(reviews[0].comments[0].body.contains("An empty text has no first row."), "\(reviews)")
            #expect(reviews[0].body.contains("Only needed below.") && reviews[0].body.contains("Draws well."))
            try expectAClone()
            #expect(forge.violations == [])
        }
        try await git.stop()
    }

    /// A collaborator who may write is trusted, and the verdict counts; the same branch by one who may only read is not.
    @Test func aCollaboratorsPullRequestIsReviewedAsTrusted() async throws {
        let sha = try open(from: "acme/wordstat")
        forge.github.repositories[0].permissions = ["mona": "write"]
        try await ServerFixture.with(settings(cli: "claude-code")) { server in
            try await register(server)
            let answer = try await deliver(server, "opened", sha: sha, fork: false, secret: "\(secret)-old")
            let id = try #require(answer.json["task_id"]?.stringValue, "\(answer)")
            let (task, profile) = try await finished(server, id)
            #expect(task["status"] == "completed" && task["trust"] == "trusted" && profile == "readonly", "\(task)")
            let asked = forge.requests.filter { $0.path.hasSuffix("/collaborators/mona/permission") }
            #expect(asked.map(\.method) == ["GET"])
            let reviews = forge.github.pulls[0].reviews
            #expect(reviews.map(\.event) == ["APPROVE"] && reviews.first?.comments.map(\.line) == [28], "\(reviews)")
            try expectAClone()

            forge.github.repositories[0].permissions = ["mona": "read"]
            forge.github.pulls[0].sha = try push()
            let second = try await deliver(server, "synchronize", sha: forge.github.pulls[0].sha, fork: false)
            let other = try #require(second.json["task_id"]?.stringValue, "\(second)")
            let (doubted, its) = try await finished(server, other)
            #expect(doubted["trust"] == "untrusted" && its == "untrusted", "\(doubted)")
            #expect(forge.github.pulls[0].reviews.map(\.event) == ["APPROVE", "COMMENT"])
            #expect(forge.violations == [])
        }
        try await git.stop()
    }

    /// A push to the pull request.
    private func push() throws -> String {
        try HostRepository.shell(
            """
            set -e; work=$(mktemp -d); cd "$work"; git init -q .; git fetch -q '\(git.bare)' refs/pull/1/head
            git checkout -q FETCH_HEAD; echo more > more; git add more
            git -c user.name=t -c user.email=t@t commit -qm 'Draw a histogram again'
            git push -q '\(git.bare)' HEAD:refs/pull/1/head; rm -rf "$work"
            """)
        return try head()
    }
}
