/// GitHub and GitLab over their REST APIs. `ForgeAccess` says which one, where, and as whom.
///
/// Every operation ends within 30 s, follows no redirect and reads at most 8 MiB.
package protocol Forge: Sendable {
    /// Whose token it is; 15 s at most, as the next ones.
    func account(_ access: ForgeAccess) async throws(ForgeError) -> ForgeAccount

    /// Repositories the token can see, the latest change first.
    ///
    /// - Parameters:
    ///   - page: 1-based.
    ///   - perPage: 1…100.
    func repositories(
        _ access: ForgeAccess, page: Int, perPage: Int
    ) async throws(ForgeError) -> [ForgeRepository]

    /// Opens a pull or merge request. That its label can't be set is no error.
    func createPullRequest(
        _ draft: PullRequestDraft, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> PullRequestLink

    /// The open pull or merge request from `branch` of the same repository, the newest if there are several.
    func openPullRequest(
        from branch: String, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> PullRequestLink?

    func pullRequest(
        _ number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> PullRequest

    /// What `user` may do; `.none` for somebody the forge does not know there.
    func permission(
        of user: ForgeUser, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> ForgePermission

    /// What was said in reviews (GitHub) or discussions (GitLab) of a pull request; 3000 at most. 30 s for each page of
    /// 100.
    func remarks(
        on number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> [ForgeRemark]

    // MARK: GitHub alone

    /// All files of a pull request; GitHub lists 3000 at most. 30 s for each page of 100.
    func changedFiles(
        of number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> [ChangedFile]

    /// - Returns: The review's URL for people.
    /// - Throws: Status 422 when a comment's line is not in the diff.
    func submitReview(
        _ review: ReviewDraft, of number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> String

    // MARK: GitLab alone

    /// Versions of a merge request, the latest first.
    func versions(
        of number: Int, in project: ForgeProject, _ access: ForgeAccess
    ) async throws(ForgeError) -> [MergeRequestVersion]

    /// - Parameter position: `nil`: about the merge request as a whole.
    func startDiscussion(
        _ body: String, at position: DiscussionPosition?, of number: Int, in project: ForgeProject,
        _ access: ForgeAccess
    ) async throws(ForgeError)
}
