import Domain
import Hummingbird

/// Task types and CLIs.
struct CLIRoutes: Sendable {
    private let dependencies: APIDependencies

    init(_ dependencies: APIDependencies) { self.dependencies = dependencies }

    var routes: [Route] {
        [
            Route(.get, "/api/v1/task-types", "List task types") { _, _ in taskTypes() },
            Route(.get, "/api/v1/cli", "List CLIs") { _, _ in await list() },
            Route(.get, "/api/v1/cli/health", "Check the default CLI") { _, _ in await health() },
        ]
    }

    private func taskTypes() -> Response {
        .json { json in
            json.name("task_types")
            json.beginArray()
            for type in TaskType.allCases {
                json.beginObject()
                json.member("name", type.rawValue)
                json.member("label", type.label)
                json.member("description", type.summary)
                json.endObject()
            }
            json.endArray()
        }
    }

    private func list() async -> Response {
        let entries = await dependencies.cliCatalogue().sorted { $0.name < $1.name }
        return .json { json in
            json.name("cli")
            json.beginArray()
            for entry in entries {
                json.beginObject()
                json.member("name", entry.name)
                json.member("binary_path", entry.binaryPath)
                json.member("default_model", entry.defaultModel)
                json.member("available", entry.isAvailable)
                json.member("is_default", entry.isDefault)
                json.endObject()
            }
            json.endArray()
        }
    }

    private func health() async -> Response {
        guard let entry = await dependencies.cliCatalogue().first(where: \.isDefault) else {
            return .json(.serviceUnavailable) { json in
                json.member("status", "error")
                json.member("cli", dependencies.defaultCLI)
                json.member("message", "default CLI not configured")
            }
        }
        guard entry.isAvailable else {
            return .json(.serviceUnavailable) { json in
                json.member("status", "unavailable")
                json.member("cli", entry.name)
                json.member("binary", "")
                json.member("message", "binary not found")
            }
        }
        return .json { json in
            json.member("status", "ok")
            json.member("cli", entry.name)
            json.member("binary", entry.binaryPath)
        }
    }
}
