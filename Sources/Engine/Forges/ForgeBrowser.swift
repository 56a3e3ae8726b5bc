package import Domain

/// Lets clients look at repositories and issues with a key.
package struct ForgeBrowser: Sendable {
    /// Whose repositories.
    package enum Holder: Sendable {
        case key(String)
        case token(String, provider: String)
    }

    private let ring: KeyRing
    private let forge: any Forge
    private let issues: any IssueSource
    private let directory: ForgeDirectory

    package init(ring: KeyRing, forge: any Forge, issues: any IssueSource, directory: ForgeDirectory) {
        self.ring = ring
        self.forge = forge
        self.issues = issues
        self.directory = directory
    }

    /// - Parameters:
    ///   - page: 1-based.
    ///   - perPage: 1…100.
    /// - Throws: `.notFound` for an unknown key, `.invalidArgument` for a provider without repositories, `.upstream`.
    package func repositories(
        of holder: Holder, page: Int, perPage: Int
    ) async throws(CodeForgeError) -> (provider: GitProvider, repositories: [ForgeRepository]) {
        let access: ForgeAccess
        switch holder {
        case .key(let name):
            let opened = try await ring.key(named: name)
            guard let provider = opened.key.provider.git else { throw ForgeBrowser.noRepositories }
            access = ForgeAccess(provider: provider, apiURL: directory.apiURL(of: opened.key), token: opened.token)
        case .token(let token, let name):
            guard let provider = GitProvider(rawValue: name) else { throw ForgeBrowser.noRepositories }
            access = ForgeAccess(
                provider: provider, apiURL: directory.apiURL(of: KeyProvider(provider)), token: token)
        }
        do throws(ForgeError) {
            return (access.provider, try await forge.repositories(access, page: page, perPage: perPage))
        } catch {
            throw error.failure
        }
    }

    private static var noRepositories: CodeForgeError {
        CodeForgeError(.invalidArgument, "provider must be 'github' or 'gitlab'")
    }

    /// Asks Sentry with the first key of that name.
    ///
    /// - Returns: One JSON value, as it came.
    /// - Throws: `.notFound` for an unknown key, `.invalidArgument` for one of another provider, `.upstream`.
    package func issues(_ query: IssueQuery, key name: String) async throws(CodeForgeError) -> [UInt8] {
        let opened = try await ring.key(named: name)
        guard opened.key.provider == .sentry else {
            throw CodeForgeError(
                .invalidArgument, "key '\(name)' is a \(opened.key.provider.rawValue) key, not a sentry key")
        }
        do throws(ForgeError) {
            return try await issues.fetch(
                query, IssueAccess(apiURL: directory.apiURL(of: opened.key), token: opened.token))
        } catch {
            throw error.failure
        }
    }
}
