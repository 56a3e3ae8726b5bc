import ArgumentParser
import Client
import Domain
import Settings

extension SandboxCommand {
    struct Profiles: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "profiles", abstract: "Show the sandbox profiles in force.",
            discussion: """
                Built-in ones, those of `sandbox.profiles_dir`, and what single settings such as `sandbox.pids` change in \
                them. With a name: that profile as YAML, fit to begin a profile of your own.

                Examples:
                  codeforge sandbox profiles
                  codeforge sandbox profiles untrusted
                """)

        @Argument(help: "Name of one profile.")
        var name: String?
        @Flag(help: "As JSON.")
        var json = false
        @OptionGroup var options: SettingsOptions

        func run() async throws {
            let profiles = try options.loadAllForTools().profiles.profiles
            guard let name else {
                let all = profiles.values.sorted { $0.name < $1.name }
                json ? printJSON(.array(all.map(\.json))) : printTable(all)
                return
            }
            guard let profile = profiles[name] else {
                complain("unknown profile '\(name)'; there are \(profiles.keys.sorted().joined(separator: ", "))")
                throw ExitCode(1)
            }
            json ? printJSON(profile.json) : print(ProfileText.yaml(profile), terminator: "")
        }

        private func printTable(_ profiles: [SandboxProfile]) {
            var table = TextTable([
                .text("NAME"), .text("WORKSPACE"), .number("MEMORY"), .number("PIDS"), .number("CPUS"), .number("DISK"),
                .text("MCP"), .text("AGENT CONFIG"), .text("INSTRUCTIONS"), .text("EGRESS"),
            ])
            for profile in profiles {
                let limits = profile.limits
                table.add([
                    profile.name, profile.workspace.rawValue, Units.bytes(limits.memoryBytes), "\(limits.processes)",
                    Units.tenths(limits.cpus), Units.bytes(limits.diskBytes), profile.mcp.rawValue,
                    profile.agentConfiguration.rawValue, profile.instructions.rawValue,
                    profile.egress.isEmpty ? "-" : profile.egress.joined(separator: " "),
                ])
            }
            table.show()
        }
    }
}
