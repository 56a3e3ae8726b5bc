/// What a registered key opens.
package enum KeyProvider: String, Sendable, Hashable, CaseIterable {
    case github, gitlab, sentry

    /// `nil` for a service that holds no repositories.
    package var git: GitProvider? { GitProvider(rawValue: rawValue) }

    package init(_ git: GitProvider) { self = git == .github ? .github : .gitlab }

    /// Its name as people write it.
    package var title: String {
        switch self {
        case .github: "GitHub"
        case .gitlab: "GitLab"
        case .sentry: "Sentry"
        }
    }
}

extension GitProvider {
    /// Its name as people write it.
    package var title: String { KeyProvider(self).title }
}
