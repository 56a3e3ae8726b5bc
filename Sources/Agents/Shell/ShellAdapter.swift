/// Runs the prompt as a bash script: for jobs that need no model, for tests and for benchmarks.
package struct ShellAdapter: AgentAdapter {
    /// Takes a script that fits no argument from standard input, which is then empty for the script, as it always is.
    /// Bash ignores NUL bytes in a script file too.
    static let loader = #"script=$(tr -d '\0'); exec </dev/null; eval -- "$script""#

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
                argv: [run.binary, "-c", "--", ShellAdapter.loader], environment: environment,
                standardInput: Array(run.prompt.utf8))
        }
        return AgentCommand(argv: [run.binary, "-c", "--", run.prompt], environment: environment)
    }

    package func makeNormalizer() -> any OutputNormalizer { ShellNormalizer() }
}
