import Domain
import Foundation
import RedisMessaging
import Synchronization
import ServerKit
import TestKit
import Testing

/// One job under the real supervisor, with a Redis but without a server: for what a server would not plan.
final class JobFixture: Sendable {
    let redis: RedisFixture
    let directory: TemporaryDirectory
    private let repository: String
    private let outcomes = Mutex<[RunID: JobOutcome]>([:])

    init() async throws {
        redis = try await RedisFixture()
        directory = try TemporaryDirectory()
        repository = try HostRepository.make(["README.md": "hello\n"], under: directory.path)
    }

    /// A shell job whose files lie on a volume.
    func spec(_ script: String, change: (inout JobSpec) -> Void = { _ in }) throws -> JobSpec {
        let id = UUID().uuidString.lowercased()
        var paths = JobSpec.Paths(
            workspace: "", gitDirectory: "", home: "", state: directory.file("runs/\(id)"),
            image: try BuiltProducts.images() + "/base/rootfs", shim: try BuiltProducts.executable("codeforge-sandbox"))
        paths.volume = directory.file("workspaces/w-\(id).ext4")
        paths.workspace = paths.mount + "/workspace"
        paths.gitDirectory = paths.mount + "/git"
        paths.home = paths.mount + "/homes/\(id)"
        var spec = JobSpec(
            taskID: id, iteration: 1, attempt: 1, purpose: .task, repoURL: repository, source: .clone(.init()),
            profile: .code, gitProfile: .git, requiredLayers: nil, paths: paths,
            agent: JobSpec.Agent(name: "shell", binary: "bash", prompt: script),
            gateway: JobSpec.Gateway(
                anthropicURL: "https://127.0.0.1", anthropicKey: nil, openAIURL: "https://127.0.0.1", openAIKey: nil,
                gitUsername: nil, gitToken: nil, allowPrivateHosts: []),
            limits: JobSpec.Limits(
                timeoutSeconds: 60, outputBytes: 1 << 24, lineBytes: 1 << 20, historyEntries: 1000),
            redis: JobSpec.Redis(url: redis.url, prefix: "codeforge:"), allowedLocalRoots: [directory.file("repos")],
            startedAt: Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9)))
        change(&spec)
        return spec
    }

    func start(_ spec: JobSpec) throws -> ChildProcess {
        try FileManager.default.createDirectory(atPath: spec.paths.state, withIntermediateDirectories: true)
        return try ChildProcess(
            try BuiltProducts.executable("codeforge-supervisor"), [], environment: [:],
            input: try JSONEncoder().encode(spec))
    }

    /// Waits for the end of `process` and gives what it reported.
    func outcome(_ process: ChildProcess, _ spec: JobSpec) async throws -> JobOutcome {
        try #require(try await process.wait(seconds: 90) == 0, "\(process.output)")
        let log = try await RedisReportLog(RedisClient(url: redis.url))
        while true {
            if let outcome = outcomes.withLock({ $0[spec.run] }) { return outcome }
            let reports = try await log.next(wait: .zero)
            if reports.isEmpty { throw Failure("no report of \(spec.run): \(process.output)") }
            for entry in reports {
                guard case .finished(let outcome) = entry.report.body else { continue }
                outcomes.withLock { $0[entry.report.run] = outcome }
            }
        }
    }

    func run(_ spec: JobSpec) async throws -> JobOutcome { try await outcome(try start(spec), spec) }
}
