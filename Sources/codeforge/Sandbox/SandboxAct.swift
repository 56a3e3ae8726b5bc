import ArgumentParser
import ControlSocket
import Domain
import Glibc

extension SandboxCommand {
    struct Kill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End sandboxes at once; their runs fail.",
            discussion: """
                Examples:
                  codeforge sandbox kill 77a2
                  codeforge sandbox ls --json | jq -r '.sandboxes[].id' | xargs codeforge sandbox kill
                """
        )

        @OptionGroup var targets: SandboxTargets

        func run() async throws { try await targets.perform(.kill) }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop every process in sandboxes until `resume`; their time limits go on.",
            discussion: "Examples:\n  codeforge sandbox pause 77a2")

        @OptionGroup var targets: SandboxTargets

        func run() async throws { try await targets.perform(.pause) }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let paused sandboxes go on.", discussion: "Examples:\n  codeforge sandbox resume 77a2")

        @OptionGroup var targets: SandboxTargets

        func run() async throws { try await targets.perform(.resume) }
    }

    struct Execute: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "exec", abstract: "Run a command inside a running sandbox, under all its restrictions.",
            discussion: """
                For an operator on the sandbox's own host: it goes to the supervisor, not through the service, and is \
                audited. Standard input and output are pipes inside, never this terminal. What is printed on a \
                terminal has every unprintable character but tabs and line ends replaced by `?`, for whatever runs \
                inside may be hostile; `--raw` leaves it as it is. Exit status: the command's own, 128 + signal, 137 when the sandbox ended, 126 or 127 when the command could not be started; 3 \
                when there is no such sandbox, 69 when its supervisor does not answer.

                Examples:
                  codeforge sandbox exec 77a2 -- ps aux
                  codeforge sandbox exec 77a2 --env LEVEL=2 --workdir /tmp -- bash -c 'echo $LEVEL; pwd'
                  tar c notes | codeforge sandbox exec 77a2 -- tar x -C /tmp
                """)

        @Argument(help: "Id, or the beginning of one.")
        var id: String
        @Option(name: .shortAndLong, help: "NAME=VALUE added to its environment; may be repeated.")
        var env: [String] = []
        @Option(name: .shortAndLong, help: "Absolute directory inside; default: where the sandbox's command began.")
        var workdir: String?
        @Flag(help: "Print every byte as it is, also on a terminal.")
        var raw = false
        @Argument(parsing: .postTerminator, help: "Command and its arguments.")
        var command: [String]
        @OptionGroup var options: SettingsOptions

        func validate() throws {
            guard !command.isEmpty else { throw ValidationError("no command: give one after --") }
            for pair in env where (pair.firstIndex(of: "=") ?? pair.startIndex) == pair.startIndex {
                throw ValidationError("'\(pair)' is not of the form NAME=VALUE")
            }
        }

        func run() async throws {
            let settings = try options.loadForTools()
            let control = ControlSocketClient(runsDirectory: settings.dataDirectory + "/runs", isRaw: raw)
            signal(SIGPIPE, SIG_IGN)
            let found = try await reporting {
                let ids = try await control.sandboxes().map(\.id)
                guard let found = try Resource.pick(id, among: ids, of: "sandboxes") else {
                    throw CodeForgeError(.notFound, "no running sandbox '\(id)' on this host")
                }
                return found
            }
            var inside = InsideCommand(arguments: command, workingDirectory: workdir)
            for pair in env {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                inside.environment[String(parts[0])] = String(parts[1])
            }
            let end: InsideCommand.End
            do throws(CodeForgeError) {
                end = try await control.execute(
                    inside, in: found, by: "local user \(getuid())", input: 0, output: 1, errors: 2)
            } catch {
                let status = error.reported
                switch error.code {
                case .notFound: throw ExitCode(127)
                case .invalidArgument: throw ExitCode(126)
                default: throw status
                }
            }
            throw ExitCode(end.shellCode)
        }
    }
}

/// Sandboxes to act on.
struct SandboxTargets: ParsableArguments {
    @Argument(help: "Ids, or the beginnings of them.")
    var ids: [String]
    @OptionGroup var each: EachOptions

    func perform(_ action: SandboxAction) async throws {
        try await each.post(action.rawValue, to: ids, of: .sandboxes, showing: "state")
    }
}
