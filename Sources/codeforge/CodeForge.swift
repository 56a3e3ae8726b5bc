import ArgumentParser
import Domain
import Glibc

/// The `codeforge` command.
@main
struct CodeForge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codeforge",
        abstract: "Runs AI coding CLIs and scripts over untrusted git repositories, each task in its own sandbox.",
        discussion: """
            The service: serve, config, doctor, image, token, keys rotate. Its clients, over REST: task, workflow, keys, \
            mcp, tools, workspaces, sandbox.

            Examples:
              codeforge serve          (also without the word)
              codeforge task run --repo https://github.com/user/repo.git --prompt 'Fix the failing tests'
              codeforge completions bash > /etc/bash_completion.d/codeforge

            Exit status:
              0    done; the task or run completed
              1    failed; so did the task or run
              2    wrong usage
              3    not found
              4    not authorized
              69   the service does not answer
              124  the task or run timed out
              125  the sandbox could not be started (sandbox run)
              130  the task or run was cancelled, or Ctrl-C was pressed
            """,
        version: "codeforge \(Version.current)",
        subcommands: [
            ServeCommand.self, ConfigCommand.self, DoctorCommand.self, TaskCommand.self, WorkflowCommand.self,
            WorkspacesCommand.self, KeysCommand.self, MCPCommand.self, ToolsCommand.self, SandboxCommand.self,
            ImageCommand.self,
            TokenCommand.self, CompletionsCommand.self, VersionCommand.self,
        ], defaultSubcommand: ServeCommand.self)

    /// As the generated entry point, but for the exit status of a wrong command line, which is 2 as everywhere, and for
    /// exit handlers: those of libcurl and OpenSSL would take away what a transfer's thread may still use.
    static func main() async {
        var status: Int32 = 0
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let code = exitCode(for: error)
            let message = fullMessage(for: error)
            if !message.isEmpty { code.isSuccess ? print(message) : complain(message) }
            status = code == .validationFailure ? 2 : code.rawValue
        }
        fflush(nil)
        _exit(status)
    }
}

/// This build's version.
enum Version {
    static let current = "dev"
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.", discussion: "Examples:\n  codeforge version")

    func run() { print("codeforge \(Version.current)") }
}

/// Lets out what was printed, for those who read it through a pipe as it comes.
func flushOutput() { fflush(nil) }

/// Prints what others wrote, without what could steer a terminal.
func say(_ text: String) { print(SafeText.lines(text.utf8)) }

/// Where messages for people go; results go to standard output. What others wrote in them can't steer a terminal.
func complain(_ text: String) {
    let line = Array((SafeText.lines(text.utf8) + "\n").utf8)
    _ = write(2, line, line.count)
}

struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions", abstract: "Print a script that completes these commands in a shell.",
        discussion: """
            Examples:
              codeforge completions bash > /etc/bash_completion.d/codeforge
              codeforge completions zsh > ~/.zsh/completions/_codeforge
              codeforge completions fish > ~/.config/fish/completions/codeforge.fish
            """)

    @Argument(
        help: "bash, zsh or fish.",
        transform: { name in
            guard let shell = CompletionShell(rawValue: name) else {
                throw ValidationError("there are completions for bash, zsh and fish")
            }
            return shell
        })
    var shell: CompletionShell

    func run() { print(CodeForge.completionScript(for: shell)) }
}
