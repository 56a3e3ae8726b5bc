import ArgumentParser

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Look at the configuration.",
        discussion: "Examples:\n  codeforge config check", subcommands: [Check.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the effective configuration as YAML, secrets masked, with the origin of each value.",
            discussion: """
                Exits 1 with one line for each problem when the service would not start with it.

                Examples:
                  codeforge config check
                  codeforge config check --set server.port=8081 | grep port
                """)

        @OptionGroup var options: SettingsOptions

        func run() async throws {
            print(try options.load().printRedacted(), terminator: "")
        }
    }
}
