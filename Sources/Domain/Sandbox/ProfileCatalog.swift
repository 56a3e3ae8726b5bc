/// The profiles in force, and which of them a task gets.
public struct ProfileCatalog: Sendable {
    /// Where settings send a task; names of profiles.
    public struct Rules: Sendable, Hashable {
        /// What is missing here keeps its default.
        public var taskTypes: [TaskType: String] = [:]
        public var repositories: [RepositoryPattern: String] = [:]
        /// By the name of the key a task names.
        public var keys: [String: String] = [:]

        public init() {}
    }

    /// By name.
    public let profiles: [String: SandboxProfile]
    /// Of our own git runs.
    public let git: SandboxProfile
    private let taskTypes: [TaskType: SandboxProfile]
    /// The most telling pattern first.
    private let repositories: [(pattern: RepositoryPattern, profile: SandboxProfile)]
    private let keys: [String: SandboxProfile]

    /// The profile of each task type unless a rule says otherwise.
    public static let defaults: [TaskType: SandboxProfile] = [
        .code: .code, .plan: .readonly, .review: .readonly, .prReview: .untrusted,
    ]

    /// The built-in profiles, as they come.
    public static let builtIn = ProfileCatalog(SandboxProfile.builtIn)

    /// - Parameters:
    ///   - profiles: Effective ones; one whose name is a built-in's takes its place.
    ///   - rules: A rule that names no profile at all is left out: who reads rules refuses such a one first.
    public init(_ profiles: [SandboxProfile], rules: Rules = Rules()) {
        var byName: [String: SandboxProfile] = [:]
        for profile in SandboxProfile.builtIn + profiles { byName[profile.name] = profile }
        self.profiles = byName
        git = byName[SandboxProfile.git.name] ?? .git
        var taskTypes = ProfileCatalog.defaults.mapValues { byName[$0.name] ?? $0 }
        for (type, name) in rules.taskTypes { taskTypes[type] = byName[name] ?? taskTypes[type] }
        self.taskTypes = taskTypes
        repositories = rules.repositories.sorted {
            ($1.key.literalCount, $0.key.text) < ($0.key.literalCount, $1.key.text)
        }.compactMap { pattern, name in byName[name].map { (pattern, $0) } }
        keys = rules.keys.compactMapValues { byName[$0] }
    }

    /// The effective profile of one run.
    ///
    /// Code of unknown origin gets what pull request reviews get, whatever else the rules say; else the repository
    /// decides, then the key, then the task's type. A type that only reads has its workspace read-only in any case.
    ///
    /// - Parameter isUntrusted: Whether nobody vouched for the code in the workspace.
    public func profile(type: TaskType, repository: String, key: String?, isUntrusted: Bool) -> SandboxProfile {
        var profile = taskTypes[isUntrusted ? .prReview : type] ?? .untrusted
        if !isUntrusted {
            let url = RepositoryURL(repository)
            let match = url.flatMap { url in repositories.first { $0.pattern.matches(url) } }
            profile = match?.profile ?? key.flatMap { keys[$0] } ?? profile
        }
        if type.isReadOnly { profile.workspace = .readOnly }
        return profile
    }
}
