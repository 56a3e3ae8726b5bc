import ControlSocket
import Domain
import Foundation
import Sandboxing
import TestKit
import Testing

@testable import Supervision

/// One real job in real sandboxes of the base image; only the ways to Redis are replaced.
struct JobFixture {
    struct Problem: Error, CustomStringConvertible {
        var description: String
    }

    let directory: String
    let run: RunID
    let control = RunControl()
    let reports = RecordingSink()
    let events = RecordingEvents()
    var spec: JobSpec

    static var isRoot: Bool { geteuid() == 0 }

    /// - Parameters:
    ///   - script: What the agent runs; a shell task's prompt, or the text of a program that plays Claude Code.
    ///   - claude: Whether it plays Claude Code.
    init(_ script: String, claude: Bool = false, change: (inout JobSpec) -> Void = { _ in }) throws {
        var template = Array("/tmp/cf-job-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Problem(description: "no temporary directory") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(directory, 0o755)
        let repository = try Self.repository(directory)
        var binary = "/bin/bash"
        if claude {
            binary = directory + "/claude"
            try "#!/bin/bash\n\(script)\n".write(toFile: binary, atomically: false, encoding: .utf8)
            chmod(binary, 0o755)
        }
        run = RunID(
            taskID: "job-" + String(UInt32.random(in: 0 ... .max), radix: 36), iteration: 1, attempt: 1, purpose: .task)
        let data = directory + "/data"
        let state = data + "/runs/" + run.taskID
        try FileManager.default.createDirectory(
            atPath: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        spec = JobSpec(
            taskID: run.taskID, iteration: 1, attempt: 1, purpose: .task, repoURL: "file://" + repository,
            source: .clone(.init()), profile: .code, gitProfile: .git, requiredLayers: nil,
            paths: .init(
                workspace: data + "/workspace", gitDirectory: data + "/git", home: data + "/home",
                state: state, image: try Self.image(), shim: try Self.shim()),
            agent: .init(name: claude ? "claude-code" : "shell", binary: claude ? binary : "bash", prompt: script),
            gateway: .init(
                anthropicURL: "https://127.0.0.1:1", anthropicKey: nil, openAIURL: "https://127.0.0.1:1",
                openAIKey: nil, gitUsername: nil, gitToken: nil, allowPrivateHosts: []),
            limits: .init(timeoutSeconds: 60, outputBytes: 1 << 20, lineBytes: 1 << 16, historyEntries: 1000),
            redis: .init(url: "", prefix: ""), allowedLocalRoots: [directory], startedAt: SystemTime().now())
        // Plain directories: volumes have tests of their own.
        spec.profile.required.remove(.diskLimit)
        spec.gitProfile.required.remove(.diskLimit)
        change(&spec)
    }

    /// Runs the job to its end, with `beside` in another task, and removes everything.
    func outcome(
        beside: @escaping @Sendable (SupervisedSandboxes) async throws -> Void = { _ in }
    ) async throws -> JobOutcome {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let audit = AuditLog(run: run, reports: reports, clock: SystemTime(), most: spec.limits.auditRecords)
        let job = Job(
            spec: spec, disk: TaskDisk(spec, namespace: nil), launcher: SandboxLauncher(.init(shim: spec.paths.shim)),
            events: events, reports: reports,
            transport: NoTransport(), resolver: NoResolver(), control: control, audit: audit, clock: SystemTime())
        let operators = SupervisedSandboxes(
            spec: spec, control: control, audit: audit, events: events, clock: SystemTime())
        async let other: Void = beside(operators)
        try await job.run()
        do {
            try await other
        } catch {
            print("events: \(events.all)\nrecords: \(records)")
            throw error
        }
        let last = try #require(reports.reports.last?.outcome, "the last report is the end")
        return last
    }

    var records: [AuditRecord] { reports.reports.flatMap(\.records) }

    /// Directory of all runs, for a client of the control socket.
    var runs: String { directory + "/data/runs" }

    /// Waits for the sandbox of a phase.
    static func sandbox(_ operators: SupervisedSandboxes, phase: String) async throws -> SandboxStatus {
        try await eventually("the sandbox of \(phase)") {
            try await operators.sandboxes().first { $0.phase == phase }
        }
    }

    private static func image() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let data =
            environment["CODEFORGE_DATA_DIR"]
            ?? (isRoot
                ? "/var/lib/codeforge"
                : (environment["XDG_STATE_HOME"] ?? NSHomeDirectory() + "/.local/state") + "/codeforge")
        let root = data + "/images/base/rootfs"
        guard access(root + "/usr/bin/git", F_OK) == 0 else {
            throw Problem(description: "the base image is missing in \(root): run scripts/setup")
        }
        return root
    }

    private static func shim() throws -> String {
        if let path = ProcessInfo.processInfo.environment["CODEFORGE_SANDBOX_SHIM"] { return path }
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? own
        for place in [bundle, own] {
            let path = URL(fileURLWithPath: place).deletingLastPathComponent().path + "/codeforge-sandbox"
            if access(path, X_OK) == 0 { return path }
        }
        throw Problem(description: "codeforge-sandbox is not beside the test bundle: swift build first")
    }

    private static func repository(_ directory: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = [
            "-c",
            "cd '\(directory)' && mkdir w && cd w && echo hi >f && git init -q -b main && git add f && git "
                + "-c user.name=t -c user.email=t@t commit -qm one && git clone -q --bare . '\(directory)/r.git'",
        ]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Problem(description: "git failed") }
        return directory + "/r.git"
    }
}

private struct SystemTime: WallClock {
    func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

private struct NoResolver: NameResolver {
    func addresses(of name: String, within limit: Duration) async throws(CodeForgeError) -> [IPAddress] {
        throw CodeForgeError(.unavailable, "no names in this test")
    }
}

private struct NoTransport: HTTPTransport {
    func send(_ request: TransportRequest) async throws(CodeForgeError) -> TransportResponse {
        throw CodeForgeError(.unavailable, "no network in this test")
    }
}
