/// Where workspaces and what belongs to them lie on this host. A slug and a task's id are names of files, never paths.
public protocol WorkspaceFiles: Sendable {
    /// Slugs of everything under the workspace base that may be a workspace.
    func slugs() async throws(CodeForgeError) -> Set<String>

    /// Ids of tasks that have a git directory or a home outside a volume.
    func taskIDs() async throws(CodeForgeError) -> Set<String>

    /// Ids of tasks with a state directory that nobody changed for so many seconds.
    func runs(unchangedFor seconds: Int) async throws(CodeForgeError) -> [String]

    /// Bytes the volume takes of the disk; `nil` without a volume.
    func volumeBytes(of slug: String) -> Int?

    /// Takes a workspace, and the git directory, home and state directory of its task, away from their places: from now
    /// on nobody finds them. Quick; what is not there is passed over.
    ///
    /// - Parameter slug: `nil`: the task has no workspace.
    func discard(slug: String?, taskID: String) throws(CodeForgeError)

    /// Likewise a state directory.
    func discardRun(of taskID: String) throws(CodeForgeError)

    /// Removes what was discarded, also by an earlier process. Takes its time.
    func removeDiscarded() async throws(CodeForgeError)
}
