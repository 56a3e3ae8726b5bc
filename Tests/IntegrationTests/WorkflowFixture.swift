import Domain
import Foundation
import ServerKit
import TestKit

/// One address for a forge's API and its repositories, as real forges have it: looks at a connection's first request,
/// and hands the connection on.
final class FrontDoor: Sendable {
    private let server: LocalServer

    /// - Parameters:
    ///   - api: Port of what answers below `/api/`.
    ///   - git: Port of what answers the rest.
    init(api: UInt16, git: UInt16) {
        server = LocalServer { client in
            guard let first = client.read(), !first.isEmpty else { return }
            let isAPI =
                String(decoding: first.prefix(200), as: UTF8.self).split(separator: " ").dropFirst().first?
                .hasPrefix("/api/") == true
            guard let inner = LocalSocket.connect(port: isAPI ? api : git) else { return }
            inner.write(first)
            LocalThread.start {
                while let bytes = client.read(), !bytes.isEmpty { inner.write(bytes) }
            }
            while let bytes = inner.read(), !bytes.isEmpty { client.write(bytes) }
        }
    }

    var authority: String { "127.0.0.1:\(server.port)" }
    var url: String { "http://" + authority }
    func stop() { server.stop() }
}

/// A git server, a forge's API and a Sentry around a real server, with a key `bot` for all of them.
struct WorkflowFixture {
    let server: ServerFixture
    let git: GitFixture
    let forge: ForgeServer
    let door: FrontDoor

    var repository: String { door.url + "/acme/wordstat.git" }

    static func with(
        _ provider: GitProvider = .gitlab, model: ModelFixture? = nil, _ extra: [String: String] = [:],
        _ body: (WorkflowFixture) async throws -> Void
    ) async throws {
        let git = try await GitFixture(user: provider.tokenUser)
        let forge = ForgeServer.start()
        func port(_ authority: String) -> UInt16 { UInt16(authority.split(separator: ":").last ?? "") ?? 0 }
        let door = FrontDoor(api: port(forge.authority), git: port(git.authority))
        forge.github.accounts[git.password] = forge.github.accounts["ghp_good"]
        forge.gitlab.accounts[git.password] = forge.gitlab.accounts["glpat-good"]
        forge.sentry.tokens = [git.password]
        forge.github.add("acme/wordstat")
        forge.gitlab.add("acme/wordstat")
        var settings = (model?.settings ?? [:]).merging([
            "CODEFORGE_GIT__PROVIDER_DOMAINS": #"{"127.0.0.1":"\#(provider.rawValue)"}"#,
            "CODEFORGE_FORGES__GITHUB_API_URL": door.url + "/api/v3",
            "CODEFORGE_FORGES__GITLAB_API_URL": door.url + "/api/v4",
        ]) { $1 }
        let hosts = [settings["CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS"], door.authority]
        settings["CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS"] = hosts.compactMap { $0 }.joined(separator: ",")
        try await ServerFixture.with(settings.merging(extra) { $1 }) { server in
            let fixture = WorkflowFixture(server: server, git: git, forge: forge, door: door)
            try await fixture.register("bot", provider.rawValue)
            try await body(fixture)
        }
        door.stop()
        forge.stop()
        try await git.stop()
    }

    func register(_ name: String, _ provider: String) async throws {
        let answer = try await server.request(
            "POST", "/api/v1/keys",
            [
                "name": .string(name), "provider": .string(provider), "token": .string(git.password),
                "base_url": .string(door.url),
            ])
        guard answer.status == 201 else { throw Failure("\(answer)") }
    }

    // MARK: Workflows

    func create(_ name: String, _ steps: [JSONValue]) async throws {
        let answer = try await server.request(
            "POST", "/api/v1/workflows", ["name": .string(name), "steps": .array(steps)])
        guard answer.status == 201 else { throw Failure("\(answer)") }
    }

    func start(_ name: String, _ params: [String: String] = [:]) async throws -> String {
        let answer = try await server.request(
            "POST", "/api/v1/workflows/\(name)/run",
            ["params": .object(params.mapValues { .string($0) })])
        guard answer.status == 201, let id = answer.json["run_id"]?.stringValue else { throw Failure("\(answer)") }
        return id
    }

    func run(_ id: String) async throws -> JSONValue {
        let answer = try await server.request("GET", "/api/v1/workflow-runs/\(id)")
        guard answer.status == 200 else { throw Failure("\(answer)") }
        return answer.json
    }

    /// Polls until the run is over.
    func finished(_ id: String, seconds: Double = 120) async throws -> JSONValue {
        try await eventually("the end of run \(id)", within: .seconds(seconds)) { () -> JSONValue? in
            try await Task.sleep(for: .milliseconds(50))
            let run = try await run(id)
            let isOver = ["completed", "failed", "canceled"].contains(run["status"]?.stringValue ?? "")
            return isOver ? .some(run) : .none
        }
    }

    /// Polls until the step of that index has a task.
    ///
    /// - Returns: The task's id.
    func task(ofStep index: Int, _ id: String) async throws -> String {
        try await eventually("a task of step \(index) of run \(id)", within: .seconds(60)) { () -> String? in
            try await Task.sleep(for: .milliseconds(20))
            let steps = try await run(id)["steps"]?.arrayValue ?? []
            return steps.count > index ? steps[index]["task_id"]?.stringValue : nil
        }
    }

    /// Names of a run's events, with that of its end.
    func names(_ id: String) async throws -> [String] {
        var names: [String] = []
        try await server.stream(path: "workflow-runs/\(id)") { frame in
            names.append(frame.name)
            return true
        }
        return names
    }
}
