/// The forge behind a repository URL.
public enum GitProvider: String, Sendable, Hashable {
    case github, gitlab

    /// - Parameter domains: Exact host names of self-hosted forges, looked at first.
    /// - Returns: `nil` for a host nobody told us about, and for local repositories.
    public init?(host: String, domains: [String: GitProvider]) {
        if let provider = domains[host] {
            self = provider
        } else if host == "github.com" || host.hasSuffix(".github.com") {
            self = .github
        } else if host == "gitlab.com" || host.hasSuffix(".gitlab.com") {
            self = .gitlab
        } else {
            return nil
        }
    }

    /// User name that goes with an access token in HTTP Basic authentication.
    ///
    /// Source: GitHub documentation, "Authenticating as a GitHub App installation"; GitLab documentation, "Clone using
    /// a token".
    public var tokenUser: String { self == .github ? "x-access-token" : "oauth2" }

    /// The ref under which the head of a pull or merge request can be fetched, forks included.
    public func pullRequestRef(_ number: Int) -> String {
        self == .github ? "pull/\(number)/head" : "merge-requests/\(number)/head"
    }
}
