/// Anthropic's Claude Code; tried with 2.1.330.
package struct ClaudeCodeAdapter: AgentAdapter {
    package init() {}

    package let name = "claude-code"
    package let label = "claude"
    package let defaultBinary = "claude"
    package let provider: ModelProvider? = .anthropic
    package let readsMCPConfiguration = true

    /// The argument order is part of the contract: stub CLIs of existing deployments refuse any other flag.
    package func command(for run: AgentRun) -> AgentCommand {
        let argument = ClaudeCodeAdapter.passesAsArgument(run.prompt)
        var argv = run.program
        argv += argument ? ["-p", run.prompt] : ["-p"]
        argv += ["--output-format", "stream-json", "--verbose", "--permission-mode", "bypassPermissions"]
        if let path = run.mcpConfigPath { argv += ["--mcp-config", path] }
        if let model = run.model?.nonEmpty { argv += ["--model", model] }
        if let turns = run.maxTurns, turns > 0 { argv += ["--max-turns", "\(turns)"] }
        if let budget = run.maxBudgetUSD, budget > 0, budget.isFinite {
            argv += ["--max-budget-usd", Cents.string(budget)]
        }
        if let id = run.resumeSessionID, SessionID.isValid(id) { argv += ["--resume", id] }
        var files: [AgentCommand.HomeFile] = []
        var environment = AgentEnvironment.base(for: run)
        if run.configuration == .ignored {
            if run.instructions == .followed {
                // Without project settings it would leave out the project's instructions as well.
                argv += ["--add-dir", run.workspace]
                environment["CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD"] = "1"
            }
            // Both are needed: the first drops the repository's `.mcp.json`, the second its `.claude/settings.json`.
            argv += ["--strict-mcp-config", "--setting-sources", "user"]
            // The home lives on between iterations: what an earlier one planted as the user's settings goes.
            files.append(AgentCommand.HomeFile(path: ".claude/settings.json", contents: "{}\n"))
        }
        if run.onlyThoseServers, run.configuration != .ignored { argv.append("--strict-mcp-config") }
        if run.instructions == .ignored { environment["CLAUDE_CODE_DISABLE_CLAUDE_MDS"] = "1" }
        environment["ANTHROPIC_BASE_URL"] = run.gatewayBase + "/anthropic"
        environment["ANTHROPIC_API_KEY"] = AgentEnvironment.placeholderKey
        environment["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1"  // no calls home
        environment["DISABLE_AUTOUPDATER"] = "1"
        environment["IS_SANDBOX"] = "1"  // where the sandbox maps its one uid to root, bypass mode asks for it
        return AgentCommand(
            argv: argv, environment: environment, files: files, standardInput: argument ? nil : Array(run.prompt.utf8))
    }

    package func makeNormalizer() -> any OutputNormalizer { ClaudeCodeNormalizer() }

    /// `-p` takes no value: the prompt is an operand, and one with a dash in front would be read as an option. Claude
    /// Code takes such a prompt from standard input just as well.
    private static func passesAsArgument(_ prompt: String) -> Bool {
        prompt.fitsArgument && prompt.utf8.first != UInt8(ascii: "-")
    }
}

/// Money with two decimals.
enum Cents {
    /// - Parameter amount: Finite and positive. What would round to nothing becomes one cent: a limit stays a limit.
    static func string(_ amount: Double) -> String {
        let cents = Int(max(1, min(amount * 100 + 0.5, 1e15)))  // the conversion cuts off: no libm for one number
        let rest = cents % 100
        return "\(cents / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
