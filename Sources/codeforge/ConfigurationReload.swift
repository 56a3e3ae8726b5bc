import Logging
import ServiceLifecycle
import Settings
import Telemetry
import UnixSignals

/// Reads the configuration again on SIGHUP. Only `logging.level` takes effect at once: everything else is part of what
/// supervisors, clients and stores were started with, and waits for the next start.
struct ConfigurationReload: Service {
    let settings: Settings
    let level: LogLevel
    let load: @Sendable () throws(SettingsError) -> LoadedSettings
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) { reload() }
        }
    }

    private func reload() {
        do throws(SettingsError) {
            let new = try load().settings
            if let level = Logger.Level(setting: new.logging.level) { self.level.set(level) }
            let waiting = settings.names(differingFrom: new).filter { $0 != "logging.level" }
            logger.notice(
                "configuration read again",
                metadata: [
                    "level_now": "\(new.logging.level)", "waits_for_start": "\(waiting.joined(separator: ", "))",
                ])
        } catch {
            logger.error("configuration not read again", metadata: ["error": "\(error.description)"])
        }
    }
}
