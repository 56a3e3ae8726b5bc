import ArgumentParser
import Client
import Domain

extension Resource {
    static let keys = Resource("keys", at: "/api/v1/keys")
}

extension KeysCommand {
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a key.",
            discussion: """
                Its token is read from standard input (typed, it is not shown) or from --token-file, never from the \
                command line, which others can see. The service stores it sealed; it never comes back.

                Examples:
                  codeforge keys add hub --provider github
                  pass show gitlab | codeforge keys add corp --provider gitlab --base-url https://git.example.com
                  codeforge keys add errors --provider sentry --token-file ~/sentry-token
                """)

        @Argument(help: "Name: letters, digits, - and _.")
        var name: String
        @Option(help: "\(KeyProvider.allCases.map(\.rawValue).joined(separator: ", ")).")
        var provider: String
        @Option(help: "Where a self-hosted installation is.")
        var baseURL: String?
        @Option(help: "A note for people.")
        var scope: String?
        @Option(help: "File that holds the token. Default: standard input.")
        var tokenFile: String?
        @OptionGroup var output: AnswerOptions

        func validate() throws {
            try checkName(name)
            guard KeyProvider(rawValue: provider) != nil else {
                throw ValidationError("unknown provider '\(provider)'")
            }
        }

        func run() async throws {
            try await output.register(name, in: .keys) { () throws(CodeForgeError) in
                let token: String
                if let tokenFile {
                    token = try SecretText.file(tokenFile, for: "--token-file")
                } else {
                    token = try SecretText.standardInput(asking: "Token of \(provider): ")
                }
                return .members(
                    ("name", .string(name)), ("provider", .string(provider)), ("token", .string(token)),
                    ("base_url", baseURL.map { .string($0) }), ("scope", scope.map { .string($0) }))
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the keys, without their tokens.",
            discussion: "Examples:\n  codeforge keys ls\n  codeforge keys ls --json | jq -r '.keys[].name'")

        @OptionGroup var output: AnswerOptions

        func run() async throws {
            try await output.list(
                .keys,
                [
                    .text("NAME", "name"), .text("PROVIDER", "provider"), .moment("CREATED", "created_at"),
                    .text("BASE URL", "base_url"), .text("SCOPE", "scope"),
                ])
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try a key at its provider.",
            discussion: "Exits 1 when the provider does not take it.\n\nExamples:\n  codeforge keys verify hub")

        @Argument(help: "Name of the key.")
        var name: String
        @OptionGroup var output: AnswerOptions

        func validate() throws { try checkName(name) }

        func run() async throws {
            try await reporting {
                let answer = try await output.service.client().send(
                    "GET", Resource.keys.path(name, "/verify"), accepting: 422)
                let isValid = answer["valid"] == true
                if output.json {
                    printJSON(answer)
                } else if isValid {
                    let owner = ["username", "email", "scopes"].compactMap { answer[$0]?.stringValue }
                    say("\(name) is valid: " + owner.filter { !$0.isEmpty }.joined(separator: ", "))
                } else {
                    say("\(name) is not valid: \(answer.text("error"))")
                }
                if !isValid { throw ExitCode(1) }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Delete keys: every provider's of that name.",
            discussion: "Examples:\n  codeforge keys rm hub")

        @Argument(help: "Names of keys.")
        var names: [String]
        @OptionGroup var options: ServiceOptions

        func validate() throws { try names.forEach(checkName) }

        func run() async throws { try await remove(names, from: .keys, options) }
    }
}
