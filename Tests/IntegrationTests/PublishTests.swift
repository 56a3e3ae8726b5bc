import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// Pull requests: real supervisors and sandboxes push to a real git server; the forge's API is played.
@Suite(.serialized) struct PublishTests {
    private struct Remote {
        let git: GitFixture
        let forge: ForgeServer

        /// Branches but for `main`.
        func branches(_ server: ServerFixture) throws -> [String] {
            try show(server, "for-each-ref --format='%(refname:short)' refs/heads").split(separator: "\n").map(
                String.init
            )
            .filter { $0 != "main" }
        }

        func show(_ server: ServerFixture, _ arguments: String) throws -> String {
            try server.shell("git --git-dir '\(git.bare)' \(arguments)")
        }

        var requests: [GitLabTwin.MergeRequest] { forge.gitlab.mergeRequests }
    }

    private func with(
        _ settings: [String: String] = [:], _ body: (ServerFixture, Remote) async throws -> Void
    ) async throws {
        let git = try await GitFixture()
        let forge = ForgeServer.start()
        forge.gitlab.add("acme/wordstat")
        forge.gitlab.accounts[git.password] = .init(id: 8, username: "bot")
        let own = [
            "CODEFORGE_GIT__PROVIDER_DOMAINS": #"{"127.0.0.1":"gitlab"}"#,
            "CODEFORGE_FORGES__GITLAB_API_URL": forge.gitlabAPI,
            "CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS": "\(git.authority),\(forge.authority)",
        ]
        try await ServerFixture.with(own.merging(settings) { $1 }) { server in
            try await body(server, Remote(git: git, forge: forge))
            #expect(forge.violations == [])
        }
        forge.stop()
        try await git.stop()
    }

    private func completed(
        _ script: String, _ server: ServerFixture, _ remote: Remote, token: Bool = true
    ) async throws -> String {
        let id = try await server.create(
            script, repo: remote.git.repository,
            extra: token ? ["access_token": .string(remote.git.password)] : [:])
        let task = try await server.finished(id)
        try #require(task["status"] == "completed", "\(task)")
        return id
    }

    private func createPR(
        _ id: String, _ server: ServerFixture, _ body: JSONValue? = nil
    ) async throws -> (status: Int, json: JSONValue) {
        try await server.request("POST", "/api/v1/tasks/\(id)/create-pr", body)
    }

    private func followUp(_ id: String, _ script: String, _ server: ServerFixture) async throws {
        let answer = try await server.request("POST", "/api/v1/tasks/\(id)/instruct", ["prompt": .string(script)])
        try #require(answer.status == 200, "\(answer)")
        try await server.wait(id, for: "completed", "failed")
    }

    private let script = """
        set -e
        echo changed >> README.md; mkdir -p new/deep; echo one > new/deep/file; chmod +x new/deep/file
        git -c user.name=agent -c user.email=a@a add -A; git -c user.name=agent -c user.email=a@a commit -qm own
        echo later > later.txt; ln -s README.md link
        """

    @Test func aPullRequestHoldsEverythingTheTaskChanged() async throws {
        try await with { server, remote in
            let id = try await completed(script, server, remote)
            let slug = "set-e-echo-changed-readme-\(id.prefix(8))"
            let answer = try await createPR(id, server, ["title": "Fix \"it\"", "target_branch": "main"])
            #expect(answer.status == 200, "\(answer)")
            #expect(answer.json["branch"]?.stringValue == "codeforge/\(slug)")
            let request = try #require(remote.requests.first)
            #expect(answer.json["pr_number"]?.intValue == Int64(request.iid))
            #expect(answer.json["pr_url"]?.stringValue?.contains("/merge_requests/\(request.iid)") == true)
            #expect(request.title == #"Fix "it""# && request.source == "codeforge/\(slug)" && request.target == "main")
            #expect(request.description.contains("CodeForge") && request.labels == ["codeforge"])

            let branch = "codeforge/\(slug)"
            #expect(try remote.branches(server) == [branch])
            let log = try remote.show(server, "log -1 --format='%an|%ae|%cn|%P|%B' \(branch)")
            let parent = try remote.show(server, "rev-parse main").trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(
                log.trimmingCharacters(in: .newlines) == """
                    CodeForge Bot|codeforge@noreply|CodeForge Bot|\(parent)|feat(codeforge): Fix "it"

                    Task ID: \(id)
                    Co-authored-by: CodeForge Bot <codeforge@noreply>
                    """)
            let files = try remote.show(server, "diff-tree -r --no-commit-id \(branch)")
            for part in [
                ":100644 100644", "README.md", ":000000 100755", "new/deep/file", "later.txt", ":000000 120000",
            ] { #expect(files.contains(part), "\(part): \(files)") }

            let task = try await server.task(id)
            #expect(task["status"] == "pr_created" && task["branch"]?.stringValue == branch, "\(task)")
            #expect(task["pr_number"]?.intValue == Int64(request.iid))
            let frames = try await server.frames(id)
            #expect(frames.last?.data["status"] == "pr_created" && frames.contains { $0.name == "pr_created" })
            #expect(try await createPR(id, server).status == 409)

            // The token is nowhere but in the server's sealed store.
            let token = remote.git.password
            #expect(try server.inWorkspace(of: id, "grep -rl '\(token)' . || true") == "")
            #expect(try server.inGitDirectory(of: id, "grep -rl '\(token)' . || true") == "")
            #expect(try server.shell("grep -rl '\(token)' '\(server.directory)'/data/runs || true") == "")
            #expect(!server.process.output.contains(token))

            // A follow-up makes another branch and another pull request, on top of the first.
            try await followUp(id, "echo more > more.txt", server)
            let changes = try await server.task(id)["changes_summary"]
            #expect(changes?["files_created"] == 1 && changes?["files_modified"] == 0, "\(String(describing: changes))")
            let second = try await createPR(id, server)
            #expect(second.status == 200 && second.json["branch"]?.stringValue == branch + "-1", "\(second)")
            #expect(remote.requests.map(\.source) == [branch, branch + "-1"])
            #expect(remote.requests.last?.title.hasPrefix("CodeForge: set -e echo changed >> README.md") == true)
            #expect(
                try remote.show(server, "diff --name-only \(branch) \(branch)-1") == "more.txt\n")
            let (parentOfSecond, first) = (
                try remote.show(server, "rev-parse \(branch)-1^"), try remote.show(server, "rev-parse \(branch)")
            )
            #expect(parentOfSecond == first)
            // Others push to the branch meanwhile: the next follow-up starts there, unless the agent's changes are in the way.
            func push(_ file: String) throws {
                let copy = server.directory + "/copy-" + file
                _ = try server.shell(
                    """
                    git clone -q -b '\(branch)-1' '\(remote.git.bare)' '\(copy)' && cd '\(copy)' && echo theirs > '\(file)' \
                    && git add . && git -c user.name=p -c user.email=p@p commit -qm theirs && git push -q origin HEAD
                    """)
            }
            try push("theirs.txt")
            try await followUp(id, "cat theirs.txt && echo unsaved > unsaved.txt", server)
            #expect(try await server.task(id)["status"] == "completed")
            #expect(try await server.task(id)["changes_summary"]?["files_created"] == 1)
            try push("late.txt")
            try await followUp(id, "test ! -e late.txt && cat unsaved.txt && rm unsaved.txt", server)
            #expect(try await server.task(id)["status"] == "completed")

            try await followUp(id, "true", server)
            let third = try await createPR(id, server)
            #expect(third.status == 400 && third.json["message"] == "no changes to create PR for", "\(third)")
            #expect(try await server.task(id)["status"] == "completed")
        }
    }

    @Test func nothingTheAgentLeftRunsWhileItsWorkIsCommitted() async throws {
        try await with { server, remote in
            try server.shell(
                """
                set -e; cd \(server.directory); git clone -q '\(remote.git.bare)' w; cd w
                git config -f .gitmodules submodule.sub.path sub; git config -f .gitmodules submodule.sub.url ./sub
                git config -f .gitmodules submodule.sub.ignore none
                git update-index --add --cacheinfo 160000,1111111111111111111111111111111111111111,sub
                git add .gitmodules; git -c user.name=t -c user.email=t@t commit -qm sub; git push -q origin HEAD:main
                """)
            let id = try await completed(
                """
                set -e
                rm -rf sub; git init -q sub; cd sub
                echo '* filter=trap' > .gitattributes; echo one > f
                git add .; git -c user.name=t -c user.email=t@t commit -qm sub
                git config filter.trap.clean 'kill -9 -1'; git config core.fsmonitor 'kill -9 -1'
                printf 'two\\n' > f; touch -d yesterday f
                cd ..
                git init -q embedded; echo x > embedded/x
                printf '* filter=trap diff=trap text=auto\\n' > .gitattributes
                git config filter.trap.clean 'kill -9 -1'; git config core.hooksPath /workspace/hooks; mkdir hooks
                printf '#!/bin/sh\\nkill -9 -1\\n' | tee hooks/pre-push hooks/pre-commit hooks/post-index-change > /dev/null
                chmod +x hooks/*
                git config url.http://127.0.0.1:1/.insteadOf http://; git config remote.origin.pushurl http://127.0.0.1:1/
                """, server, remote)
            let answer = try await createPR(id, server)
            #expect(answer.status == 200, "\(answer)")
            let branch = try #require(try remote.branches(server).first)
            let files = try remote.show(server, "ls-tree -r --name-only \(branch)")
            #expect(files.contains("hooks/pre-push") && files.contains(".gitattributes") && !files.contains("embedded"))
        }
    }

    @Test func aBranchThatIsThereIsNotTouched() async throws {
        try await with { server, remote in
            let id = try await completed("echo x > x", server, remote)
            let name = "codeforge/echo-x-x-\(id.prefix(8))"
            _ = try remote.show(server, "branch \(name) main")
            _ = try remote.show(server, "branch \(name)-1 main")
            let answer = try await createPR(id, server)
            #expect(answer.json["branch"]?.stringValue == name + "-2", "\(answer)")
            let (taken, main) = (
                try remote.show(server, "rev-parse \(name)"), try remote.show(server, "rev-parse main")
            )
            #expect(taken == main)
            #expect(remote.requests.map(\.source) == [name + "-2"])
        }
    }

    @Test func aChangeThatIsGoneIsNothingToCommit() async throws {
        try await with { server, remote in
            let id = try await completed("echo x > x", server, remote)
            try server.inWorkspace(of: id, "rm x")
            let answer = try await createPR(id, server)
            #expect(answer.status == 500, "\(answer)")
            #expect(answer.json["message"] == "creating branch and pushing: nothing to commit", "\(answer)")
            let task = try await server.task(id)
            #expect(task["status"] == "failed")
            #expect(task["error"] == "PR creation failed: creating branch and pushing: nothing to commit")
            #expect(try remote.branches(server) == [] && remote.requests.isEmpty)
        }
    }

    @Test func aHundredNamesAreTriedAndNoMore() async throws {
        try await with { server, remote in
            let id = try await completed("echo x > x", server, remote)
            let name = "codeforge/echo-x-x-\(id.prefix(8))"
            try server.shell(
                "cd '\(remote.git.bare)'; for n in '' $(seq -f -%g 1 99); do git update-ref refs/heads/\(name)$n main; done"
            )
            let answer = try await createPR(id, server)
            #expect(answer.status == 500, "\(answer)")
            #expect(
                answer.json["message"]?.stringValue
                    == "creating branch and pushing: no free branch name: \(name) to \(name)-99 are taken")
            #expect(try await server.task(id)["status"] == "failed" && remote.requests.isEmpty)
        }
    }

    @Test func aRefusedPushFailsTheTaskWithTheReason() async throws {
        try await with { server, remote in
            let id = try await completed("echo x > x", server, remote)
            try server.shell(
                "printf '#!/bin/sh\\necho not found, says policy >&2; exit 1\\n' > '\(remote.git.bare)/hooks/pre-receive'; "
                    + "chmod +x '\(remote.git.bare)/hooks/pre-receive'")
            let answer = try await createPR(id, server)
            let message = answer.json["message"]?.stringValue ?? ""
            #expect(answer.status == 500 && message.hasPrefix("creating branch and pushing: "), "\(answer)")
            #expect(message.contains("not found, says policy"))
            let task = try await server.task(id)
            #expect(task["status"] == "failed" && task["error"]?.stringValue == "PR creation failed: " + message)
            #expect(try await server.frames(id).map(\.name).suffix(2) == ["task_failed", "done"])
            #expect(try remote.branches(server) == [] && remote.requests.isEmpty)
        }
    }

    @Test func aForgeThatRefusesFailsTheTaskWithTheReason() async throws {
        try await with { server, remote in
            remote.forge.fail(.forbidden, on: "POST", "merge_requests")
            let id = try await completed("echo x > x", server, remote)
            let answer = try await createPR(id, server)
            #expect(answer.status == 500, "\(answer)")
            #expect(answer.json["message"]?.stringValue?.hasPrefix("creating PR: ") == true, "\(answer)")
            #expect(try await server.task(id)["status"] == "failed")
            #expect(remote.requests.isEmpty)
        }
    }

    @Test func aTaskWithoutATokenStaysAsItIs() async throws {
        try await with { server, remote in
            // Its clone needs none.
            let local = try server.makeRepository()
            let id = try await server.create("echo x > x", repo: local)
            _ = try await server.finished(id)
            let answer = try await createPR(id, server)
            #expect(answer.status == 400, "\(answer)")
            #expect(answer.json["message"]?.stringValue?.hasPrefix("PR creation not supported for host: ") == true)
            #expect(try await server.task(id)["status"] == "completed")
        }
    }

    /// Waits for the request that makes the pull request, which is held up.
    private func withHeldRequest(
        _ server: ServerFixture, _ remote: Remote, _ body: (String) async throws -> Void
    ) async throws {
        let id = try await completed("echo x > x", server, remote)
        remote.forge.fail(.slow(.seconds(3)), on: "POST", "merge_requests")
        let asking = Task { try? await createPR(id, server) }
        try await eventually("the forge to be asked") {
            remote.forge.requests.contains { $0.method == "POST" } ? () : nil
        }
        asking.cancel()
        try await body(id)
        _ = await asking.value
    }

    @Test func aServerKilledBeforeThePullRequestMakesOneOnly() async throws {
        try await with { server, remote in
            try await withHeldRequest(server, remote) { id in
                try await server.restart(signal: SIGKILL)
                let task = try await server.wait(id, for: "pr_created", "failed")
                #expect(task["status"] == "pr_created", "\(task)")
                #expect(try remote.branches(server).count == 1 && remote.requests.count == 1)
                #expect(try await server.frames(id).last?.data["status"] == "pr_created")
            }
        }
    }

    @Test func aPullRequestWhoseAnswerWasLostIsTaken() async throws {
        try await with { server, remote in
            try await withHeldRequest(server, remote) { id in
                let branch = try #require(try remote.branches(server).first)
                remote.forge.gitlab.addMergeRequest(77, in: "acme/wordstat", source: branch)
                try await server.restart(signal: SIGKILL)
                let task = try await server.wait(id, for: "pr_created", "failed")
                #expect(task["status"] == "pr_created" && task["branch"]?.stringValue == branch, "\(task)")
                #expect(remote.requests.count == 1)
            }
        }
    }

    @Test func theWorkGoesOnWithoutTheClient() async throws {
        try await with { server, remote in
            try await withHeldRequest(server, remote) { id in
                let task = try await server.wait(id, for: "pr_created", "failed")
                #expect(task["status"] == "pr_created", "\(task)")
                #expect(remote.forge.requests.count { $0.method == "POST" } == 1)
            }
        }
    }

    /// Right after the record says `creating_pr`; with the supervisor, too, at whatever it is at then.
    @Test(arguments: [0, 150, 300, 450], [false, true])
    func aCrashWhilePushingMakesOneBranchOnly(milliseconds: Int, both: Bool) async throws {
        try await with { server, remote in
            let id = try await completed("head -c 3000000 /dev/urandom > x", server, remote)
            let asking = Task { try? await createPR(id, server) }
            try await eventually("the work to begin") {
                try await server.task(id)["status"] == "creating_pr" ? () : nil
            }
            try await Task.sleep(for: .milliseconds(milliseconds))
            if both, let supervisor = server.supervisor(of: id) { kill(supervisor, SIGKILL) }
            try await server.restart(signal: SIGKILL)
            _ = await asking.value
            let task = try await server.wait(id, for: "pr_created", "failed")
            #expect(task["status"] == "pr_created", "\(task)")
            let branches = try remote.branches(server)
            #expect(branches.count == 1, "\(branches)")
            #expect(remote.requests.count == 1)
        }
    }
}
