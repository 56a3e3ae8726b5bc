/// The record of workspaces, and of what runs left in them. One process writes it.
public protocol WorkspaceStore: Sendable {
    /// Records a workspace that is being made; one of the same task stays as it is.
    func insert(_ workspace: Workspace) async throws(CodeForgeError)

    /// Records a workspace that was found on the disk: that of the task with this slug, if there is one.
    func adopt(slug: String) async throws(CodeForgeError)

    /// - Returns: `nil` when the task has none.
    func workspace(of taskID: String) async throws(CodeForgeError) -> Workspace?

    /// All of them, oldest first.
    func workspaces() async throws(CodeForgeError) -> [Workspace]

    /// Keeps a size with the workspace and a diff with the iteration, in place of earlier ones.
    func record(_ measurement: WorkspaceMeasurement) async throws(CodeForgeError)

    /// Forgets a workspace, not the diffs of its iterations.
    func remove(_ taskID: String) async throws(CodeForgeError)

    /// Sum of all sizes on record.
    func bytes() async throws(CodeForgeError) -> Int

    /// - Parameter iteration: `nil`: the latest that has one.
    func diff(of taskID: String, iteration: Int?) async throws(CodeForgeError) -> WorkspaceDiff?
}
