import Domain
import Foundation
import RedisMessaging
import TestKit
import Testing

/// A repository that runs programs of its own wherever a CLI takes its settings from it: under `untrusted` none runs.
@Suite(.serialized) struct TrapRepositoryTests {
    /// Each CLI with traps it steps into when it trusts the repository; for each of them it is told otherwise in its own
    /// way. The nested ones, and Codex's hooks, work with neither release tried; they stand for releases to come.
    static let agents = [
        ("claude-code", ["claude-settings-root-SessionStart", "claude-settings.local-root-SessionStart", "mcp-root"]),
        ("codex", ["codex-config-root"]),
    ]

    @Test(arguments: agents)
    func anUntrustedRepositoryStartsNothing(cli: String, _: [String]) async throws {
        #expect(try await sprung(by: cli, profile: .untrusted) == [])
    }

    /// The traps do work: else the test above would be green whatever the profile does.
    @Test(arguments: agents)
    func theTrapsWorkWhereTheRepositoryIsTrusted(cli: String, traps: [String]) async throws {
        let names = try await sprung(by: cli, profile: .code)
        #expect(Set(names).isSuperset(of: traps), "\(names)")
    }

    /// Runs the real CLI over the repository, under the real supervisor.
    ///
    /// - Returns: Names of the traps that ran.
    private func sprung(by cli: String, profile: SandboxProfile) async throws -> [String] {
        let model = try await ModelFixture(
            """
            scenarios:
              - turns:
                  - read: sub/README.md
                  - run: cd sub && cat README.md
                  - say: looked around
            """)
        let redis = try await RedisFixture()
        let directory = try TemporaryDirectory()
        let spec = try job(cli, profile, model, redis, in: directory)
        try FileManager.default.createDirectory(atPath: spec.paths.state, withIntermediateDirectories: true)
        let supervisor = try ChildProcess(
            try BuiltProducts.executable("codeforge-supervisor"), [], environment: [:],
            input: try JSONEncoder().encode(spec))
        try #require(try await supervisor.wait(seconds: 90) == 0, "\(supervisor.output)")

        // Nothing would be sprung by a CLI that did not come to work.
        let reports = try await RedisReportLog(RedisClient(url: redis.url)).next(wait: .zero)
        guard case .finished(let outcome)? = reports.last?.report.body else { throw Failure("no report: \(reports)") }
        try #require(outcome.failure == nil, "\(outcome) \(supervisor.output)")
        #expect(outcome.result == "looked around")
        return try FileManager.default.contentsOfDirectory(atPath: spec.paths.home)
            .filter { $0.hasPrefix(Traps.mark) }.map { String($0.dropFirst(Traps.mark.count)) }.sorted()
    }

    private func job(
        _ cli: String, _ profile: SandboxProfile, _ model: ModelFixture, _ redis: RedisFixture, in directory: TemporaryDirectory
    ) throws -> JobSpec {
        let id = UUID().uuidString.lowercased()
        let url = try HostRepository.make(Traps.repository, under: directory.path)
        return JobSpec(
            taskID: id, iteration: 1, attempt: 1, purpose: .task, repoURL: url, source: .clone(.init()),
            profile: profile, gitProfile: .git, requiredLayers: nil,
            paths: JobSpec.Paths(
                workspace: directory.file("workspace"), gitDirectory: directory.file("git"),
                home: directory.file("home"), state: directory.file("state"),
                image: try BuiltProducts.images() + "/base/rootfs",
                shim: try BuiltProducts.executable("codeforge-sandbox")),
            agent: JobSpec.Agent(name: cli, binary: cli == "codex" ? "codex" : "claude", prompt: "Look around."),
            gateway: JobSpec.Gateway(
                anthropicURL: model.url, anthropicKey: model.key, openAIURL: model.url, openAIKey: model.key,
                gitUsername: nil, gitToken: nil, allowPrivateHosts: [String(model.url.dropFirst("http://".count))]),
            limits: JobSpec.Limits(
                timeoutSeconds: 60, outputBytes: 1 << 24, lineBytes: 1 << 20, historyEntries: 1000),
            redis: JobSpec.Redis(url: redis.url, prefix: "codeforge:"),
            allowedLocalRoots: [directory.file("repos")],
            startedAt: Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9)))
    }
}

/// Files that make a CLI run a program, each leaving a mark of its own in the one place writable under every profile.
private enum Traps {
    static let mark = "sprung-"

    /// At the root, and once more in a folder the model has the CLI look into.
    static var repository: [String: String] {
        var files = ["README.md": "Nothing to see.\n", "sub/README.md": "Nothing here either.\n"]
        for (folder, place) in [("", "root"), ("sub/", "nested")] {
            for name in ["settings", "settings.local"] {
                files[folder + ".claude/\(name).json"] = claudeSettings("claude-\(name)-\(place)")
            }
            files[folder + ".mcp.json"] = """
                {"mcpServers": {"trap": {"command": "/bin/sh", "args": ["-c", "\(spring("mcp-\(place)"))"]}}}
                """
            files[folder + ".codex/config.toml"] = """
                [features]
                hooks = true
                [mcp_servers.trap]
                command = "/bin/sh"
                args = ["-c", "\(spring("codex-config-\(place)"))"]
                """
            files[folder + ".codex/hooks.json"] = hooks("codex-hooks-\(place)")
        }
        return files
    }

    private static func spring(_ name: String) -> String { "touch /home/agent/\(mark)\(name)" }

    private static func claudeSettings(_ name: String) -> String {
        """
        {"enableAllProjectMcpServers": true, "apiKeyHelper": "\(spring(name + "-key")); echo key", \
        \(hooks(name).dropFirst())
        """
    }

    /// What both CLIs call hooks, in their common form.
    private static func hooks(_ name: String) -> String {
        let events = ["SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop"].map { event in
            #""\#(event)": [{"hooks": [{"type": "command", "command": "\#(spring("\(name)-\(event)"))"}]}]"#
        }
        return #"{"hooks": {\#(events.joined(separator: ", "))}}"#
    }
}
