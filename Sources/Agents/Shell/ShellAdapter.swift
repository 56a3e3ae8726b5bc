/// Runs the prompt as a bash script: for jobs that need no model, for tests and for benchmarks.
package struct ShellAdapter: AgentAdapter {
    /// Where a script goes that does not fit an argument, relative to the home.
    static let scriptPath = ".codeforge/script.sh"

    package init() {}

    package let name = "shell"
    package let label = "shell"
    package let defaultBinary = "bash"
    package let provider: ModelProvider? = nil

    package func command(for run: AgentRun) -> AgentCommand {
        var environment = AgentEnvironment.base(for: run)
        environment["CI"] = "1"
        guard run.prompt.fitsArgument else {
            return AgentCommand(
                argv: [run.binary, run.home + "/" + ShellAdapter.scriptPath], environment: environment,
                files: [AgentCommand.HomeFile(path: ShellAdapter.scriptPath, contents: run.prompt)])
        }
        return AgentCommand(argv: [run.binary, "-c", run.prompt], environment: environment)
    }

    package func makeNormalizer() -> any OutputNormalizer { ShellNormalizer() }
}
