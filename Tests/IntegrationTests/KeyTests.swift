import Domain
import Foundation
import ServerKit
import TestKit
import Testing

/// Keys with a real server: how they are used, and what becomes of them when the encryption key changes.
@Suite(.serialized) struct KeyTests {
    private func key(_ byte: UInt8) -> String { Data(repeating: byte, count: 32).base64EncodedString() }

    private func register(
        _ server: ServerFixture, _ name: String, _ provider: String, _ token: String, base: String
    ) async throws {
        let answer = try await server.request(
            "POST", "/api/v1/keys",
            [
                "name": .string(name), "provider": .string(provider), "token": .string(token),
                "base_url": .string(base),
            ])
        #expect(answer.status == 201, "\(answer)")
    }

    /// The clone goes through the gateway with the key's token, which the sandbox never sees.
    @Test func aCloneUsesTheKeyTheTaskNames() async throws {
        let git = try await GitFixture()
        let host = git.url.replacing("http://", with: "")
        try await ServerFixture.with(["CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS": host]) { server in
            try await register(server, "lab", "gitlab", git.password, base: git.url)
            let good = try await server.create(
                "ls; env; cat .git/config", repo: git.repository, extra: ["provider_key": "lab"])
            let done = try await server.finished(good)
            #expect(done["status"] == "completed", "\(done)")
            #expect(done["result"]?.stringValue?.contains(git.password) == false)
            let bare = try await server.finished(try await server.create("ls", repo: git.repository))
            #expect(bare["status"] == "failed" && bare["error"]?.stringValue?.hasPrefix("clone failed") == true)
        }
        try await git.stop()
    }

    @Test func secretsAreSealedWithANewKey() async throws {
        let forge = ForgeServer.start()
        let folder = try TemporaryDirectory()
        func put(_ key: String, in name: String) throws {
            try Data((key + "\n").utf8).write(to: URL(fileURLWithPath: folder.file(name)))
        }
        try put(key(1), in: "key")
        let flags = ["--set", "encryption.key_file=\(folder.file("key"))"]
        try await ServerFixture.with(
            ["CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS": forge.authority], flags: flags
        ) { server in
            func rotate() async throws -> (Int32, String) {
                let process = try ChildProcess(
                    try BuiltProducts.executable("codeforge"), ["keys", "rotate"],
                    environment: [
                        "CODEFORGE_DATA_DIR": server.directory + "/data",
                        "CODEFORGE_ENCRYPTION__KEY_FILE": folder.file("key"),
                        "CODEFORGE_ENCRYPTION__OLD_KEY_FILE": folder.file("old"),
                    ])
                return (try await process.wait(), process.output)
            }
            func isValid() async throws -> JSONValue? {
                try await server.request("GET", "/api/v1/keys/hub/verify").json["valid"]
            }
            try await register(server, "hub", "github", "ghp_good", base: forge.url)
            let tool: JSONValue = ["name": "tool", "package": "p", "env": ["K": "environment-secret"]]
            #expect(try await server.request("POST", "/api/v1/mcp/servers", tool).status == 201)
            let workflow: JSONValue = ["name": "w", "parameters": [["name": "p", "default": "default-secret"]]]
            #expect(try await server.request("POST", "/api/v1/workflows", workflow).status == 201)
            let run = try await server.request("POST", "/api/v1/workflows/w/run", ["params": ["q": "given"]])
            #expect(run.status == 201, "\(run)")
            let task = try await server.create("true", repo: try server.makeRepository(), extra: ["access_token": "s"])
            try await server.finished(task)
            #expect(try await isValid() == true)
            try put(key(1), in: "old")
            try put(key(2), in: "key")
            let running = try await rotate()
            #expect(running.0 == 1 && running.1.contains("in use by another codeforge process"), "\(running)")

            server.process.signal(SIGTERM)
            try await server.process.wait()
            try put(key(3), in: "old")
            let wrong = try await rotate()
            #expect(wrong.0 == 1 && wrong.1.contains("opens with neither"), "\(wrong)")
            try put(key(1), in: "old")
            for _ in 1...2 {
                let done = try await rotate()
                #expect(
                    done.0 == 0
                        && done.1.contains(
                            "sealed with the new key: 1 registered keys, secrets of 1 tasks, 1 MCP servers, "
                                + "6 workflows, 1 workflow runs"),
                    "\(done)")
            }
            try await server.restart(signal: 0)
            #expect(try await isValid() == true)
            let servers = try await server.request("GET", "/api/v1/mcp/servers").json["servers"]?.arrayValue
            #expect(servers?.first?["env"] == ["K": "environment-secret"])
            let definition = try await server.request("GET", "/api/v1/workflows/w").json
            #expect(definition["parameters"]?.arrayValue?.first?["default"] == "default-secret", "\(definition)")
            let id = run.json["run_id"]?.stringValue ?? ""
            #expect(
                try await server.request("GET", "/api/v1/workflow-runs/\(id)").json["params"]
                    == ["p": "default-secret", "q": "given"])
            // The follow-up needs the task's secrets.
            let more = try await server.request("POST", "/api/v1/tasks/\(task)/instruct", ["prompt": "true"])
            #expect(more.status == 200)
            #expect(try await server.finished(task)["status"] == "completed")
        }
        #expect(forge.violations == [])
    }
}
