import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// A user's own workflow at a shell, from its file to the end of its runs.
@Suite(.serialized) struct RemoteWorkflowTests {
    private static let definition = """
        # Two tasks; the second works where the first did.
        name: two-steps
        description: Greets, and looks at what came of it
        parameters:
          - {name: repo_url, required: true}
          - {name: word, default: hello}
          - {name: wait}
        steps:
          - name: greet
            type: task
            config:
              repo_url: "{{.Params.repo_url}}"
              prompt: |
                echo '{{.Params.word}} from the first' | tee greeting
                {{if .Params.wait}}sleep 1000{{end}}
          - name: look
            type: task
            config:
              repo_url: "{{.Params.repo_url}}"
              workspace_task_ref: greet
              prompt: "cat greeting; echo 'it said: {{.Steps.greet.result}}'"
        """

    private func codeforge(_ server: ServerFixture, _ arguments: String...) async throws -> (
        status: Int32, output: String
    ) {
        try await Commands.run(server, ["workflow"] + arguments, environment: [:])
    }

    private func json(_ text: some StringProtocol) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    @Test func aWorkflowIsMadeOfAFileRunFollowedAndCanceled() async throws {
        try await ServerFixture.with { server in
            let repo = try server.makeRepository()
            let file = server.directory + "/two-steps.yaml"
            try Self.definition.write(toFile: file, atomically: false, encoding: .utf8)
            let made = try await codeforge(server, "create", "-f", file)
            #expect(made.status == 0, "\(made)")
            #expect(try await codeforge(server, "create", "-f", file).status == 1, "the name is taken")
            let shown = try json(try await codeforge(server, "show", "two-steps", "--json").output)
            #expect(shown["steps"]?.arrayValue?.count == 2 && shown["builtin"] == false)

            let run = try await codeforge(
                server, "run", "two-steps", "-p", "repo_url=\(repo)", "-p", "word=good day", "--follow")
            #expect(run.status == 0 && run.output.contains("✓ completed"), "\(run)")
            let list = try json(try await codeforge(server, "runs", "--workflow", "two-steps", "--json").output)
            let id = try #require(list["runs"]?.arrayValue?.first?["id"]?.stringValue)
            let status = try json(try await codeforge(server, "status", String(id.prefix(8)), "--json").output)
            let results = (status["steps"]?.arrayValue ?? []).map { $0["result"]?["result"]?.stringValue }
            #expect(
                results == ["good day from the first", "good day from the first\nit said: good day from the first"],
                "\(status)")

            let missing = try await codeforge(server, "run", "two-steps", "--follow")
            #expect(missing.status == 1 && missing.output.contains("missing required parameter: repo_url"))
            try await aRunIsCanceled(server, repo)
        }
    }

    private func aRunIsCanceled(_ server: ServerFixture, _ repo: String) async throws {
        let begun = try await codeforge(
            server, "run", "two-steps", "-p", "repo_url=\(repo)", "-p", "wait=yes", "--json")
        #expect(begun.status == 0, "\(begun)")
        let id = try #require(try json(begun.output)["run_id"]?.stringValue)
        let task = try await eventually("the task to run") { () async throws -> String? in
            let status = try json(try await codeforge(server, "status", id, "--json").output)
            guard let task = status["steps"]?.arrayValue?.first?["task_id"]?.stringValue else { return nil }
            return try await server.task(task)["status"] == "running" ? task : nil
        }
        #expect(try await codeforge(server, "cancel", id).status == 0)
        let followed = try await codeforge(server, "stream", id)
        #expect(followed.status == 130 && followed.output.contains("canceled"), "\(followed)")
        #expect(try await server.finished(task)["status"] == "failed", "its task is over, too")
        #expect(try await codeforge(server, "rm", "two-steps").status == 0)
        #expect(try await codeforge(server, "show", "two-steps").status == 3)
        #expect(try await codeforge(server, "rm", "knowledge-update").status == 1, "it is built in")
    }
}
