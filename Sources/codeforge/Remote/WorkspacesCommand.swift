import ArgumentParser
import Client
import Domain

extension Resource {
    static let workspaces = Resource("workspaces", at: "/api/v1/workspaces", id: "task_id", missing: "no workspace")
}

struct WorkspacesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workspaces", abstract: "Look after the workspaces tasks left.",
        discussion: """
            A workspace is known by its task's id; the beginning is enough where it fits one workspace.
            \(exitStatuses)

            Examples:
              codeforge workspaces ls
              codeforge workspaces diff 77a2
              codeforge workspaces rm 77a2
            """,
        subcommands: [List.self, Diff.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the workspaces, oldest first.",
            discussion: "Examples:\n  codeforge workspaces ls\n  codeforge workspaces ls --json | jq .total_size_mb")

        @OptionGroup var output: AnswerOptions

        func run() async throws {
            try await output.list(
                .workspaces,
                [
                    .text("TASK", "task_id"), .text("STATUS", "task_status"),
                    .number("SIZE") { Units.tenths($0["size_mb"]?.number ?? 0) + "M" },
                    .moment("CREATED", "created_at"), .moment("EXPIRES", "expires_at"),
                ])
        }
    }

    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what changed in a workspace since the clone, as git diff does.",
            discussion: """
                Colours and unprintable characters as with `task diff`.

                Examples:
                  codeforge workspaces diff 77a2
                """)

        @Argument(help: "Id of its task, or the beginning of one.")
        var id: String
        @OptionGroup var options: ServiceOptions

        func run() async throws { try await DiffText.show(id, of: .workspaces, options) }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Delete workspaces, with the CLI's conversations in them.",
            discussion: "Examples:\n  codeforge workspaces rm 77a2")

        @Argument(help: "Ids of their tasks, or the beginnings of them.")
        var ids: [String]
        @OptionGroup var options: ServiceOptions

        func run() async throws { try await remove(ids, from: .workspaces, options) }
    }
}
