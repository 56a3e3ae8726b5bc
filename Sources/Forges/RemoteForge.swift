package import Domain

/// The forges out there.
package struct RemoteForge: Forge {
    private let transport: any HTTPTransport
    private let addresses: AddressRule

    package init(_ transport: any HTTPTransport, addresses: AddressRule) {
        self.transport = transport
        self.addresses = addresses
    }

    private func github(_ access: ForgeAccess) -> GitHubAPI { GitHubAPI(transport, addresses, access) }
    private func gitlab(_ access: ForgeAccess) -> GitLabAPI { GitLabAPI(transport, addresses, access) }

    package func account(_ access: ForgeAccess) async throws(ForgeError) -> ForgeAccount {
        switch access.provider {
        case .github: try await github(access).account()
        case .gitlab: try await gitlab(access).account()
        }
    }

    package func repositories(
        _ access: ForgeAccess, page: Int, perPage: Int
    ) async throws(ForgeError) -> [ForgeRepository] {
        switch access.provider {
        case .github: try await github(access).repositories(page: page, perPage: perPage)
        case .gitlab: try await gitlab(access).repositories(page: page, perPage: perPage)
        }
    }

    package func createPullRequest(
        _ draft: PullRequestDraft, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> PullRequestLink {
        switch access.provider {
        case .github: try await github(access).create(draft, in: project)
        case .gitlab: try await gitlab(access).create(draft, in: project)
        }
    }

    package func openPullRequest(
        from branch: String, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> PullRequestLink? {
        switch access.provider {
        case .github: try await github(access).open(from: branch, in: project)
        case .gitlab: try await gitlab(access).open(from: branch, in: project)
        }
    }

    package func pullRequest(
        _ number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> PullRequest {
        switch access.provider {
        case .github: try await github(access).pull(number, in: project)
        case .gitlab: try await gitlab(access).mergeRequest(number, in: project)
        }
    }

    package func permission(
        of user: ForgeUser, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> ForgePermission {
        switch access.provider {
        case .github: try await github(access).permission(of: user, in: project)
        case .gitlab: try await gitlab(access).permission(of: user, in: project)
        }
    }

    package func remarks(
        on number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> [ForgeRemark] {
        switch access.provider {
        case .github: try await github(access).reviews(of: number, in: project)
        case .gitlab: try await gitlab(access).discussions(of: number, in: project)
        }
    }

    package func changedFiles(
        of number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> [ChangedFile] {
        try await github(access).files(of: number, in: project)
    }

    package func submitReview(
        _ review: ReviewDraft, of number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> String {
        try await github(access).submit(review, of: number, in: project)
    }

    package func versions(
        of number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> [MergeRequestVersion] {
        try await gitlab(access).versions(of: number, in: project)
    }

    package func startDiscussion(
        _ body: String, at position: DiscussionPosition?, of number: Int, in project: ForgeProject,
        _ access: ForgeAccess
    ) async throws(ForgeError) {
        try await gitlab(access).discuss(body, at: position, of: number, in: project)
    }
}
