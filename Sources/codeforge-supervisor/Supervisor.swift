import CLinux
import ControlSocket
import CurlHTTP
import Dispatch
import Domain
import FoundationEssentials
import Glibc
import Logging
import RedisMessaging
import Sandboxing
import Supervision
import Telemetry

/// One job: reads its spec from descriptor 3, runs it, reports, ends.
@main
enum Supervisor {
    static func main() {
        // Only the calling thread leaves the host's mounts, and threads it makes: so this is first, before there are any.
        let namespace = MountNamespace.enter()
        signal(SIGPIPE, SIG_IGN)
        // A supervisor outlives the server on purpose; the terminal's signals are not for it.
        signal(SIGHUP, SIG_IGN)
        signal(SIGINT, SIG_IGN)
        Task { await work(namespace) }
        dispatchMain()
    }

    private static func work(_ namespace: MountNamespace?) async -> Never {
        do {
            let spec = try readSpec()
            let gateway = spec.gateway
            let redactor = Redactor(
                [gateway.gitToken, gateway.anthropicKey, gateway.openAIKey].compactMap(\.self) + spec.mcp.secrets)
            let trace = spec.traceParent.flatMap { TraceContext(traceparent: $0) }?.traceIDText
            let metadata = trace.map { id in Logger.MetadataProvider { ["trace_id": "\(id)"] } }
            let level = LogLevel(.info)
            LoggingSystem.bootstrap {
                LineLogHandler(
                    label: $0, level: level, format: .json, redactor: redactor, metadataProvider: metadata)
            }
            let lock = try RunLock(spec.paths.state + "/lock")
            try await run(spec, namespace)
            withExtendedLifetime(lock) {}
            leave(0)
        } catch {
            let line = Array("codeforge-supervisor: \(error)\n".utf8)
            _ = write(2, line, line.count)
            leave(1)
        }
    }

    /// Without exit handlers: those of libcurl and OpenSSL would take away what a transfer's thread may still use.
    private static func leave(_ status: Int32) -> Never {
        fflush(nil)
        _exit(status)
    }

    private static func run(_ spec: JobSpec, _ namespace: MountNamespace?) async throws {
        let client = try RedisClient(
            url: spec.redis.url, prefix: spec.redis.prefix, logger: Logger(label: "codeforge-supervisor"))
        let control = RunControl()
        let lease = RunLease(client, run: spec.run, firstAttempt: spec.firstAttempt) { command in
            switch command {
            case .cancel: control.stop(.cancelled)
            // The run was given up: its report would be ignored, and a successor waits for the workspace.
            case .superseded: leave(1)
            }
        }
        lease.start()
        let events = try EventWriter(
            client,
            .init(
                taskID: spec.taskID, writerID: "\(spec.iteration)-\(spec.attempt)-\(spec.purpose.rawValue)",
                historyEntries: spec.limits.historyEntries, spoolPath: spec.paths.state + "/spool"))
        let launcher = SandboxLauncher(
            .init(
                shim: spec.paths.shim, require: try SandboxLayer.named(spec.requiredLayers),
                allowMissing: try SandboxLayer.named(spec.allowMissing)))
        // A lost predecessor's sandbox may be left, when it was paused and could not see its supervisor die.
        if spec.attempt > 1 { await launcher.sweep() }
        let clock = SystemClock()
        let reports = ReportSender(client)
        let audit = AuditLog(run: spec.run, reports: reports, clock: clock, most: spec.limits.auditRecords)
        let disk = TaskDisk(spec, namespace: namespace)
        let job = Job(
            spec: spec, disk: disk, launcher: launcher, events: events, reports: reports, transport: CurlTransport(),
            resolver: SystemResolver(), control: control, audit: audit, clock: clock)
        let operators = ControlSocketServer(
            directory: spec.paths.state,
            operations: SupervisedSandboxes(spec: spec, control: control, audit: audit, events: events, clock: clock))
        do throws(CodeForgeError) {
            try operators.start()
        } catch {
            // The job does not depend on being looked at.
            Logger(label: "codeforge-supervisor").warning(
                "no control socket", metadata: ["error": "\(error.message)"])
        }
        defer { operators.stop() }
        try await job.run()
        await events.close(within: .seconds(60))
        await lease.release()
        await disk.close()
    }

    /// The spec holds secrets: it comes over an inherited descriptor, and nothing of it stays in argv or environment.
    private static func readSpec() throws -> JobSpec {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(3, &buffer, buffer.count)
            if count < 0 { throw CodeForgeError(.invalidArgument, "no job on descriptor 3: \(errno)") }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        close(3)
        return try JSONDecoder().decode(JobSpec.self, from: Data(bytes))
    }
}
