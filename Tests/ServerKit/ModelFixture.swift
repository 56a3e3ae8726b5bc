import Foundation

/// The project's scripted model as a process of its own, and what reached it.
package final class ModelFixture: Sendable {
    /// What a request must carry; only the gateway has it.
    package let key = "model-key-\(UUID().uuidString)"
    package let url: String
    private let directory: String
    private let process: ChildProcess

    /// - Parameter scenarios: YAML; without any, the model's own script.
    package init(_ scenarios: String? = nil) async throws {
        directory = "/tmp/cf-model-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var arguments = ["--key", key, "--log", directory + "/requests.jsonl", "--bodies", directory + "/bodies"]
        if let scenarios {
            try Data(scenarios.utf8).write(to: URL(fileURLWithPath: directory + "/scenarios.yaml"))
            arguments += ["--scenarios", directory + "/scenarios.yaml"]
        }
        process = try ChildProcess(try BuiltProducts.executable("scripted-model"), arguments, environment: [:])
        url = try await process.output(matching: #"http://127\.0\.0\.1:\d+"#)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// What makes a server use this model for both CLIs.
    package var settings: [String: String] {
        [
            "CODEFORGE_GATEWAY__ANTHROPIC_URL": url, "CODEFORGE_GATEWAY__OPENAI_URL": url,
            "ANTHROPIC_API_KEY": key, "OPENAI_API_KEY": key,
            "CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS": String(url.dropFirst("http://".count)),
        ]
    }

    /// Everything the CLI sent, one request a line.
    package func bodies() throws -> String { try String(contentsOfFile: directory + "/bodies", encoding: .utf8) }

    /// Status of each request, in order.
    package func statuses() throws -> [Int] {
        try String(contentsOfFile: directory + "/requests.jsonl", encoding: .utf8).split(separator: "\n").map { line in
            let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return entry?["status"] as? Int ?? 0
        }
    }
}

/// The sample repository behind a git server that wants a password.
package final class GitFixture: Sendable {
    package let password = "git-secret-\(UUID().uuidString)"
    package let url: String
    /// The user name that goes with the password.
    package let user: String
    private let directory: String
    private let process: ChildProcess

    /// - Parameter user: GitLab's; GitHub's is `x-access-token`.
    package init(user: String = "oauth2") async throws {
        self.user = user
        directory = "/tmp/cf-git-\(UUID().uuidString.prefix(8))"
        let sample = try ChildProcess(
            BuiltProducts.root + "/scripts/lib/sample-repo", [directory + "/repos/acme/wordstat.git"], environment: [:])
        let code = try await sample.wait()
        try require(code == 0, sample.output)
        process = try ChildProcess(
            BuiltProducts.root + "/scripts/lib/git-server",
            ["--root", directory + "/repos", "--state", directory + "/state", "--basic", "\(user):\(password)"],
            environment: [:])
        url = try await process.output(matching: #"http://127\.0\.0\.1:\d+"#)
    }

    package var repository: String { url + "/acme/wordstat.git" }
    /// Where it is on the disk.
    package var bare: String { directory + "/repos/acme/wordstat.git" }
    /// `host:port`.
    package var authority: String { String(url.dropFirst("http://".count)) }

    /// A request it got.
    package struct Request: Decodable, Sendable {
        package var method: String
        package var uri: String
        package var status: Int
        package var authorization: String
    }

    package func requests() throws -> [Request] {
        try String(contentsOfFile: directory + "/state/access.log", encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(Request.self, from: Data($0.utf8))
        }
    }

    /// The server ends its own children when it is asked to stop, not when it is killed.
    package func stop() async throws {
        process.signal(SIGTERM)
        try await process.wait()
        try FileManager.default.removeItem(atPath: directory)
    }
}
