import ArgumentParser
import Domain
import FoundationEssentials
import RedisMessaging
import SQLiteStore
import Settings
import Vault

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Look after keys: tokens of forges and of Sentry that tasks name.",
        discussion: """
            add, ls, verify and rm ask the service; rotate works on its database while it is stopped.
            \(exitStatuses)

            Examples:
              codeforge keys add hub --provider github < token.txt
              codeforge keys ls
              codeforge task run --repo https://github.com/user/private.git --key hub --prompt 'Fix the tests'
            """,
        subcommands: [Add.self, List.self, Verify.self, Remove.self, Rotate.self])

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seal every stored secret with a new encryption key.",
            discussion: """
                Stop the service first. Set encryption.key to the new key and encryption.old_key to the one so far (each \
                also as …_file), run this, then start the service without encryption.old_key. Registered keys change in \
                one transaction; when one of them, or a secret of a task, opens with neither key, nothing is changed. It \
                may be run again after it was interrupted.

                Examples:
                  CODEFORGE_ENCRYPTION__KEY_FILE=new.key CODEFORGE_ENCRYPTION__OLD_KEY_FILE=old.key codeforge keys rotate
                """)

        @OptionGroup var options: SettingsOptions

        func run() async throws {
            let settings = try options.loadForTools()
            try await reporting {
                let rotation = try KeyRotation(settings)
                let count = try await rotation.run()
                print(
                    "sealed with the new key: \(count.keys) registered keys, secrets of \(count.tasks) tasks, "
                        + "\(count.servers) MCP servers, \(count.workflows) workflows, \(count.runs) workflow runs")
            }
        }
    }
}

/// Seals what the old key sealed with the new one.
private struct KeyRotation {
    let settings: Settings
    let old: AESGCMSecretBox
    let new: AESGCMSecretBox

    init(_ settings: Settings) throws(CodeForgeError) {
        self.settings = settings
        guard !settings.encryption.key.isEmpty, let oldKey = settings.encryption.oldKey, !oldKey.isEmpty else {
            throw CodeForgeError(
                .invalidArgument, "set encryption.key to the new key and encryption.old_key to the one so far")
        }
        guard oldKey != settings.encryption.key else {
            throw CodeForgeError(.invalidArgument, "encryption.key and encryption.old_key are the same")
        }
        new = try AESGCMSecretBox(base64Key: settings.encryption.key)
        old = try AESGCMSecretBox(base64Key: oldKey, name: "encryption.old_key")
    }

    struct Count {
        var keys = 0
        var tasks = 0
        var servers = 0
        var workflows = 0
        var runs = 0
    }

    func run() async throws -> Count {
        guard FileManager.default.fileExists(atPath: settings.sqlite.path) else {
            throw CodeForgeError(.notFound, "there is no database \(settings.sqlite.path)")
        }
        let claim = try DatabaseClaim(path: settings.sqlite.path)
        defer { withExtendedLifetime(claim) {} }
        let database = try TaskDatabase(path: settings.sqlite.path)
        let store = SQLiteKeyStore(database)
        let servers = SQLiteMCPServerStore(database, box: new)
        let workflows = SQLiteWorkflowStore(database, box: new)
        let runs = SQLiteWorkflowRunStore(database, box: new)
        return try await withRedis { client in
            let secrets = RedisTaskSecretStore(client, box: new)
            @Sendable func secret(_ task: String, _ sealed: String) throws(CodeForgeError) -> String {
                try reseal(sealed, of: "the secrets of task \(task)")
            }
            @Sendable func definition(_ name: String, _ sealed: String) throws(CodeForgeError) -> String {
                try reseal(sealed, of: "MCP server '\(name)'")
            }
            @Sendable func workflow(_ name: String, _ sealed: String) throws(CodeForgeError) -> String {
                try reseal(sealed, of: "workflow '\(name)'")
            }
            @Sendable func run(_ id: String, _ sealed: String) throws(CodeForgeError) -> String {
                try reseal(sealed, of: "workflow run \(id)")
            }
            // Several stores: what could fail is tried in all but one before that is changed.
            _ = try await secrets.reseal(isTrial: true, secret)
            try await servers.reseal(isTrial: true, definition)
            try await workflows.reseal(isTrial: true, workflow)
            try await runs.reseal(isTrial: true, run)
            var count = Count()
            count.keys = try await store.reseal { key, sealed throws(CodeForgeError) in
                try reseal(sealed, of: "key '\(key.name)' (\(key.provider.rawValue))")
            }
            count.tasks = try await secrets.reseal(secret)
            count.servers = try await servers.reseal(definition)
            count.workflows = try await workflows.reseal(workflow)
            count.runs = try await runs.reseal(run)
            return count
        }
    }

    /// What an interrupted run has done already stays as it is.
    private func reseal(_ sealed: String, of what: String) throws(CodeForgeError) -> String {
        if (try? new.open(sealed)) != nil { return sealed }
        let text: String
        do throws(CodeForgeError) {
            text = try old.open(sealed)
        } catch {
            throw CodeForgeError(
                .conflict,
                "\(what): opens with neither encryption.key nor encryption.old_key; nothing was changed")
        }
        return try new.seal(text)
    }

    /// With the service's Redis: the configured one, else the private one, started for the time if it does not run.
    private func withRedis<Value>(_ body: (RedisClient) async throws -> Value) async throws -> Value {
        if let url = settings.redis.url {
            return try await body(try RedisClient(url: url, prefix: settings.redis.prefix))
        }
        let embedded = EmbeddedRedis(directory: settings.dataDirectory + "/redis")
        let client = try RedisClient(url: embedded.url, prefix: settings.redis.prefix)
        let wasRunning = await RedisHealthProbe(client).answers
        try await embedded.start()
        do {
            let value = try await body(client)
            await embedded.stop(leaveRunning: wasRunning)
            return value
        } catch {
            await embedded.stop(leaveRunning: wasRunning)
            throw error
        }
    }
}

extension HealthProbe {
    fileprivate var answers: Bool {
        get async {
            do {
                try await ping()
                return true
            } catch {
                return false
            }
        }
    }
}
