package import Domain

/// What the configuration says about forges.
package struct ForgeDirectory: Sendable {
    /// APIs of hosts no key speaks of; no trailing slash.
    package var githubAPIURL: String
    package var gitlabAPIURL: String
    /// Where Sentry is, without the path of its API.
    package var sentryURL: String
    /// Which kind of forge a host is; looked at first.
    package var providerDomains: [String: GitProvider]
    /// Tokens of the service itself.
    package var tokens: [GitProvider: String]

    package static let publicGitHub = "https://api.github.com"
    package static let publicGitLab = "https://gitlab.com/api/v4"
    package static let publicSentry = "https://sentry.io"

    package init(
        githubAPIURL: String = publicGitHub, gitlabAPIURL: String = publicGitLab, sentryURL: String = publicSentry,
        providerDomains: [String: GitProvider] = [:], tokens: [GitProvider: String] = [:]
    ) {
        func trimmed(_ url: String) -> String {
            var url = url
            while url.hasSuffix("/") { url.removeLast() }
            return url
        }
        self.githubAPIURL = trimmed(githubAPIURL)
        self.gitlabAPIURL = trimmed(gitlabAPIURL)
        let sentry = trimmed(sentryURL)
        let path = KeyProvider.sentry.apiPath
        self.sentryURL = sentry.hasSuffix(path) ? String(sentry.dropLast(path.count)) : sentry
        self.providerDomains = providerDomains
        self.tokens = tokens
    }

    /// The configured API of a provider.
    package func apiURL(of provider: KeyProvider) -> String {
        switch provider {
        case .github: githubAPIURL
        case .gitlab: gitlabAPIURL
        case .sentry: sentryURL + KeyProvider.sentry.apiPath
        }
    }

    /// The API of a forge at `host`: the configured one for the public forges, and for every host when an operator set
    /// it; else where a self-hosted forge has it.
    func apiURL(of provider: GitProvider, host: String) -> String {
        let configured = apiURL(of: KeyProvider(provider))
        let isPublic = host == (provider == .github ? "github.com" : "gitlab.com")
        let isDefault = configured == (provider == .github ? ForgeDirectory.publicGitHub : ForgeDirectory.publicGitLab)
        return isPublic || !isDefault ? configured : "https://\(host)\(KeyProvider(provider).apiPath)"
    }

    /// Whether a key may go to `url`: with a `base_url` to that installation alone, else to its provider's API and, over
    /// TLS, to the hosts `git.provider_domains` has of its kind.
    func mayReceive(_ key: RegisteredKey, _ url: HTTPURL) -> Bool {
        if let base = key.base {
            return ForgeDirectory.holds(base.text, url) || ForgeDirectory.holds(base.apiURL, url)
        }
        if ForgeDirectory.holds(apiURL(of: key.provider), url) { return true }
        return providerDomains.contains { host, provider in
            provider == key.provider.git && ForgeDirectory.holds("https://\(host)", url)
        }
    }

    /// Whether `url` is at `place` or below it. A path with dots could leave it again.
    private static func holds(_ place: String, _ url: HTTPURL) -> Bool {
        // A place that can't be read holds nothing.
        guard let place = try? HTTPURL(place), place.origin == url.origin else { return false }
        let path = place.path.hasSuffix("/") ? place.path : place.path + "/"
        guard url.path.hasPrefix(path) else { return false }
        guard let decoded = PercentEncoding.decoded(url.path) else { return false }
        return !decoded.split(separator: "/").contains { $0 == "." || $0 == ".." }
    }

    /// A URL of the public GitHub's API, at the API that is configured instead.
    package func configured(_ url: String) -> String {
        let place = ForgeDirectory.publicGitHub + "/"
        return url.hasPrefix(place) ? githubAPIURL + "/" + url.dropFirst(place.count) : url
    }

    /// The API a key is for.
    func apiURL(of key: RegisteredKey) -> String { key.base?.apiURL ?? apiURL(of: key.provider) }
}
