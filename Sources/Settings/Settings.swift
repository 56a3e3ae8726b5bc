/// Everything an operator can set, typed. Initial values are the defaults; `SettingKey.all` names and documents each.
///
/// Durations whose key says seconds are whole seconds, sizes are bytes. Lists are in the order given.
package struct Settings: Sendable, Equatable {
    /// Everything the service keeps. Absolute; empty only before loading.
    package var dataDirectory = ""
    package var server = Server()
    package var redis = Redis()
    package var sqlite = SQLite()
    package var encryption = Encryption()
    package var workers = Workers()
    package var tasks = Tasks()
    package var events = Events()
    package var cli = CLI()
    package var git = Git()
    package var sandbox = Sandbox()
    package var gateway = Gateway()
    package var forges = Forges()
    package var webhooks = Webhooks()
    package var rateLimit = RateLimit()
    package var workflow = Workflow()
    package var codeReview = CodeReview()
    package var tracing = Tracing()
    package var logging = Logging()
    /// Keys found under their own well-known environment names, outside the `CODEFORGE_` ones.
    package var inherited = InheritedKeys()

    package init() {}

    /// The HTTP side.
    package struct Server: Sendable, Equatable {
        package var host = "127.0.0.1"
        /// 0 asks the system for a free port.
        package var port = 8080
        package var authToken = ""
        /// Longest request body, in bytes. The longest prompt, all of it escaped as `\uXXXX` pairs, takes 1.2 MB.
        package var maxBodyBytes = 2_097_152
        /// How long the answer to a request with an `Idempotency-Key` is given again.
        package var idempotencyTTL: Duration = .seconds(86_400)
        /// Origins whose pages may call the API from a browser.
        package var corsOrigins: [String] = []
        /// Bearer token of `/metrics`; `nil`: none is asked for.
        package var metricsToken: String?
        /// Directory with `swagger-ui-bundle.js` and `swagger-ui.css`; absolute after loading, default under the data
        /// directory. Where they are missing: a plain page.
        package var docsAssets = ""
    }

    package struct Redis: Sendable, Equatable {
        /// `nil`: the embedded one.
        package var url: String?
        package var prefix = "codeforge:"
    }

    package struct SQLite: Sendable, Equatable {
        /// Absolute after loading; default under the data directory.
        package var path = ""
    }

    package struct Encryption: Sendable, Equatable {
        /// Standard base64 of 32 bytes, checked.
        package var key = ""
        /// The key before it, for sealing anew.
        package var oldKey: String?
    }

    package struct Workers: Sendable, Equatable {
        package var concurrency = 3
        package var queueName = "queue:tasks"
    }

    /// Task limits and lifetimes; all in seconds but the thresholds.
    package struct Tasks: Sendable, Equatable {
        package var defaultTimeout = 300
        package var maxTimeout = 1800
        /// Absolute after loading; default under the data directory.
        package var workspaceBase = ""
        package var workspaceTTL = 86_400
        /// Time between two looks for workspaces to remove.
        package var sweepInterval = 600
        /// How long the state directory of an ended run is kept.
        package var runTTL = 60
        package var stateTTL = 604_800
        package var resultTTL = 604_800
        /// What tasks kept in memory may take up.
        package var cacheBytes = 16_777_216
        package var diskWarningThresholdGB = 10.0
        package var diskCriticalThresholdGB = 20.0
    }

    package struct Events: Sendable, Equatable {
        /// Entries kept in one task's event log.
        package var historyEntries = 1_000_000
    }

    package struct CLI: Sendable, Equatable {
        package var defaultName = "claude-code"
        package var claudeCode = Agent(path: "claude", defaultModel: "claude-sonnet-4-20250514")
        package var codex = Agent(path: "codex", defaultModel: "")
        package var shell = Agent(path: "bash", defaultModel: "")

        /// All of them, by the names tasks have for them.
        package var agents: [(name: String, agent: Agent)] {
            [("claude-code", claudeCode), ("codex", codex), ("shell", shell)]
        }
    }

    /// One CLI.
    package struct Agent: Sendable, Equatable {
        /// A bare name is looked up in the image; with a `/` it is a host file, absolute after loading.
        package var path: String
        package var defaultModel: String
    }

    package struct Git: Sendable, Equatable {
        package var branchPrefix = "codeforge/"
        package var commitAuthor = "CodeForge Bot"
        package var commitEmail = "codeforge@noreply"
        /// Host → `github` or `gitlab`.
        package var providerDomains: [String: String] = [:]
        /// Absolute directories.
        package var allowedLocalRoots: [String] = []
        /// Longest diff that is kept of an iteration, in bytes.
        package var diffBytes = 1_048_576
        /// Seconds commit and push may take.
        package var publishTimeout = 300
    }

    package struct Sandbox: Sendable, Equatable {
        package var image = "base"
        /// Where images are; absolute after loading, default under the data directory.
        package var imageDirectory = ""
        /// Layers that may not be missing; `nil`: every layer of the profile.
        package var require: [String]?
        /// Layers of a profile that may be missing where this host does not have them; after loading never `nil`.
        package var allowMissing: [String]?
        /// `volume` or `directory`; after loading one of them, by default a volume as root.
        package var disk = ""
        /// Operator's profile files; empty: none.
        package var profilesDirectory = ""
        /// Profile by task type, by repository pattern, by name of the task's key.
        package var taskTypeProfiles: [String: String] = [:]
        package var repositoryProfiles: [String: String] = [:]
        package var keyProfiles: [String: String] = [:]
        /// In place of what every profile says, of each limit; 0: the profile's.
        package var memoryBytes = 0
        package var pids = 0
        package var cpus = 0.0
        package var cpuWeight = 0
        package var diskBytes = 0
        package var diskInodes = 0
        package var overlayBytes = 0
        package var temporaryBytes = 0
        package var sharedMemoryBytes = 0
        package var homeBytes = 0
        package var temporaryInodes = 0
        package var openFiles = 0
        package var fileBytes = 0
        package var lockedMemoryBytes = 0
        /// CLI output after which a task fails.
        package var outputBytes = 67_108_864
        /// Longest line of CLI output that is parsed. The last one holds the whole result, and in a review all findings.
        package var lineBytes = 8_388_608
        /// Days an audit record is kept.
        package var auditDays = 30
        /// Audit records of refused calls and gateway decisions for each run.
        package var auditRecords = 5000
        /// Watchdogs of an agent; zero: off.
        package var firstLineTimeout: Duration = .seconds(300)
        package var silenceTimeout: Duration = .seconds(900)
        package var resultGrace: Duration = .seconds(10)
    }

    package struct Gateway: Sendable, Equatable {
        package var anthropicURL = "https://api.anthropic.com"
        package var openAIURL = "https://api.openai.com"
        package var allowPrivateHosts: [String] = []
        package var egress: [String] = []
    }

    package struct Forges: Sendable, Equatable {
        package var githubAPIURL = "https://api.github.com"
        package var gitlabAPIURL = "https://gitlab.com/api/v4"
        package var sentryURL = "https://sentry.io"
    }

    package struct Webhooks: Sendable, Equatable {
        package var hmacSecret = ""
        package var retryCount = 3
        package var retryDelay: Duration = .seconds(5)
        package var timeout: Duration = .seconds(10)
        package var concurrency = 8
        /// 0: whole.
        package var resultBytes = 0
        package var allowPrivate: [String] = []
    }

    package struct RateLimit: Sendable, Equatable {
        package var enabled = true
        /// ≤ 0 turns the limit off.
        package var perMinute = 10
    }

    package struct Workflow: Sendable, Equatable {
        package var contextTTLHours = 24
        package var maxRunDurationSeconds = 7200
        /// Runs at a time.
        package var concurrency = 4
        package var fetchTimeout: Duration = .seconds(30)
    }

    package struct CodeReview: Sendable, Equatable {
        package var reviewDrafts = false
        package var untrustedVerdicts = false
        package var untrustedComments = true
        package var defaultCLI = "claude-code"
        package var defaultKeyName = ""
        /// Seconds.
        package var webhookDedupTTL = 3600
        /// Several with commas between.
        package var githubSecret = ""
        package var gitlabSecret = ""
        /// `review`, `hold` or `ignore`.
        package var untrustedPolicy = "review"

        package var githubSecrets: [String] { CodeReview.list(githubSecret) }
        package var gitlabSecrets: [String] { CodeReview.list(gitlabSecret) }

        /// The parts between commas, and the whole, which may be one secret that has a comma. No signing secret has.
        private static func list(_ text: String) -> [String] {
            let parts = text.split(separator: ",").map { part in
                var part = part.drop { $0 == " " }
                while part.last == " " { part.removeLast() }
                return String(part)
            }.filter { !$0.isEmpty }
            guard !parts.isEmpty, parts != [text], !text.hasPrefix("whsec_") else { return parts }
            return parts + [text]
        }
    }

    package struct Tracing: Sendable, Equatable {
        package var enabled = false
        package var exporter = "otlp"
        package var endpoint = ""
        package var samplingRate = 0.1
    }

    package struct Logging: Sendable, Equatable {
        /// `debug`, `info`, `warn` or `error`.
        package var level = "info"
        /// `json`; anything else is text.
        package var format = "json"
    }

    /// Keys other tools share with us through the environment; `nil` when unset or empty.
    package struct InheritedKeys: Sendable, Equatable {
        package var githubToken: String?
        package var gitlabToken: String?
        package var anthropicAPIKey: String?
        package var openAIAPIKey: String?

        init() {}

        init(environment: [String: String]) {
            func value(_ name: String) -> String? { environment[name]?.filled }
            githubToken = value("GITHUB_TOKEN")
            gitlabToken = value("GITLAB_TOKEN")
            anthropicAPIKey = value("ANTHROPIC_API_KEY")
            openAIAPIKey = value("OPENAI_API_KEY")
        }
    }
}

extension Settings: CustomStringConvertible {
    /// Nothing but a name: a careless log line must not show the secrets inside.
    package var description: String { "Settings" }

    /// Settings that are not the same in both.
    package func names(differingFrom other: Settings) -> [String] {
        SettingKey.all.filter { $0.text(in: self) != $0.text(in: other) }.map(\.name)
    }

    /// Every secret value in force, for the log's redaction.
    package var secretValues: [String] {
        var values = SettingKey.all.filter(\.isSecret).map { $0.text(in: self) }
        if let url = redis.url, let userInfo = SettingText.userInfo(ofURL: url) {
            values.append(userInfo)
            values.append(contentsOf: userInfo.split(separator: ":", maxSplits: 1).last.map { [String($0)] } ?? [])
        }
        values += [inherited.githubToken, inherited.gitlabToken, inherited.anthropicAPIKey, inherited.openAIAPIKey]
            .compactMap(\.self)
        values += codeReview.githubSecrets + codeReview.gitlabSecrets
        return values.filter { !$0.isEmpty }
    }
}
