import ArgumentParser
import Client
import Domain

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

    /// The task whose workspace begins with `text`; `text` itself when none does.
    static func id(_ text: String, _ api: APIClient) async throws(CodeForgeError) -> String {
        if text.utf8.count == 36 { return text }
        let list = try await api.get("/api/v1/workspaces")["workspaces"]?.arrayValue ?? []
        let ids = list.compactMap { $0["task_id"]?.stringValue }
        guard let id = try SandboxClient.pick(text, among: ids, of: "workspaces") else {
            throw CodeForgeError(.notFound, "no workspace begins with '\(text)'")
        }
        return id
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the workspaces, oldest first.",
            discussion: "Examples:\n  codeforge workspaces ls\n  codeforge workspaces ls --json | jq .total_size_mb")

        @Flag(help: "Print JSON.")
        var json = false
        @OptionGroup var options: ServiceOptions

        func run() async throws {
            try await reporting {
                let answer = try await options.client().get("/api/v1/workspaces")
                if json { return printJSON(answer) }
                var table = TextTable([
                    .text("TASK"), .text("STATUS"), .number("SIZE"), .text("CREATED"), .text("EXPIRES"),
                ])
                for workspace in answer["workspaces"]?.arrayValue ?? [] {
                    table.add([
                        workspace.text("task_id"), workspace.text("task_status"),
                        Units.tenths(workspace["size_mb"]?.number ?? 0) + "M", workspace.moment("created_at"),
                        workspace.moment("expires_at"),
                    ])
                }
                Terminal.show(table.lines(width: Terminal.size?.width))
            }
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

        func run() async throws {
            try await reporting {
                let api = try options.client()
                let id = PercentEncoding.encoded(try await WorkspacesCommand.id(id, api))
                try await DiffText.show(api, "/api/v1/workspaces/\(id)/diff")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Delete workspaces, with the CLI's conversations in them.",
            discussion: "Examples:\n  codeforge workspaces rm 77a2")

        @Argument(help: "Ids of their tasks, or the beginnings of them.")
        var ids: [String]
        @OptionGroup var options: ServiceOptions

        func run() async throws {
            let api = try options.client()
            try await forEach(ids) { text throws(CodeForgeError) in
                let id = try await WorkspacesCommand.id(text, api)
                _ = try await api.send("DELETE", "/api/v1/workspaces/" + PercentEncoding.encoded(id))
                say("\(id) removed")
            }
        }
    }
}
