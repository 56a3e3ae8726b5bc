package import Domain

/// A key as a client wants it registered.
package struct KeyDraft: Sendable {
    package var name: String
    package var provider: String
    package var token: String
    package var scope: String
    package var baseURL: String?

    package init(name: String, provider: String, token: String, scope: String = "", baseURL: String? = nil) {
        self.name = name
        self.provider = provider
        self.token = token
        self.scope = scope
        self.baseURL = baseURL
    }
}

/// What the provider says about a key.
package struct KeyCheck: Sendable, Hashable {
    package var name: String
    package var provider: KeyProvider
    package var account: ForgeAccount
    /// `nil`: the token is good.
    package var error: String?
}

/// What clients may do to registered keys.
package struct KeyService: Sendable {
    private let ring: KeyRing
    private let forge: any Forge
    private let issues: any IssueSource
    private let directory: ForgeDirectory
    private let addresses: AddressRule
    private let clock: any WallClock

    /// - Parameter addresses: The rule requests to forges are under; says where plain `http` is allowed.
    package init(
        ring: KeyRing, forge: any Forge, issues: any IssueSource, directory: ForgeDirectory, addresses: AddressRule,
        clock: any WallClock
    ) {
        self.ring = ring
        self.forge = forge
        self.issues = issues
        self.directory = directory
        self.addresses = addresses
        self.clock = clock
    }

    /// - Throws: `.invalidArgument` for what can't be a key, `.conflict` when it is there.
    package func register(_ draft: KeyDraft) async throws(CodeForgeError) -> RegisteredKey {
        guard !draft.name.isEmpty, !draft.provider.isEmpty, !draft.token.isEmpty else {
            throw CodeForgeError(.invalidArgument, "name, provider, and token are required")
        }
        try NameRule.check(draft.name)
        guard let provider = KeyProvider(rawValue: draft.provider) else {
            throw CodeForgeError(.invalidArgument, "provider must be 'github', 'gitlab', or 'sentry'")
        }
        // Anything else can't go into a header, or is a mistake made when it was pasted.
        guard draft.token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw CodeForgeError(.invalidArgument, "token must be visible ASCII characters without spaces")
        }
        let key = RegisteredKey(
            name: draft.name, provider: provider, scope: draft.scope, base: try base(draft.baseURL, of: provider),
            createdAt: clock.now())
        guard try await ring.add(key, token: draft.token) else {
            throw CodeForgeError(
                .conflict, "key '\(key.name)' already exists for provider '\(provider.rawValue)'")
        }
        return key
    }

    private func base(_ text: String?, of provider: KeyProvider) throws(CodeForgeError) -> ForgeBase? {
        guard let text, !text.isEmpty, let base = try ForgeBase(text, provider: provider) else { return nil }
        let url = try HTTPURL(base.text)
        guard url.isSecure || addresses.excepts(url.host, port: url.port) else {
            throw CodeForgeError(
                .invalidArgument,
                "base_url must be https; http is for hosts that gateway.allow_private_hosts names")
        }
        if case .address(let address) = url.host, !addresses.permits(address, host: url.host, port: url.port) {
            throw CodeForgeError(
                .invalidArgument,
                "base_url is \(address.kind.phrase); name the host in gateway.allow_private_hosts to allow it")
        }
        return base
    }

    /// In the order of their creation.
    package func list() async throws(CodeForgeError) -> [RegisteredKey] { try await ring.store.keys() }

    /// Removes every provider's key of that name.
    ///
    /// - Throws: `.notFound`.
    package func remove(_ name: String) async throws(CodeForgeError) {
        guard try await ring.store.remove(named: name) > 0 else { throw KeyRing.unknown(name) }
    }

    /// Asks the provider about the first key of that name.
    ///
    /// - Throws: `.notFound`; `.cancelled` when the caller is.
    package func verify(_ name: String) async throws(CodeForgeError) -> KeyCheck {
        let opened = try await ring.key(named: name)
        var check = KeyCheck(
            name: name, provider: opened.key.provider, account: ForgeAccount(username: ""), error: nil)
        do throws(ForgeError) {
            check.account = try await account(opened)
        } catch {
            check.error =
                switch error.reason {
                case .status(401), .status(403): "invalid or expired token"
                case .status(let status): "unexpected status \(status)"
                case .limited, .unreadable: error.message
                case .unreachable: "connection failed"
                case .cancelled: throw error.failure
                }
        }
        return check
    }

    private func account(_ opened: OpenedKey) async throws(ForgeError) -> ForgeAccount {
        let api = directory.apiURL(of: opened.key)
        if let provider = opened.key.provider.git {
            return try await forge.account(ForgeAccess(provider: provider, apiURL: api, token: opened.token))
        }
        let count = try await issues.organizationCount(IssueAccess(apiURL: api, token: opened.token))
        return ForgeAccount(username: "", scopes: count == 0 ? "" : "\(count) organization(s)")
    }
}
