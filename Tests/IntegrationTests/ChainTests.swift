import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// From the prompt to the pull request and from the pull request to the review: real server, sandboxes, CLIs and git
/// over HTTP; a scripted model, and a forge's API that is played.
@Suite(.serialized) struct ChainTests {
    /// What the model does with a task, a review, a follow-up and a pull request. It also looks for the token.
    private static let script = """
        scenarios:
          - match: "git diff origin/main...HEAD"
            turns:
              - run: |-
                  git diff origin/main...HEAD
                  pattern='[g]it-secret-|[e]C1hY2Nlc3MtdG9rZW4|[b]2F1dGgyO'
                  (env; cat /proc/*/environ /proc/*/cmdline) 2>/dev/null | grep -aE "$pattern" && echo FOUND
                  grep -rasE "$pattern" /home /workspace /tmp /etc /run /var && echo FOUND
                  touch /workspace/mine && echo WRITABLE
                  echo "looked at $(cat /proc/*/environ 2>/dev/null | wc -c) bytes"
              - say: |-
                  After {result}:
                  ```json
                  {"verdict": "request_changes", "score": 3, "summary": "Fails without words.", "issues": [
                    {"severity": "major", "file": "wordstat.py", "line": 29, "description": "No first row."},
                    {"severity": "minor", "file": "README.md", "line": 2, "description": "Says nothing of bars."}],
                   "auto_fixable": true}
                  ```
          - match: "git diff HEAD~1"
            turns:
              - run: git diff HEAD
              - say: |-
                  After {result}:
                  ```json
                  {"verdict": "approve", "score": 9, "summary": "Right.", "issues": [], "auto_fixable": false}
                  ```
          - match: "Now tell it"
            turns:
              - read: README.md
              - edit: {path: README.md, old: Counts the words, new: Counts all words}
              - say: "Prompt {number} is done."
          - match: "The tests fail"
            turns:
              - read: wordstat.py
              - edit: {path: wordstat.py, old: 'text.lower().split(" ")', new: text.lower().split()}
              - run: make test
              - say: "Fixed."
        """

    /// What is around the server.
    private struct Parts {
        let provider: GitProvider
        let forge = ForgeServer.start()
        let git: GitFixture
        let model: ModelFixture

        init(_ provider: GitProvider) async throws {
            self.provider = provider
            git = try await GitFixture(user: provider.tokenUser)
            model = try await ModelFixture(ChainTests.script)
            forge.github.accounts[git.password] = forge.github.accounts["ghp_good"]
            forge.gitlab.accounts[git.password] = forge.gitlab.accounts["glpat-good"]
            forge.github.add("acme/wordstat")
            forge.gitlab.add("acme/wordstat")
        }
    }

    private func with(
        _ parts: Parts, _ extra: [String: String] = [:], _ body: (ServerFixture) async throws -> Void
    ) async throws {
        var settings = parts.model.settings
        settings["CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS"]! += ",\(parts.git.authority),\(parts.forge.authority)"
        try await ServerFixture.with(settings.merging(extra) { $1 }) { server in
            try await body(server)
            #expect(parts.forge.violations == [])
            #expect(try Set(parts.model.statuses()) == [200])
        }
        parts.forge.stop()
        try await parts.git.stop()
    }

    private func post(
        _ server: ServerFixture, _ path: String, _ body: JSONValue, expecting status: Int
    ) async throws -> JSONValue {
        let answer = try await server.request("POST", "/api/v1/" + path, body)
        try #require(answer.status == status, "\(path): \(answer)")
        return answer.json
    }

    /// The git server and the forge got the token; nobody and nothing else has it, not in its encoded form either.
    private func expectTheTokenStayed(_ parts: Parts, _ server: ServerFixture, _ id: String) throws {
        let git = parts.git
        let basic = Data("\(git.user):\(git.password)".utf8).base64EncodedString()
        let served = try git.requests().filter { $0.status == 200 }
        #expect(!served.isEmpty && served.allSatisfy { $0.authorization == "Basic \(basic)" })
        #expect(!parts.forge.requests.isEmpty)
        func found(_ word: String) throws -> [String] {
            let search = "grep -rlaF --exclude='*.ext4' '\(word)'"
            return [
                try server.inWorkspace(of: id, "cd ..; \(search) . || true"),
                try server.shell("\(search) '\(server.directory)/data' || true"),
            ]
        }
        for word in [git.password, basic] {
            #expect(try found(word) == ["", ""])
            #expect(!server.process.output.contains(word))
            #expect(try !parts.model.bodies().contains(word))
        }
        #expect(try !found("wordstat").contains(""), "the search finds nothing at all")
    }

    @Test(arguments: AgentTests.agents)
    func aPromptBecomesAReviewedPullRequest(cli: String) async throws {
        let parts = try await Parts(.github)
        let (git, forge) = (parts.git, parts.forge)
        let settings = [
            "CODEFORGE_GIT__PROVIDER_DOMAINS": #"{"127.0.0.1":"github"}"#,
            "CODEFORGE_FORGES__GITHUB_API_URL": forge.githubAPI,
        ]
        try await with(parts, settings) { server in
            let id = try await server.create(
                "The tests fail. Fix the bug.", repo: git.repository, config: ["cli": .string(cli)],
                extra: ["access_token": .string(git.password)])
            var task = try await server.finished(id)
            #expect(task["status"] == "completed" && task["result"] == "Fixed.", "\(task)")

            _ = try await post(server, "tasks/\(id)/review", ["cli": .string(cli)], expecting: 202)
            task = try await server.finished(id)
            #expect(task["status"] == "completed" && task["iteration"] == 1, "\(task)")
            #expect(task["review_result"]?["verdict"] == "approve" && task["review_result"]?["score"] == 9, "\(task)")
            #expect(task["result"]?.stringValue?.contains("+    return text.lower().split()") == true, "\(task)")

            _ = try await post(
                server, "tasks/\(id)/instruct", ["prompt": "Now tell it in the README."], expecting: 200)
            task = try await server.finished(id)
            // The first conversation went on: the review's prompt is not counted.
            #expect(task["status"] == "completed" && task["result"] == "Prompt 2 is done.", "\(task)")
            #expect(task["iteration"] == 2 && task["changes_summary"]?["files_modified"] == 2, "\(task)")

            let made = try await post(
                server, "tasks/\(id)/create-pr", ["title": "Split at any blank", "target_branch": "main"],
                expecting: 200)
            task = try await server.task(id)
            let branch = try #require(task["branch"]?.stringValue)
            #expect(task["status"] == "pr_created" && task["pr_number"] == 1, "\(task)")
            #expect(made["pr_url"] == "https://github.com/acme/wordstat/pull/1" && made["branch"] == task["branch"])
            let pulls = forge.github.pulls
            #expect(pulls.map(\.title) == ["Split at any blank"] && pulls.map(\.head) == [branch])
            #expect(pulls.first?.base == "main" && pulls.first?.labels == ["codeforge"])
            let log = "git --git-dir '\(git.bare)' log --format=%s --name-only main..\(branch)"
            #expect(
                try server.shell(log) == "feat(codeforge): Split at any blank\n\nREADME.md\nwordstat.py\n")
            let names = try await server.frames(id).map(\.name)
            let milestones = ["task_completed", "review_completed", "task_completed", "pr_created"]
            #expect(names.filter { milestones.contains($0) } == milestones, "\(names)")
            try expectTheTokenStayed(parts, server, id)
        }
    }

    /// Of a fork, read through the ref that the forge has for it.
    @Test(arguments: [GitProvider.github, .gitlab], AgentTests.agents)
    func aForksPullRequestIsReviewedAtItsLines(provider: GitProvider, cli: String) async throws {
        let parts = try await Parts(provider)
        let (git, forge) = (parts.git, parts.forge)
        let ref = "refs/" + provider.pullRequestRef(1)
        let bare = "git --git-dir '\(git.bare)'"
        let sha = try HostRepository.shell("\(bare) rev-parse \(ref)").trimmingCharacters(in: .newlines)
        let patch = try HostRepository.shell("\(bare) diff main \(ref) -- wordstat.py | sed -n '/^@@/,$p'")
        let files = [ChangedFile(path: "wordstat.py", patch: patch)]
        forge.github.addPull(1, in: "acme/wordstat") { pull in
            (pull.sha, pull.headRepository, pull.files) = (sha, "mona/wordstat", files)
        }
        forge.gitlab.addMergeRequest(1, in: "acme/wordstat") { request in
            (request.sha, request.sourceProjectID, request.files) = (sha, 99, files)
        }
        try await with(parts) { server in
            // The key tells what kind of forge the host is.
            _ = try await post(
                server, "keys",
                [
                    "name": "bot", "provider": .string(provider.rawValue), "token": .string(git.password),
                    "base_url": .string(forge.url),
                ], expecting: 201)
            let id = try await server.create(
                "Look at the bars.", repo: git.repository,
                config: ["cli": .string(cli), "pr_number": 1, "output_mode": "post_comments"],
                extra: ["task_type": "pr_review", "provider_key": "bot"])
            // Posted before the stream ends.
            let names = try await server.frames(id).map(\.name)
            #expect(names.suffix(2) == ["review_posted", "done"], "\(names)")
            let task = try await server.finished(id)
            #expect(task["status"] == "completed" && task["trust"] == "untrusted", "\(task)")
            #expect(task["review_result"]?["verdict"] == "request_changes", "\(task)")
            let result = task["result"]?.stringValue ?? ""
            #expect(result.contains("+def histogram") && result.contains("looked at "), "\(result)")
            #expect(!result.contains("looked at 0 bytes") && !result.contains("FOUND"), "\(result)")
            #expect(!result.contains("WRITABLE"), "\(result)")
            provider == .github ? expectOneReview(forge) : expectTwoDiscussions(forge)

            // A follow-up goes on with the conversation, and is posted too.
            _ = try await post(
                server, "tasks/\(id)/instruct", ["prompt": "Run git diff origin/main...HEAD again."], expecting: 200)
            let more = try await server.frames(id).map(\.name)
            #expect(more.count { $0 == "review_posted" } == 2 && more.last == "done", "\(more)")
            #expect(forge.github.pulls[0].reviews.count == (provider == .github ? 2 : 0))
            #expect(forge.gitlab.mergeRequests[0].discussions.count == (provider == .gitlab ? 4 : 0))
            try expectTheTokenStayed(parts, server, id)
        }
    }

    private func expectOneReview(_ forge: ForgeServer) {
        let reviews = forge.github.pulls[0].reviews
        #expect(reviews.map(\.event) == ["COMMENT"])
        #expect(reviews.first?.comments.map(\.path) == ["wordstat.py"])
        #expect(reviews.first?.comments.map(\.line) == [29])
        #expect(reviews.first?.comments.first?.body.hasPrefix("**[MAJOR]** No first row.") == true)
        let body = reviews.first?.body ?? ""
        #expect(body.contains("Fails without words.") && !body.contains("No first row."), "\(body)")
        #expect(body.contains("- **[MINOR]** Says nothing of bars. (`README.md:2`)"), "\(body)")
    }

    private func expectTwoDiscussions(_ forge: ForgeServer) {
        let discussions = forge.gitlab.mergeRequests[0].discussions
        #expect(discussions.map(\.position?.path) == ["wordstat.py", nil])
        #expect(discussions.first?.position?.line == 29)
        #expect(discussions.first?.body.hasPrefix("**[MAJOR]** No first row.") == true)
        let body = discussions.last?.body ?? ""
        #expect(body.contains("Fails without words.") && !body.contains("No first row."), "\(body)")
        #expect(body.contains("- **[MINOR]** Says nothing of bars. (`README.md:2`)"), "\(body)")
    }
}
