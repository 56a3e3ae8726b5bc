/// A ceiling that ends a run, by the name it has in task errors, audit records and metrics.
public enum SandboxLimit: String, Sendable, Codable, CaseIterable {
    case memory, processes, disk, output
    /// What may be written over the image, to `/tmp`, to `/dev/shm`, and to a home that is not kept; bytes or files.
    case overlay, tmp, shm, home
    /// The largest single file.
    case fileSize = "file_size"
    case openFiles = "open_files"
    /// The task's own timeout.
    case wallClock = "wall_clock"
    /// No first line of output.
    case firstLine = "first_line"
    /// Silence between two lines.
    case silence
    /// Still alive after its result line.
    case afterResult = "after_result"
    /// Requests, bytes or tokens of the gateway.
    case gateway

    /// Whether it waits for signs of life instead of measuring use.
    public var isWatchdog: Bool { [.firstLine, .silence, .afterResult].contains(self) }
}
