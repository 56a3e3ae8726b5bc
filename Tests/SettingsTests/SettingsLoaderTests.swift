import Foundation
import Testing

@testable import Settings

/// A directory with an optional `codeforge.yaml`, removed afterwards.
struct Fixture: ~Copyable {
    let directory: String
    static let required = [
        "CODEFORGE_SERVER__AUTH_TOKEN": "token-in-env",
        "CODEFORGE_ENCRYPTION__KEY": Data(repeating: 7, count: 32).base64EncodedString(),
    ]

    init(yaml: String? = nil) throws {
        directory = NSTemporaryDirectory() + "/codeforge-settings-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        if let yaml { try write("codeforge.yaml", yaml) }
    }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/" + name))
    }

    func load(
        _ environment: [String: String] = [:],
        flags: [String] = [],
        required: Bool = true
    ) throws(SettingsError) -> LoadedSettings {
        let base = required ? Fixture.required : [:]
        return try SettingsLoader(
            environment: base.merging(environment) { $1 },
            overrides: flags.compactMap { .init(pair: $0) },
            workingDirectory: directory,
            isRoot: true
        ).load()
    }

    func problems(_ environment: [String: String] = [:], flags: [String] = [], required: Bool = true) -> [String] {
        do throws(SettingsError) {
            _ = try load(environment, flags: flags, required: required)
            return []
        } catch {
            return error.problems
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }
}

@Suite struct SettingsLoaderTests {
    /// Commands that serve nobody read the same file, where secrets may be missing, and never in place of given ones.
    @Test func toolsNeedNoSecretsAndFindThoseThereAre() throws {
        func load(_ yaml: String, _ environment: [String: String] = [:]) throws -> Settings {
            let fixture = try Fixture(yaml: yaml)
            var loader = SettingsLoader(
                environment: environment, workingDirectory: fixture.directory, isRoot: true)
            loader.isForTools = true
            return try loader.load().settings
        }
        #expect(try load("server: {port: 81}").server.authToken == "")
        #expect(try load("server: {port: 81, auth_token: in-file}").server.authToken == "in-file")
        // Which service a client talks to is no setting of a service.
        let client = ["CODEFORGE_URL": "http://h", "CODEFORGE_TOKEN": "t"]
        #expect(try load("server: {port: 81}", client).server.port == 81)
        #expect(throws: SettingsError.self) { try load("server: {port: 81}", ["CODEFORGE_URLS": "x"]) }
        #expect(throws: SettingsError.self) { try load("server: {auth_token: ' x'}") }
    }

    @Test func defaultsAreThoseOfTheContract() throws {
        let settings = try Fixture().load().settings
        #expect(settings.server.port == 8080)
        #expect(settings.server.host == "127.0.0.1")
        #expect(settings.redis.url == nil)
        #expect(settings.dataDirectory == "/var/lib/codeforge")
        #expect(settings.sqlite.path == "/var/lib/codeforge/codeforge.db")
        #expect(settings.tasks.workspaceBase == "/var/lib/codeforge/workspaces")
        #expect(settings.cli.claudeCode.defaultModel == "claude-sonnet-4-20250514")
        #expect(settings.webhooks.retryDelay == .seconds(5))
        #expect(settings.sandbox.outputBytes == 64 << 20 && settings.sandbox.lineBytes == 8 << 20)
        #expect(settings.events.historyEntries == 1_000_000)
    }

    @Test func laterSourcesWin() throws {
        let fixture = try Fixture(yaml: "server:\n  port: 1001\n  host: 0.0.0.0\nworkers:\n  concurrency: 9\n")
        let yaml = try fixture.load()
        #expect(yaml.settings.server.port == 1001)
        #expect(yaml.origins["server.port"] == .yaml(file: "codeforge.yaml", line: 2))
        let environment = try fixture.load(["CODEFORGE_SERVER__PORT": "1002"])
        #expect(environment.settings.server.port == 1002)
        #expect(environment.settings.workers.concurrency == 9)
        let flag = try fixture.load(["CODEFORGE_SERVER__PORT": "1002"], flags: ["server.port=1003"])
        #expect(flag.settings.server.port == 1003)
        #expect(flag.origins["server.port"] == .flag("--set"))
    }

    @Test func namedFileMustExist() throws {
        let fixture = try Fixture()
        try fixture.write("other.yaml", "server: {port: 7}")
        #expect(try fixture.load(["CODEFORGE_CONFIG": "other.yaml"]).settings.server.port == 7)
        let problems = fixture.problems(["CODEFORGE_CONFIG": "/nowhere/x.yaml"])
        #expect(problems == ["/nowhere/x.yaml: can't be read; CODEFORGE_CONFIG must name a readable YAML file"])
    }

    @Test func derivedPlacesFollowTheDataDirectory() throws {
        let settings = try Fixture().load(["CODEFORGE_DATA_DIR": "/srv/cf"]).settings
        #expect(settings.sqlite.path == "/srv/cf/codeforge.db")
        #expect(settings.sandbox.imageDirectory == "/srv/cf/images")
        let user = SettingsLoader(
            environment: Fixture.required.merging(["HOME": "/home/u"]) { $1 },
            workingDirectory: "/",
            isRoot: false
        )
        #expect(try user.load().settings.dataDirectory == "/home/u/.local/state/codeforge")
    }

    @Test func relativePathsStartAtTheWorkingDirectory() throws {
        let fixture = try Fixture()
        let settings = try fixture.load([
            "CODEFORGE_DATA_DIR": "./state", "CODEFORGE_CLI__CODEX__PATH": "bin/codex",
            "CODEFORGE_CLI__CLAUDE_CODE__PATH": "claude2", "CODEFORGE_GIT__ALLOWED_LOCAL_ROOTS": "repos, /abs",
        ]).settings
        #expect(settings.dataDirectory == fixture.directory + "/state")
        #expect(settings.cli.codex.path == fixture.directory + "/bin/codex")
        #expect(settings.cli.claudeCode.path == "claude2")
        #expect(settings.git.allowedLocalRoots == [fixture.directory + "/repos", "/abs"])
    }

    @Test func listsAndMapsHaveTwoForms() throws {
        let fixture = try Fixture(
            yaml: """
                gateway:
                  allow_private_hosts:
                    - git.lan:8443
                    - 10.0.0.1
                git:
                  provider_domains: {git.corp.example: gitlab}
                sandbox:
                  require: []
                  memory_bytes: 512MiB
                """
        )
        let yaml = try fixture.load().settings
        #expect(yaml.gateway.allowPrivateHosts == ["git.lan:8443", "10.0.0.1"])
        #expect(yaml.git.providerDomains == ["git.corp.example": "gitlab"])
        #expect(yaml.sandbox.require == [])
        #expect(yaml.sandbox.memoryBytes == 512 << 20)
        let environment = try Fixture().load([
            "CODEFORGE_GATEWAY__ALLOW_PRIVATE_HOSTS": "a:1,b", "CODEFORGE_SANDBOX__REQUIRE": "seccomp",
            "CODEFORGE_GIT__PROVIDER_DOMAINS": #"{"h.example":"github"}"#,
        ]).settings
        #expect(environment.gateway.allowPrivateHosts == ["a:1", "b"])
        #expect(environment.git.providerDomains == ["h.example": "github"])
        #expect(environment.sandbox.require == ["seccomp"])
    }

    @Test func everyKeyIsReadFromItsEnvironmentName() throws {
        // Each default, written out and read back, is accepted by its own key.
        let defaults = Settings()
        for key in SettingKey.all where !key.isRequired && key.derivedDefault == nil {
            let text = key.text(in: defaults)
            let loaded = try Fixture().load([key.environmentName: text])
            #expect(key.text(in: loaded.settings) == text, "\(key.name)")
            #expect(loaded.origins[key.name] == .environment(key.environmentName))
        }
    }

    @Test func originsAreAsBrowsersSendThem() throws {
        let good = ["https://app.example.com", "http://localhost:3000", "http://[::1]:8080"]
        let name = "CODEFORGE_SERVER__CORS_ORIGINS"
        #expect(
            try Fixture().load([name: good.joined(separator: ",")]).settings.server.corsOrigins == good)
        for bad in ["*", "null", "app.example.com", "https://App.example.com", "https://a.example/", "https://*.x"] {
            #expect(throws: SettingsError.self, "\(bad)") { try Fixture().load([name: bad]) }
        }
    }

    @Test func theQueueHasANameOfItsOwn() throws {
        let name = "CODEFORGE_WORKERS__QUEUE_NAME"
        #expect(try Fixture().load([name: "jobs"]).settings.workers.queueName == "jobs")
        for bad in ["results", "live", "task:x"] {
            #expect(throws: SettingsError.self, "\(bad)") { try Fixture().load([name: bad]) }
        }
    }

    @Test func aWebhookSecretMayHaveACommaItself() throws {
        func secrets(_ text: String) throws -> [String] {
            let review = try Fixture().load([
                "CODEFORGE_CODE_REVIEW__WEBHOOK_SECRETS__GITHUB": text,
                "CODEFORGE_CODE_REVIEW__WEBHOOK_SECRETS__GITLAB": text,
            ]).settings.codeReview
            #expect(review.githubSecrets == review.gitlabSecrets)
            return review.githubSecrets
        }
        #expect(try secrets("one") == ["one"])
        #expect(try secrets("one, two") == ["one", "two", "one, two"])
        #expect(try secrets("one,") == ["one", "one,"])
        #expect(try secrets(",") == [])
        #expect(try secrets("") == [])
        #expect(try secrets("whsec_YQ==,whsec_Yg==") == ["whsec_YQ==", "whsec_Yg=="])
    }

    @Test func theSeedsRateLimitNameWins() throws {
        let fixture = try Fixture(yaml: "rate_limit: {sessions_per_minute: 4}")
        #expect(try fixture.load(["CODEFORGE_RATE_LIMIT__TASKS_PER_MINUTE": "9"]).settings.rateLimit.perMinute == 4)
        #expect(try Fixture().load(["CODEFORGE_RATE_LIMIT__TASKS_PER_MINUTE": "9"]).settings.rateLimit.perMinute == 9)
        let both = try Fixture().load([
            "CODEFORGE_RATE_LIMIT__TASKS_PER_MINUTE": "9", "CODEFORGE_RATE_LIMIT__SESSIONS_PER_MINUTE": "5",
        ])
        #expect(both.settings.rateLimit.perMinute == 5)
    }

    @Test func secretsComeFromFilesToo() throws {
        let fixture = try Fixture()
        try fixture.write("token", "from-file\n")
        let loaded = try fixture.load(
            [
                "CODEFORGE_SERVER__AUTH_TOKEN_FILE": "token",
                "CODEFORGE_ENCRYPTION__KEY": Fixture.required["CODEFORGE_ENCRYPTION__KEY"]!,
            ],
            required: false
        )
        #expect(loaded.settings.server.authToken == "from-file")
        #expect(
            fixture.problems(["CODEFORGE_SERVER__AUTH_TOKEN_FILE": "token"]) == [
                "server.auth_token: set twice, by CODEFORGE_SERVER__AUTH_TOKEN and by \(fixture.directory)/token, "
                    + "named by CODEFORGE_SERVER__AUTH_TOKEN_FILE; keep one of them"
            ]
        )
        #expect(fixture.problems(["CODEFORGE_SERVER__PORT_FILE": "token"]).count == 1)
    }

    @Test(arguments: [
        ("server.port", "80a", #""80a""#, "an integer from 0 to 65535"),
        ("server.port", "", #""""#, "an integer from 0 to 65535"),
        ("code_review.default_cli", "shell", #""shell""#, "one of claude-code, codex"),
        ("logging.level", "loud", #""loud""#, "one of debug, info, warn, error"),
        (
            "redis.url", "http://u:hidden@h", #""http://***@h""#,
            "redis://[:password@]host:port[/db] or unix:///path"
        ),
        (
            "encryption.key", "c2hvcnQ=", "***",
            "standard base64 of exactly 32 bytes (openssl rand -base64 32)"
        ),
        (
            "git.provider_domains", #"{"h":"svn"}"#, #""{\"h\":\"svn\"}""#,
            "a map, each value one of github, gitlab"
        ),
        ("webhooks.retry_delay", "5", #""5""#, "a duration such as 500ms, 5s, 2m or 1h30m"),
    ])
    func oneLineNamesKeyValueSourceAndWhatIsAllowed(
        key: String,
        value: String,
        shown: String,
        allowed: String
    ) throws {
        let name = SettingKey.environmentName(key)
        #expect(
            try Fixture().problems([name: value]) == [
                "\(key): \(shown) (from \(name)) is not allowed; it must be \(allowed)"
            ]
        )
    }

    @Test func unknownVariableNamesTheNearestOne() throws {
        #expect(
            try Fixture().problems(["CODEFORGE_SERVER__PROT": "1"]) == [
                "server.prot: unknown setting (from CODEFORGE_SERVER__PROT); "
                    + "did you mean server.port (CODEFORGE_SERVER__PORT)?"
            ]
        )
    }

    @Test func unknownYAMLKeyNamesItsLine() throws {
        let fixture = try Fixture(yaml: "server:\n  port: 1\nworker:\n  concurrency: 3\n")
        #expect(
            fixture.problems() == [
                "worker.concurrency: unknown setting (from codeforge.yaml:4); did you mean workers.concurrency?"
            ]
        )
    }

    @Test func missingRequiredSettingsNameTheirVariable() throws {
        let problems = try Fixture().problems(required: false)
        #expect(problems.count == 2)
        #expect(problems[0].hasPrefix("server.auth_token: required but not set; set CODEFORGE_SERVER__AUTH_TOKEN"))
        #expect(problems[1].hasPrefix("encryption.key: required but not set; set CODEFORGE_ENCRYPTION__KEY"))
    }

    @Test func brokenYAMLIsNotQuoted() throws {
        let problems = try Fixture(yaml: "server:\n  auth_token: \"hunter2\n").problems()
        #expect(problems.count == 1)
        #expect(!problems[0].contains("hunter2"))
        #expect(problems[0].hasPrefix("codeforge.yaml: line "))
    }

    @Test func platformVariablesOfAServiceNamedCodeforgeAreNoSettings() throws {
        let fixture = try Fixture()
        #expect(
            fixture.problems([
                "CODEFORGE_SERVICE_HOST": "10.0.0.1", "CODEFORGE_SERVICE_PORT_HTTP": "80",
                "CODEFORGE_PORT": "tcp://10.0.0.1:80", "CODEFORGE_PORT_80_TCP_ADDR": "10.0.0.1",
            ]) == []
        )
        #expect(fixture.problems(["CODEFORGE_DATADIR": "/x"]).count == 1)
    }

    @Test func nullKeepsWhatWasThere() throws {
        #expect(try Fixture(yaml: "server:\n  port:\nredis:\n").load().settings.server.port == 8080)
    }
}
