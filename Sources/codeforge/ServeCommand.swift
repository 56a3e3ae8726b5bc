import API
import Agents
import ArgumentParser
import Domain
import Engine
import FoundationEssentials
import Glibc
import Logging
import Metrics
import RedisMessaging
import SQLiteStore
import Sandboxing
import ServiceLifecycle
import Settings
import Telemetry
import Vault
import Workspaces

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the service.",
        discussion: """
            Settings come from defaults, a YAML file (CODEFORGE_CONFIG, or codeforge.yaml here), the environment \
            (CODEFORGE_SERVER__PORT …) and flags. SIGTERM stops it; running tasks go on and are picked up by the next \
            start, unless --drain waits for them. SIGHUP reads logging.level again.

            Examples:
              codeforge serve
              CODEFORGE_CONFIG=/etc/codeforge/codeforge.yaml codeforge serve --port 8080 --drain
            """)

    @Option(help: "Port to listen on; 0 asks the system for one.")
    var port: Int?
    @Option(help: "Address to listen on.")
    var host: String?
    @Flag(help: "When stopping, wait for running tasks instead of leaving them to the next start.")
    var drain = false
    @OptionGroup var options: SettingsOptions

    func run() async throws {
        var overrides: [SettingsLoader.Override] = []
        if let port { overrides.append(.init(key: "server.port", value: String(port), flag: "--port")) }
        if let host { overrides.append(.init(key: "server.host", value: host, flag: "--host")) }
        let loaded = try options.load(overrides)
        let settings = loaded.settings
        signal(SIGPIPE, SIG_IGN)
        raiseFileLimit()
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        Gauge(label: "codeforge_build_info", dimensions: [("version", Version.current)]).record(1)
        let redactor = Redactor(settings.secretValues)
        let level = LogLevel(Logger.Level(setting: settings.logging.level) ?? .info)
        let format = LineLogHandler.Format(named: settings.logging.format)
        LoggingSystem.bootstrap { label in
            LineLogHandler(
                label: label, level: level, format: format, redactor: redactor,
                metadataProvider: settings.tracing.enabled ? SpanTracer.logMetadata : nil)
        }
        let logger = Logger(label: "codeforge")
        do {
            try await withLogger(logger) { logger in
                let reload = ConfigurationReload(
                    settings: settings, level: level,
                    load: { [options, overrides] () throws(SettingsError) in try options.loadAgain(overrides) },
                    logger: logger)
                try await Server(
                    settings: settings, profiles: loaded.profiles, metrics: metrics, drains: drain, reload: reload,
                    logger: logger
                ).run()
            }
        } catch let error as CodeForgeError {
            complain("codeforge: \(error.message)")
            throw ExitCode(1)
        }
    }

    /// Each stream client is a descriptor: the soft limit, usually 1024, goes up to the hard one.
    private func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
