import ArgumentParser
import Client
import Domain
import FoundationEssentials
import SQLiteStore
import Settings
import Telemetry
import Vault

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make, list and revoke bearer tokens of the API.",
        discussion: """
            Works on the service's database, also while the service runs: a change holds from the next request on. The \
            configured server.auth_token is not among them; its role is admin.

            Roles: read looks at everything but secrets; submit also creates tasks and steers them; admin does everything.
            \(exitStatuses)

            Examples:
              codeforge token create ci --role submit
              codeforge token ls
              codeforge token revoke ci
            """,
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token and print it.",
            discussion: """
                It is shown this once: only its SHA-256 is kept.

                Examples:
                  codeforge token create ci --role submit
                  codeforge token create dashboard --role read --json | jq -r .token
                """)

        @Argument(help: "Name: 1 to 64 letters, digits, - and _.")
        var name: String
        @Option(
            help: "read, submit or admin.",
            transform: { text in
                guard let role = TokenRole(rawValue: text) else {
                    throw ValidationError("'\(text)' is no role; there are read, submit and admin")
                }
                return role
            })
        var role: TokenRole
        @Flag(help: "Print JSON.")
        var json = false
        @OptionGroup var options: SettingsOptions

        func validate() throws {
            guard APIToken.isName(name) else {
                throw ValidationError("a token's name is 1 to 64 letters, digits, - and _")
            }
        }

        func run() async throws {
            try await withTokens(options) { store in
                let token = APIToken.text(try SecureRandom.bytes(APIToken.randomBytes))
                try await store.insert(
                    name: name, role: role, digest: Digests.sha256(Array(token.utf8)), at: SystemClock().now())
                if json {
                    printJSON(["name": .string(name), "role": .string(role.rawValue), "token": .string(token)])
                } else {
                    print(token)
                    complain("token '\(name)' (\(role.rawValue)) made; it is not shown again")
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the tokens.",
            discussion: """
                Examples:
                  codeforge token ls
                  codeforge token ls --json | jq -r '.tokens[] | select(.role == "admin").name'
                """)

        @Flag(help: "Print JSON.")
        var json = false
        @OptionGroup var options: SettingsOptions

        func run() async throws {
            try await withTokens(options) { store in
                let tokens = try await store.tokens()
                if json {
                    let list = tokens.map { token -> JSONValue in
                        [
                            "name": .string(token.name), "role": .string(token.role.rawValue),
                            "created_at": .string(token.createdAt.description),
                        ]
                    }
                    return printJSON(["tokens": .array(list)])
                }
                var table = TextTable([.text("NAME"), .text("ROLE"), .text("CREATED")])
                for token in tokens { table.add([token.name, token.role.rawValue, token.createdAt.description]) }
                table.show()
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token good for nothing.",
            discussion: """
                Event streams that are open under it end by themselves, within minutes.

                Examples:
                  codeforge token revoke ci
                """)

        @Argument(help: "Name of the token.")
        var name: String
        @OptionGroup var options: SettingsOptions

        func run() async throws {
            try await withTokens(options) { store in
                try await store.remove(name: name)
                complain("token '\(name)' revoked")
            }
        }
    }
}

/// Opens the service's database for a command.
///
/// - Throws: `ExitCode`, after saying what went wrong. A database that is not there is not made: it would be another
///   user's, or that of a misspelt directory.
private func withTokens(_ options: SettingsOptions, _ body: (SQLiteTokenStore) async throws -> Void) async throws {
    let path = try options.loadForTools().sqlite.path
    try await reporting {
        guard FileManager.default.fileExists(atPath: path) else {
            throw CodeForgeError(
                .unavailable, "no database \(path): start the service once, or set data_dir as it has it")
        }
        let database = try TaskDatabase(path: path)
        try await body(SQLiteTokenStore(database))
        try database.close()
    }
}
