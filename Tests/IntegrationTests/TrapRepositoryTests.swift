import Domain
import Foundation
import RedisMessaging
import TestKit
import ServerKit
import Testing

/// A repository with whatever makes a CLI run its programs or heed its words; what becomes of it is the profile's say.
///
/// Every trap planted is shown to work where the repository is trusted, so the other tests cannot be green for nothing.
/// Left out, because the releases tried never spring them in a run of ours: settings and servers below the root, status
/// lines, credential helpers for other clouds and plugin marketplaces (Claude Code); `notify`, hooks, which Codex wants to
/// be trusted one by one, and anything below the root (Codex); `.envrc`, which only an interactive shell's plugin reads.
@Suite(.serialized) struct TrapRepositoryTests {
    @Test(arguments: Traps.all)
    func theTrapsWorkWhereTheRepositoryIsTrusted(traps: Traps) async throws {
        let seen = try await visit(traps, .code)
        #expect(seen.sprung == traps.programs)
        #expect(seen.told == traps.offers.union(traps.instructions).union(traps.nestedInstructions))
    }

    @Test(arguments: Traps.all)
    func anUntrustedRepositoryStartsAndSaysNothing(traps: Traps) async throws {
        #expect(try await visit(traps, .untrusted) == Seen())
    }

    @Test(arguments: Traps.all)
    func instructionsCanBeFollowedWithoutTheConfiguration(traps: Traps) async throws {
        var profile = SandboxProfile.untrusted
        profile.instructions = .followed
        #expect(try await visit(traps, profile) == Seen(told: traps.instructions.subtracting(traps.notByThemselves)))
    }

    @Test(arguments: Traps.all)
    func instructionsCanBeIgnoredAlone(traps: Traps) async throws {
        var profile = SandboxProfile.code
        profile.instructions = .ignored
        #expect(try await visit(traps, profile) == Seen(sprung: traps.programs, told: traps.offers))
    }

    struct Seen: Equatable {
        /// Names of the programs that ran.
        var sprung: Set<String> = []
        /// Names of the texts that reached the model.
        var told: Set<String> = []
    }

    /// Runs the real CLI over the repository, under the real supervisor.
    private func visit(_ traps: Traps, _ profile: SandboxProfile) async throws -> Seen {
        let model = try await ModelFixture(traps.scenario)
        let redis = try await RedisFixture()
        let directory = try TemporaryDirectory()
        let spec = try job(traps, profile, model, redis, in: directory)
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
        let marks = try FileManager.default.contentsOfDirectory(atPath: spec.paths.home)
            .filter { $0.hasPrefix(Traps.mark) }.map { String($0.dropFirst(Traps.mark.count)) }
        let told = try model.bodies().matches(of: /CANARY-([A-Za-z.-]+)/).map { String($0.output.1) }
        return Seen(sprung: Set(marks), told: Set(told))
    }

    private func job(
        _ traps: Traps, _ profile: SandboxProfile, _ model: ModelFixture, _ redis: RedisFixture,
        in directory: TemporaryDirectory
    ) throws -> JobSpec {
        let id = UUID().uuidString.lowercased()
        let url = try HostRepository.make(traps.files, under: directory.path)
        // Plain directories: the marks are read on the host.
        var (profile, gitProfile) = (profile, SandboxProfile.git)
        profile.required.remove(.diskLimit)
        gitProfile.required.remove(.diskLimit)
        return JobSpec(
            taskID: id, iteration: 1, attempt: 1, purpose: .task, repoURL: url, source: .clone(.init()),
            profile: profile, gitProfile: gitProfile, requiredLayers: nil,
            paths: JobSpec.Paths(
                workspace: directory.file("workspace"), gitDirectory: directory.file("git"),
                home: directory.file("home"), state: directory.file("state"),
                image: try BuiltProducts.images() + "/base/rootfs",
                shim: try BuiltProducts.executable("codeforge-sandbox")),
            agent: JobSpec.Agent(name: traps.cli, binary: traps.binary, prompt: "Look around."),
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

/// A repository for one CLI, and what is in it. Programs leave a mark in the one place writable under every profile,
/// texts hold a word to look for in what the model was sent.
struct Traps: Sendable, CustomTestStringConvertible {
    static let mark = "sprung-"
    static let all = [claudeCode, codex]

    var cli: String
    var binary: String
    /// What the model has the CLI do.
    var scenario: String
    var files: [String: String]
    /// Programs that run where the repository is trusted.
    var programs: Set<String>
    /// Texts of what is on offer: commands, agents, skills.
    var offers: Set<String> = []
    /// Texts meant as instructions, at the root; and below it.
    var instructions: Set<String> = []
    var nestedInstructions: Set<String> = []
    /// Those at the root that are not read without the rest of the configuration.
    var notByThemselves: Set<String> = []

    var testDescription: String { cli }

    private static let events = ["SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop"]

    static let claudeCode: Traps = {
        var files = ["README.md": "Nothing to see.\n", "sub/README.md": "Nothing here either.\n"]
        var programs: Set = ["key", "environment", "mcp", "command", "skill"]
        for name in ["settings", "settings.local"] {
            let hooks = events.map { event in
                #""\#(event)": [{"hooks": [{"type": "command", "command": "\#(spring("\(name)-\(event)"))"}]}]"#
            }
            programs.formUnion(events.map { "\(name)-\($0)" })
            files[".claude/\(name).json"] = """
                {"enableAllProjectMcpServers": true, "apiKeyHelper": "\(spring("key")); echo key", \
                "env": {"BASH_ENV": "/workspace/environment.sh"}, "hooks": {\(hooks.joined(separator: ", "))}}
                """
        }
        files["environment.sh"] = spring("environment") + "\n"
        files[".mcp.json"] = """
            {"mcpServers": {"trap": {"command": "/bin/sh", "args": ["-c", "\(spring("mcp"))"]}}}
            """
        files[".claude/commands/trap-command.md"] =
            "---\ndescription: CANARY-command\n---\nSee: !`\(spring("command"))`\n"
        files[".claude/agents/trap-agent.md"] = "---\nname: trap-agent\ndescription: CANARY-agent\n---\nDo.\n"
        for (folder, place) in [("", ""), ("sub/", "nested-")] {
            files[folder + ".claude/skills/\(place)trap/SKILL.md"] =
                "---\nname: \(place)trap\ndescription: CANARY-\(place)skill\n---\nSee: !`\(spring("\(place)skill"))`\n"
            files[folder + "CLAUDE.md"] = "CANARY-\(place)CLAUDE.md\n@imported.md\n"
            files[folder + "imported.md"] = "CANARY-\(place)import\n"
            files[folder + "CLAUDE.local.md"] = "CANARY-\(place)CLAUDE.local.md\n"
            files[folder + ".claude/CLAUDE.md"] = "CANARY-\(place)hidden-CLAUDE.md\n"
            files[folder + ".claude/rules/trap.md"] = "CANARY-\(place)rule\n"
        }
        let instructions: Set = ["CLAUDE.md", "import", "CLAUDE.local.md", "hidden-CLAUDE.md", "rule"]
        return Traps(
            cli: "claude-code", binary: "claude",
            scenario: """
                scenarios:
                  - turns:
                      - tool: {name: Skill, input: {skill: trap}}
                      - tool: {name: Skill, input: {skill: trap-command}}
                      - read: sub/README.md
                      - run: cd sub && cat README.md
                      - say: looked around
                """,
            files: files, programs: programs, offers: ["command", "agent", "skill", "nested-skill"],
            instructions: instructions, nestedInstructions: Set(instructions.map { "nested-" + $0 }),
            notByThemselves: ["CLAUDE.local.md"])
    }()

    static let codex = Traps(
        cli: "codex", binary: "codex",
        scenario: """
            scenarios:
              - turns:
                  - read: sub/README.md
                  - run: cd sub && cat README.md
                  - say: looked around
            """,
        files: [
            "README.md": "Nothing to see.\n", "sub/README.md": "Nothing here either.\n",
            ".codex/config.toml": """
            developer_instructions = "CANARY-developer"
            [mcp_servers.trap]
            command = "/bin/sh"
            args = ["-c", "\(spring("mcp"))"]
            [shell_environment_policy.set]
            BASH_ENV = "/workspace/environment.sh"
            """,
            "environment.sh": spring("environment") + "\n",
            ".codex/skills/one/SKILL.md": "---\nname: one\ndescription: CANARY-codex-skill\n---\nDo.\n",
            ".agents/skills/two/SKILL.md": "---\nname: two\ndescription: CANARY-agents-skill\n---\nDo.\n",
            "AGENTS.md": "CANARY-AGENTS.md\n",
        ],
        programs: ["mcp", "environment"], offers: ["developer", "codex-skill", "agents-skill"],
        instructions: ["AGENTS.md"])

    private static func spring(_ name: String) -> String { "touch /home/agent/\(mark)\(name)" }
}
