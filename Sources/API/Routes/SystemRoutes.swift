import Domain
import HTTPTypes
import Hummingbird

/// Health, readiness, metrics and what the service is.
struct SystemRoutes: Sendable {
    private let dependencies: APIDependencies

    init(_ dependencies: APIDependencies) { self.dependencies = dependencies }

    var routes: [Route] {
        [
            Route(.get, "/", "Service information", access: .open) { _, _ in information() },
            Route(.get, "/health", "Health of the service and its parts", access: .open) { _, _ in await health() },
            Route(.get, "/ready", "Whether requests should come here", access: .open) { _, _ in readiness() },
            Route(.get, "/metrics", "Prometheus metrics", access: .open) {
                [metricsText = dependencies.metricsText, token = dependencies.metricsToken] request, _ in
                guard token.map({ BearerAccess.bears($0, request.headers) }) ?? true else {
                    throw HTTPFailure.unauthorized
                }
                return .text(metricsText(), type: "text/plain; version=0.0.4")
            },
            Route(.get, "/api/v1/auth/verify", "Check the token") { _, _ in
                .json { $0.member("status", "authenticated") }
            },
        ]
    }

    private func information() -> Response {
        .json { json in
            json.member("name", "CodeForge")
            json.member("version", dependencies.version)
            json.name("links")
            json.beginObject()
            json.member("api", "/api/v1")
            json.member("docs", "/api/docs")
            json.member("health", "/health")
            json.member("metrics", "/metrics")
            json.member("ready", "/ready")
            json.endObject()
        }
    }

    private func readiness() -> Response {
        dependencies.isShuttingDown()
            ? .json(.serviceUnavailable) { $0.member("status", "shutting_down") }
            : .json { $0.member("status", "ready") }
    }

    private func health() async -> Response {
        async let redis = SystemRoutes.works { try await dependencies.messaging.ping() }
        async let sqlite = SystemRoutes.works { try await dependencies.store.ping() }
        let (redisWorks, sqliteWorks) = await (redis, sqlite)
        // Part of the same record: when that is away the figure is unknown, and shown as none.
        let bytes = sqliteWorks ? (try? await dependencies.workspaces.recordedBytes()) ?? 0 : 0
        let isWell = redisWorks && sqliteWorks
        let uptime = ContinuousClock.now - dependencies.startedAt
        return .json(isWell ? .ok : .serviceUnavailable) { json in
            json.member("status", isWell ? "ok" : "error")
            json.member("redis", redisWorks ? "connected" : "disconnected")
            json.member("sqlite", sqliteWorks ? "connected" : "disconnected")
            json.member("version", dependencies.version)
            json.member("uptime", SystemRoutes.compact(uptime))
            json.member("workspace_disk_usage_mb", Double(bytes) / 1_048_576)
        }
    }

    private static func works(_ ping: @Sendable () async throws -> Void) async -> Bool {
        do {
            try await ping()
            return true
        } catch {
            return false
        }
    }

    /// `0s`, `5m30s`, `1h0m3s`: rounded to seconds, larger units only when needed.
    static func compact(_ duration: Duration) -> String {
        let total = Int(duration.seconds.rounded())
        let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60)
        if hours > 0 { return "\(hours)h\(minutes)m\(seconds)s" }
        return minutes > 0 ? "\(minutes)m\(seconds)s" : "\(seconds)s"
    }
}
