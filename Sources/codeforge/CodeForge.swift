import ArgumentParser
import Glibc

/// The `codeforge` command.
@main
struct CodeForge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codeforge",
        abstract: "Runs AI coding CLIs and scripts over untrusted git repositories, each task in its own sandbox.",
        version: "codeforge \(Version.current)",
        subcommands: [
            ServeCommand.self, ConfigCommand.self, DoctorCommand.self, SandboxCommand.self, ImageCommand.self,
            KeysCommand.self, TokenCommand.self, VersionCommand.self,
        ])

    /// As the generated entry point, but for the exit status of a wrong command line: 2, as everywhere.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            complain(fullMessage(for: error))
            Glibc.exit(2)
        }
    }
}

/// This build's version.
enum Version {
    static let current = "dev"
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() { print("codeforge \(Version.current)") }
}

/// Lets out what was printed, for those who read it through a pipe as it comes.
func flushOutput() { fflush(nil) }

/// Where messages for people go; results go to standard output.
func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = write(2, line, line.count)
}
