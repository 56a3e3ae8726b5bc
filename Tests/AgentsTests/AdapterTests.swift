import Foundation
import Testing

@testable import Agents

@Suite struct AdapterTests {
    private func run(_ prompt: String, _ change: (inout AgentRun) -> Void = { _ in }) -> AgentRun {
        var run = AgentRun(
            prompt: prompt, gatewayBase: "http://127.0.0.1:4321", configuration: .repository,
            instructions: .followed, binary: "cli")
        change(&run)
        return run
    }

    private let claudeFlags = ["--output-format", "stream-json", "--verbose", "--permission-mode", "bypassPermissions"]
    private let codexFlags = [
        "exec", "--json", "--sandbox", "danger-full-access", "--skip-git-repo-check", "--cd", "/workspace",
    ]

    @Test func claudeGetsOnlyTheFlagsOfTheContract() {
        let prompt = "  do\n\"this\" $(now) é  "
        #expect(ClaudeCodeAdapter().command(for: run(prompt)).argv == ["cli", "-p", prompt] + claudeFlags)
        #expect(ClaudeCodeAdapter().command(for: run(prompt)).standardInput == nil)
        #expect(ClaudeCodeAdapter().command(for: run(prompt)).files.isEmpty)
    }

    @Test func claudeGetsEachOptionInItsPlace() {
        let all = run("p") {
            $0.mcpConfigPath = "/workspace/.mcp.json"
            $0.model = "m"
            $0.maxTurns = 7
            $0.maxBudgetUSD = 1.5
            $0.resumeSessionID = "0123-ab"
        }
        #expect(
            ClaudeCodeAdapter().command(for: all).argv == ["cli", "-p", "p"] + claudeFlags + [
                "--mcp-config", "/workspace/.mcp.json", "--model", "m", "--max-turns", "7", "--max-budget-usd", "1.50",
                "--resume", "0123-ab",
            ])
        let none = run("p") {
            $0.model = ""
            $0.maxTurns = 0
            $0.maxBudgetUSD = -1
            $0.resumeSessionID = "--help"
        }
        #expect(ClaudeCodeAdapter().command(for: none).argv == ["cli", "-p", "p"] + claudeFlags)
    }

    @Test(arguments: [(0.001, "0.01"), (0.1, "0.10"), (2, "2.00"), (12.345, "12.35"), (1e300, "10000000000000.00")])
    func budgetsHaveTwoDecimals(amount: Double, text: String) { #expect(Cents.string(amount) == text) }

    @Test func anUntrustedRepositoryConfiguresNoAgent() {
        let untrusted = run("p") {
            $0.configuration = .ignored
            $0.instructions = .ignored
        }
        let claude = ClaudeCodeAdapter().command(for: untrusted)
        #expect(claude.environment["CLAUDE_CODE_DISABLE_CLAUDE_MDS"] == "1")
        #expect(claude.argv.suffix(3) == ["--strict-mcp-config", "--setting-sources", "user"])
        #expect(claude.files == [.init(path: ".claude/settings.json", contents: "{}\n")])
        let codex = CodexAdapter().command(for: untrusted).files
        let configuration = codex.first?.contents ?? ""
        #expect(configuration.hasPrefix("project_doc_max_bytes = 0\n"))
        #expect(configuration.hasSuffix("[projects.\"/workspace\"]\ntrust_level = \"untrusted\"\n"))
        #expect(codex.dropFirst().allSatisfy { $0.contents.isEmpty && !$0.isLink } && codex.count == 3)
        #expect(!CodexAdapter.configuration(for: run("p")).contains("trust_level"))
    }

    @Test func serversOfTheRepositoryCanBeLeftAloneByThemselves() {
        let alone = run("p") {
            $0.mcpConfigPath = "/workspace/.mcp.json"
            $0.onlyThoseServers = true
        }
        #expect(
            ClaudeCodeAdapter().command(for: alone).argv.suffix(3)
                == ["--mcp-config", "/workspace/.mcp.json", "--strict-mcp-config"])
        let both = run("p") {
            $0.configuration = .ignored
            $0.onlyThoseServers = true
        }
        #expect(ClaudeCodeAdapter().command(for: both).argv.count { $0 == "--strict-mcp-config" } == 1)
        #expect(AgentCatalog.all.filter(\.readsMCPConfiguration).map(\.name) == ["claude-code"])
    }

    @Test func instructionsCanBeFollowedWithoutTheConfiguration() {
        let run = run("p") { $0.configuration = .ignored }
        let claude = ClaudeCodeAdapter().command(for: run)
        #expect(
            claude.argv.suffix(5) == ["--add-dir", "/workspace", "--strict-mcp-config", "--setting-sources", "user"])
        #expect(claude.environment["CLAUDE_CODE_DISABLE_CLAUDE_MDS"] == nil)
        #expect(
            CodexAdapter().command(for: run).files.last
                == .init(path: ".codex/AGENTS.md", linkTo: "/workspace/AGENTS.md"))
    }

    @Test func codexPutsThePromptLast() {
        #expect(CodexAdapter().command(for: run("p q")).argv == ["cli"] + codexFlags + ["p q"])
        let resumed = run("p") {
            $0.model = "m"
            $0.maxTurns = 3
            $0.resumeSessionID = "01a2"
        }
        #expect(CodexAdapter().command(for: resumed).argv == ["cli"] + codexFlags + ["-m", "m", "resume", "01a2", "p"])
    }

    /// Both take the prompt as an operand; the real binaries read such ones as options or subcommands.
    @Test(arguments: ["--dangerously", "-", "-x y"])
    func aPromptWithADashGoesThroughStandardInput(prompt: String) {
        let claude = ClaudeCodeAdapter().command(for: run(prompt))
        #expect(claude.argv == ["cli", "-p"] + claudeFlags)
        #expect(claude.standardInput == Array(prompt.utf8))
        let codex = CodexAdapter().command(for: run(prompt))
        #expect(codex.argv == ["cli"] + codexFlags + ["-"])
        #expect(codex.standardInput == Array(prompt.utf8))
    }

    @Test(arguments: ["review", "resume", "fork", "help"])
    func aPromptThatIsASubcommandGoesThroughStandardInput(prompt: String) {
        #expect(CodexAdapter().command(for: run(prompt)).standardInput == Array(prompt.utf8))
        #expect(CodexAdapter().command(for: run(prompt + " it")).standardInput == nil)
    }

    /// Linux takes 128 KiB an argument; a client may send 102 400 characters of four bytes. A NUL would end one early.
    @Test(arguments: [String(repeating: "😀", count: 102_400), "a\u{0}b"])
    func whatFitsNoArgumentGoesAnotherWay(prompt: String) {
        for adapter in AgentCatalog.all {
            let command = adapter.command(for: run(prompt))
            #expect(command.standardInput == Array(prompt.utf8))
            #expect(command.argv.allSatisfy { $0.fitsArgument })
        }
    }

    /// Both ways of starting a script, tried with bash itself.
    @Test(arguments: ["", "# " + String(repeating: "x", count: 200_000) + "\n"])
    func bashRunsAScriptThatLooksLikeAnOption(padding: String) throws {
        var script = run("-x 2>/dev/null; \(padding)echo \"it's\" $(wc -c)") { $0.binary = "bash" }
        script.home = "/"
        let command = ShellAdapter().command(for: script)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command.argv
        process.environment = command.environment
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = command.standardInput == nil ? FileHandle.nullDevice : input
        process.standardOutput = output
        try process.run()
        if let bytes = command.standardInput { try input.fileHandleForWriting.write(contentsOf: Data(bytes)) }
        try input.fileHandleForWriting.close()
        let text = try output.fileHandleForReading.readToEnd().map { String(decoding: $0, as: UTF8.self) }
        process.waitUntilExit()
        #expect(text == "it's 0\n")
        #expect(process.terminationStatus == 0)
    }

    @Test func shellRunsThePromptAsItIs() {
        #expect(ShellAdapter().command(for: run("-x; echo 'hi'\n")).argv == ["cli", "-c", "--", "-x; echo 'hi'\n"])
    }

    @Test func theEnvironmentIsOurOwnAndHoldsNoKey() {
        let claude = ClaudeCodeAdapter().command(for: run("p")).environment
        #expect(claude["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:4321/anthropic")
        #expect(claude["ANTHROPIC_API_KEY"] == AgentEnvironment.placeholderKey)
        #expect(claude["HOME"] == "/home/agent")
        let codex = CodexAdapter().command(for: run("p"))
        #expect(codex.environment["CODEX_HOME"] == "/home/agent/.codex")
        #expect(codex.environment["CODEX_API_KEY"] == AgentEnvironment.placeholderKey)
        #expect(codex.files.first?.path == ".codex/config.toml")
        #expect(codex.files.first?.contents.contains("base_url = \"http://127.0.0.1:4321/openai/v1\"") == true)
        #expect(ShellAdapter().command(for: run("p")).environment["ANTHROPIC_API_KEY"] == nil)
    }

    @Test func aScriptIsStartedThroughNode() {
        let script = run("p") { $0.binary = "/opt/cli.js" }
        #expect(ClaudeCodeAdapter().command(for: script).argv.prefix(2) == ["node", "/opt/cli.js"])
        #expect(CodexAdapter().command(for: script).argv.prefix(3) == ["node", "/opt/cli.js", "exec"])
    }

    @Test func theCatalogKnowsEachByName() {
        #expect(AgentCatalog.names == ["claude-code", "codex", "shell"])
        for name in AgentCatalog.names { #expect(AgentCatalog.adapter(named: name)?.name == name) }
        #expect(AgentCatalog.adapter(named: "Claude-Code") == nil)
    }
}
