package import Domain
import Logging

/// A repository's place on a forge.
package struct ForgePlace: Sendable, Hashable {
    package var provider: GitProvider
    /// Lower-case host of the repository.
    package var host: String
    /// No trailing slash.
    package var apiURL: String
    package var project: ForgeProject
}

/// What git needs to read a repository over HTTP.
package struct GitCredential: Sendable, Hashable, CustomStringConvertible {
    /// `nil`: none was said.
    package var user: String?
    package var token: String

    package var description: String { "GitCredential(***)" }
}

/// The one place that decides which token goes where.
///
/// A task's own token goes to the task's repository. A registered key goes only to a repository of its own provider:
/// with a `base_url` on that host alone, without one on the public hosts and those of `git.provider_domains`. The
/// service's own tokens go where a key without a `base_url` would.
package struct CredentialResolver: Sendable {
    private let directory: ForgeDirectory
    private let ring: KeyRing
    private let secrets: any TaskSecretStore

    package init(_ directory: ForgeDirectory, ring: KeyRing, secrets: any TaskSecretStore) {
        self.directory = directory
        self.ring = ring
        self.secrets = secrets
    }

    /// What is known of the host a repository is on.
    private struct Host {
        var provider: GitProvider
        /// The installation a key speaks of; `nil`: the public one, or one of the configuration.
        var base: ForgeBase?
        /// Whether the configuration, not only a key, knows the host.
        var isConfigured: Bool
    }

    private func host(of url: RepositoryURL, key name: String?) async throws(CodeForgeError) -> Host? {
        guard url.scheme != .file else { return nil }
        let configured = GitProvider(host: url.host, domains: directory.providerDomains)
        var here = try await ring.store.keys().filter { $0.base?.host == url.host && $0.provider.git != nil }
        if let configured { here.removeAll { $0.provider.git != configured } }
        // Several installations on one host: the task's own key tells, then the port, then the oldest key.
        let key = here.first { $0.name == name } ?? here.first { $0.base?.hasPort(of: url) == true } ?? here.first
        guard let provider = configured ?? key?.provider.git else { return nil }
        return Host(provider: provider, base: key?.base, isConfigured: configured != nil)
    }

    /// The forge a task's repository is on; `nil` for a host nobody told us about, and for local repositories.
    package func provider(of task: CodeTask) async throws(CodeForgeError) -> GitProvider? {
        guard let url = RepositoryURL(task.repoURL) else { return nil }
        return try await host(of: url, key: task.providerKey)?.provider
    }

    /// Where a task's repository is.
    ///
    /// - Returns: `nil` for a host nobody told us about, and for local repositories.
    /// - Throws: `.invalidArgument` when owner and name can't be told.
    package func place(of task: CodeTask) async throws(CodeForgeError) -> ForgePlace? {
        guard let url = RepositoryURL(task.repoURL), let host = try await host(of: url, key: task.providerKey) else {
            return nil
        }
        var path = Substring(url.path)
        if let prefix = host.base?.path, path.hasPrefix(prefix + "/") { path = path.dropFirst(prefix.count) }
        guard let project = ForgeProject(path: path, on: host.provider) else {
            throw CodeForgeError(
                .invalidArgument, "cannot extract owner/repo from \(RepositoryURL.masked(task.repoURL))")
        }
        let api = host.base?.apiURL ?? directory.apiURL(of: host.provider, host: url.host)
        return ForgePlace(provider: host.provider, host: url.host, apiURL: api, project: project)
    }

    /// The credential of a task's repository: the task's token, else the key it names, else what its URL says, else the
    /// service's own; `nil` without any.
    package func git(for task: CodeTask) async throws(CodeForgeError) -> GitCredential? {
        try await git(for: task, secrets: try await secrets.secrets(of: task.id))
    }

    func git(for task: CodeTask, secrets: TaskSecrets) async throws(CodeForgeError) -> GitCredential? {
        guard let url = RepositoryURL(task.repoURL), url.scheme != .file else {
            return secrets.accessToken.map { GitCredential(user: $0, token: $0) }
        }
        let host = try await host(of: url, key: task.providerKey)
        if let token = secrets.accessToken {
            // An unknown forge gets the token wherever it looks, as an askpass helper would answer.
            return GitCredential(user: host?.provider.tokenUser ?? token, token: token)
        }
        if let name = task.providerKey, let host, let token = try await token(of: name, on: url, host) {
            return GitCredential(user: host.provider.tokenUser, token: token)
        }
        if let password = url.password ?? url.user { return GitCredential(user: url.user, token: password) }
        guard let host, host.isConfigured, let own = directory.tokens[host.provider] else { return nil }
        return GitCredential(user: host.provider.tokenUser, token: own)
    }

    /// That a key can't be had is logged alone: the clone then goes on without, and says so if that is not enough.
    private func token(
        of name: String, on url: RepositoryURL, _ host: Host
    ) async throws(CodeForgeError) -> String? {
        do throws(CodeForgeError) {
            return try await ring.first(named: name) { CredentialResolver.opens($0, url, host) }?.token
        } catch {
            Logger.current.warning(
                "key not used", metadata: ["key": "\(name)", "error": "\(error.message)"])
            return nil
        }
    }

    private static func opens(_ key: RegisteredKey, _ url: RepositoryURL, _ host: Host) -> Bool {
        guard key.provider.git == host.provider else { return false }
        return key.base.map { $0.host == url.host } ?? host.isConfigured
    }

    /// Access to the API of `place` with the credential of `git(for:)`; `nil` without any.
    package func access(for task: CodeTask, at place: ForgePlace) async throws(CodeForgeError) -> ForgeAccess? {
        try await git(for: task).map { ForgeAccess(provider: place.provider, apiURL: place.apiURL, token: $0.token) }
    }

    /// Whether the task itself brought a token, or names a key that there is; where it may go is not asked yet.
    ///
    /// - Throws: `.invalidArgument` when it did not.
    package func checkOwnCredential(of task: CodeTask) async throws(CodeForgeError) {
        if try await secrets.secrets(of: task.id).accessToken != nil { return }
        guard let name = task.providerKey else { throw CredentialResolver.noCredential }
        guard try await ring.store.keys(named: name).isEmpty else { return }
        throw CodeForgeError(.invalidArgument, "failed to resolve provider key: \(KeyRing.unknown(name).message)")
    }

    private static let noCredential = CodeForgeError(
        .invalidArgument, "no access token available: the task has neither a token nor a key")

    /// Access with what the task itself brought: its token, else the key it names. For posting a review on request.
    ///
    /// - Throws: `.invalidArgument` when there is none, or the key is for another forge.
    package func ownAccess(for task: CodeTask, at place: ForgePlace) async throws(CodeForgeError) -> ForgeAccess {
        if let token = try await secrets.secrets(of: task.id).accessToken {
            return ForgeAccess(provider: place.provider, apiURL: place.apiURL, token: token)
        }
        guard let name = task.providerKey else { throw CredentialResolver.noCredential }
        func failure(_ why: String) -> CodeForgeError {
            CodeForgeError(.invalidArgument, "failed to resolve provider key: \(why)")
        }
        guard let url = RepositoryURL(task.repoURL), let host = try await host(of: url, key: name) else {
            throw failure("the host of the repository is of no known provider")
        }
        guard let key = try await ring.first(named: name, where: { CredentialResolver.opens($0, url, host) }) else {
            guard let other = try await ring.store.keys(named: name).first?.key else {
                throw failure(KeyRing.unknown(name).message)
            }
            let whose = other.base.map { "for \($0.text)" } ?? "a \(other.provider.rawValue) key"
            throw failure("key '\(name)' is \(whose), the repository is on \(place.host)")
        }
        return ForgeAccess(provider: place.provider, apiURL: place.apiURL, token: key.token)
    }

    /// The first key of that name, of any provider.
    ///
    /// - Throws: `.notFound` (`key '<name>' not found`).
    package func key(named name: String) async throws(CodeForgeError) -> OpenedKey {
        try await ring.key(named: name)
    }

    /// The key of that name for a tool: of the tool's own provider when there is one, else the first.
    ///
    /// - Throws: As `key(named:)`.
    package func key(named name: String, forTool tool: String?) async throws(CodeForgeError) -> OpenedKey {
        if let provider = tool.flatMap({ KeyProvider(rawValue: $0) }),
            let key = try await ring.first(named: name, where: { $0.provider == provider })
        {
            return key
        }
        return try await ring.key(named: name)
    }

    /// The first key of that name that may go to `url`, whoever chose that.
    ///
    /// - Throws: `.notFound` (`key '<name>' not found`); `.forbidden` when it is for another place.
    package func key(named name: String, for url: HTTPURL) async throws(CodeForgeError) -> OpenedKey {
        if let key = try await ring.first(named: name, where: { directory.mayReceive($0, url) }) { return key }
        guard let other = try await ring.store.keys(named: name).first?.key else { throw KeyRing.unknown(name) }
        throw CodeForgeError(
            .forbidden,
            "key '\(name)' is for \(other.base?.text ?? directory.apiURL(of: other.provider)) and is not sent to "
                + url.origin)
    }
}

extension ForgeBase {
    fileprivate func hasPort(of url: RepositoryURL) -> Bool {
        guard let own = try? HTTPURL(text) else { return false }
        return Int(own.port) == url.port ?? (url.scheme == .http ? 80 : 443)
    }
}
