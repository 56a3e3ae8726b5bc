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
            VersionCommand.self,
        ])
}

/// This build's version.
enum Version {
    static let current = "dev"
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() { print("codeforge \(Version.current)") }
}

/// Where messages for people go; results go to standard output.
func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = write(2, line, line.count)
}
