import HostProcess
import ServiceLifecycle

/// Signs of life for the service manager, and word that the service stops.
struct ServiceNotices: Service {
    let systemd: SystemdNotifier

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled, let interval = systemd.watchdogInterval {
                systemd.tell("WATCHDOG=1")
                try? await Task.sleep(for: interval)  // cancelled: the loop ends
            }
            if !Task.isCancelled { try? await gracefulShutdown() }  // cancelled: the service is stopping all the more
        }
        systemd.tell("STOPPING=1\nSTATUS=stopping")
    }
}
