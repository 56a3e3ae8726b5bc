import Domain

/// OpenAI's Codex CLI; tried with 0.163.0. It has no turn or budget limit and reads no `.mcp.json`.
package struct CodexAdapter: AgentAdapter {
    package init() {}

    package let name = "codex"
    package let label = "codex"
    package let defaultBinary = "codex"
    package let provider: ModelProvider? = .openAI
    package let countsWholeConversation = true

    package func command(for run: AgentRun) -> AgentCommand {
        var argv = run.program
        argv += [
            "exec", "--json", "--sandbox", "danger-full-access", "--skip-git-repo-check", "--cd", run.workspace,
        ]
        if let model = run.model?.nonEmpty { argv += ["-m", model] }
        if let id = run.resumeSessionID, SessionID.isValid(id) { argv += ["resume", id] }
        let argument = CodexAdapter.passesAsArgument(run.prompt)
        argv.append(argument ? run.prompt : "-")
        var environment = AgentEnvironment.base(for: run)
        environment["CODEX_HOME"] = run.home + "/.codex"
        environment["CODEX_API_KEY"] = AgentEnvironment.placeholderKey
        return AgentCommand(
            argv: argv, environment: environment,
            files: CodexAdapter.files(for: run),
            standardInput: argument ? nil : Array(run.prompt.utf8))
    }

    package func makeNormalizer() -> any OutputNormalizer { CodexNormalizer() }

    /// Written anew for each run, so that nothing an earlier iteration put there counts.
    private static func files(for run: AgentRun) -> [AgentCommand.HomeFile] {
        var files = [AgentCommand.HomeFile(path: ".codex/config.toml", contents: configuration(for: run))]
        if run.configuration == .ignored || run.instructions == .ignored {
            files.append(AgentCommand.HomeFile(path: ".codex/AGENTS.override.md", contents: ""))
            // In an untrusted directory it leaves out instructions as well: they can be followed as the user's own.
            files.append(
                run.instructions == .followed
                    ? AgentCommand.HomeFile(path: ".codex/AGENTS.md", linkTo: run.workspace + "/AGENTS.md")
                    : AgentCommand.HomeFile(path: ".codex/AGENTS.md", contents: ""))
        }
        return files
    }

    static func configuration(for run: AgentRun) -> String {
        var lines: [String] = []
        if run.instructions == .ignored { lines.append("project_doc_max_bytes = 0") }
        lines += [
            "model_provider = \"codeforge\"",
            "check_for_update_on_startup = false",
            "",
            "[analytics]",
            "enabled = false",
            "",
            // Else each start asks github.com and chatgpt.com for a plugin list, which the gateway refuses.
            "[features]",
            "plugins = false",
            "",
            "[model_providers.codeforge]",
            "name = \"CodeForge gateway\"",
            "base_url = \(quoted(run.gatewayBase + "/openai/v1"))",
            "env_key = \"CODEX_API_KEY\"",
            "wire_api = \"responses\"",
        ]
        if run.configuration == .ignored {
            // Skills of a directory are listed to the model whether or not it is trusted. That it is not has to be said
            // beforehand, or `exec` trusts its working directory by itself and starts the servers of the repository's
            // `.codex/config.toml`.
            lines += ["", "[skills]", "include_instructions = false"]
            lines += ["", "[projects.\(quoted(run.workspace))]", "trust_level = \"untrusted\""]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What `codex exec` would take for a subcommand in the place of the prompt.
    private static let subcommands: Set = ["resume", "fork", "review", "help"]

    /// The prompt is an operand: one with a dash in front would be read as an option (or, alone, as standard input), and
    /// some words as a subcommand. Such prompts go through standard input, and so does an empty one.
    private static func passesAsArgument(_ prompt: String) -> Bool {
        guard prompt.fitsArgument, let first = prompt.utf8.first else { return false }
        return first != UInt8(ascii: "-") && !subcommands.contains(prompt)
    }

    /// A TOML basic string: JSON's escapes are among TOML's.
    private static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.appendJSONString(text.utf8)
        return String(decoding: bytes, as: UTF8.self)
    }
}
