/// The address of a self-hosted forge or Sentry: what stands before the path of a project, such as
/// `https://git.example.com` or `https://example.com/gitlab`.
package struct ForgeBase: Sendable, Hashable {
    /// Canonical text, without a trailing slash and without the path of the API.
    package let text: String
    /// Lower-case host name, as `RepositoryURL` has it.
    package let host: String
    /// Path of the installation, such as `/gitlab`; empty at the root.
    package let path: String
    package let provider: KeyProvider

    /// - Parameter text: May also be the API's own address (`…/api/v3`, `…/api/v4`, `…/api/0`).
    /// - Returns: `nil` for the public GitHub, whose API is configured.
    /// - Throws: `.invalidArgument` for what is no plain `http` or `https` URL; the message does not repeat it.
    package init?(_ text: String, provider: KeyProvider) throws(CodeForgeError) {
        let url: HTTPURL
        do {
            url = try HTTPURL(text)
        } catch {
            throw CodeForgeError(.invalidArgument, error.message.replacing("the URL", with: "base_url"))
        }
        guard url.query == nil else { throw CodeForgeError(.invalidArgument, "base_url has a query") }
        var path = Substring(url.path)
        while path.hasSuffix("/") { path.removeLast() }
        if path.hasSuffix(provider.apiPath) { path.removeLast(provider.apiPath.count) }
        while path.hasSuffix("/") { path.removeLast() }
        guard path.split(separator: "/").allSatisfy({ ForgeProject.isSegment(PercentEncoding.decoded($0)) }) else {
            throw CodeForgeError(.invalidArgument, "base_url has a malformed path")
        }
        var host = url.host.description
        var origin = url.origin
        // GitHub's cloud has its API at a host of its own.
        if provider == .github, host.hasPrefix("api."), host == "api.github.com" || host.hasSuffix(".ghe.com") {
            host.removeFirst("api.".count)
            origin = origin.replacing("://api.", with: "://", maxReplacements: 1)
        }
        if provider == .github, host == "github.com" { return nil }
        self.provider = provider
        self.host = host
        self.path = String(path)
        self.text = origin + path
    }

    /// Where the API is; no trailing slash.
    ///
    /// Source: GitHub documentation, "Getting started with the REST API" of Enterprise Server and of Enterprise Cloud
    /// with data residency; GitLab documentation, "REST API"; Sentry documentation, "API reference".
    package var apiURL: String {
        if provider == .github, host.hasSuffix(".ghe.com") {
            return text.replacing("://", with: "://api.", maxReplacements: 1)
        }
        return text + provider.apiPath
    }
}

extension KeyProvider {
    /// Path of the API below a self-hosted installation.
    package var apiPath: String {
        switch self {
        case .github: "/api/v3"
        case .gitlab: "/api/v4"
        case .sentry: "/api/0"
        }
    }
}
