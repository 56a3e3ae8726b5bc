/// How the files of a task are kept on the host.
public enum WorkspaceForm: String, Sendable, Codable, CaseIterable {
    /// An ext4 file system of fixed size in one file, which only the task's supervisor mounts: hard limits.
    case volume
    /// Plain directories: bounded by a supervisor that looks every few seconds.
    case directory

    /// Ends the name of a volume's file; no slug has a dot.
    public static let volumeSuffix = ".ext4"
}
