/// Where a forge's API is, and who we are to it.
package struct ForgeAccess: Sendable, Hashable {
    package var provider: GitProvider
    /// Such as `https://api.github.com` or `https://gitlab.com/api/v4`; no trailing slash.
    package var apiURL: String
    /// `nil`: nobody.
    package var token: String?

    package init(provider: GitProvider, apiURL: String, token: String?) {
        self.provider = provider
        self.apiURL = apiURL
        self.token = token
    }
}

extension ForgeAccess: CustomStringConvertible {
    /// Without the token, so that a careless log line is still safe.
    package var description: String { "ForgeAccess(\(apiURL), token: \(token == nil ? "none" : "***"))" }
}

/// Where a Sentry is, and who we are to it.
package struct IssueAccess: Sendable, Hashable {
    /// Such as `https://sentry.io/api/0`; no trailing slash.
    package var apiURL: String
    package var token: String

    package init(apiURL: String, token: String) {
        self.apiURL = apiURL
        self.token = token
    }
}

extension IssueAccess: CustomStringConvertible {
    package var description: String { "IssueAccess(\(apiURL), token: ***)" }
}
