/// A ceiling that ends a run, by the name it has in task errors, audit records and metrics.
public enum SandboxLimit: String, Sendable, Codable, CaseIterable {
    case memory, processes, disk, output
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
