import Domain
import Foundation
import ServerKit
import Testing

/// What a task's own code can reach and find.
@Suite(.serialized) struct IsolationTests {
    /// A server, and the sample repository behind a password.
    private func withGit(_ body: (ServerFixture, GitFixture) async throws -> Void) async throws {
        let git = try await GitFixture()
        try await ServerFixture.with([
            "CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS": String(git.url.dropFirst("http://".count)),
            "CODEFORGE_GIT__PROVIDER_DOMAINS": #"{"127.0.0.1":"gitlab"}"#,
        ]) { try await body($0, git) }
        try await git.stop()
    }

    @Test func aPullRequestIsCheckedOutBesideItsTarget() async throws {
        try await withGit { server, git in
            let id = try await server.create(
                "git rev-parse --abbrev-ref HEAD; git diff --stat origin/main...HEAD | tail -n 1", repo: git.repository,
                config: ["pr_number": 1, "target_branch": "main"],
                extra: ["access_token": .string(git.password), "task_type": "pr_review"])
            let task = try await server.finished(id)
            let result = task["result"]?.stringValue ?? ""
            #expect(result.hasPrefix("pr-1\n") && result.contains("changed"), "\(task)")
        }
    }

    @Test func aWrongGitTokenFailsTheCloneAndIsNotShown() async throws {
        try await withGit { server, git in
            let id = try await server.create(
                "true", repo: git.repository, extra: ["access_token": "wrong-SECRET-token"])
            let error = try await server.finished(id)["error"]?.stringValue ?? ""
            #expect(error.hasPrefix("clone failed: git clone failed: "), "\(error)")
            #expect(!error.contains("SECRET"), "\(error)")
        }
    }

    @Test func whatTheGatewayDoesNotServeIsRefusedAndRecorded() async throws {
        try await withGit { server, git in
            let id = try await server.create(
                """
                curl -s -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:61999/nothing
                curl -s -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:61999/git/\(git.url.dropFirst(7))/acme/wordstat.git/info/refs?service=git-upload-pack
                curl -s -m 3 -o /dev/null -w '%{http_code}\\n' http://example.com/ || true
                curl -s -m 3 --noproxy '*' -o /dev/null http://1.1.1.1/ || echo unreachable
                """, repo: git.repository, extra: ["access_token": .string(git.password)])
            let frames = try await server.frames(id)
            let lines = frames.filter { $0.name == "output" }.compactMap { $0.data["data"]?["content"]?.stringValue }
            #expect(lines.count == 4 && lines.last == "unreachable", "\(lines)")
            #expect(lines.prefix(3).allSatisfy { $0.hasPrefix("4") }, "\(lines)")
            #expect(frames.filter { $0.name == "gateway_refused" }.count >= 2)
        }
    }

    @Test func secretsOfATaskAreNotReadableOnDisk() async throws {
        try await withGit { server, git in
            let id = try await server.create(
                "sleep 3", repo: git.repository,
                extra: ["access_token": .string(git.password)])
            try await server.wait(id, for: "running")
            let data = server.directory + "/data"
            // The volumes go through tar, which leaves out the gigabytes of holes in them.
            let found = try server.shell(
                """
                grep -rlaF '\(git.password)' '\(data)' --exclude='*.ext4' || true
                tar -cSf - '\(data)'/workspaces 2>/dev/null | grep -caF -e '\(git.password)' || true
                """)
            #expect(found == "0\n", "\(found)")
            // The repository's own configuration names the place, not the credential.
            _ = try await server.finished(id)
            let config =
                try server.inGitDirectory(of: id, "cat config") + server.inWorkspace(of: id, "cat .git/config")
            #expect(config.contains(git.repository) && !config.contains("@"), "\(config)")
        }
    }

    @Test func theHostIsOutOfSight() async throws {
        try await ServerFixture.with { server in
            let id = try await server.create(
                """
                id -u; hostname; ls /sys 2>/dev/null | wc -l; ls -d /root/.ssh /var/lib/codeforge 2>/dev/null | wc -l
                ps -e --no-headers 2>/dev/null | wc -l; cat /proc/1/environ | wc -c
                echo x > /proc/sys/kernel/core_pattern || echo refused
                unshare -U true 2>/dev/null || echo refused
                """, repo: try server.makeRepository())
            let task = try await server.finished(id)
            let lines = (task["result"]?.stringValue ?? "").split(separator: "\n").map(String.init)
            #expect(lines.first == "1000" && lines.suffix(2) == ["refused", "refused"], "\(task)")
            #expect(lines.count > 3 && lines[2] == "0" && lines[3] == "0", "\(lines)")
            let refused = try await server.frames(id).filter { $0.name == "syscall_refused" }
            #expect(refused.contains { $0.data["data"]?["syscall"] == "unshare" }, "the attempt is on record")
        }
    }
}
