import Domain

/// Says when a CLI has shown no sign of life for too long. CLIs are known to hang before their first line, between
/// lines, and after their result line.
///
/// All times are seconds of activity since the start: paused ones do not count.
struct Watchdog {
    enum Verdict: Equatable {
        /// Look again after this many seconds.
        case wait(Double)
        /// `.firstLine`, `.silence` or `.afterResult`.
        case fired(SandboxLimit)
        /// Nothing is watched for.
        case idle
    }

    private let limits: JobSpec.Watchdogs
    private var lastLine: Double?
    private var sawResult = false

    init(_ limits: JobSpec.Watchdogs) { self.limits = limits }

    /// A line came. One after the result line is a sign of life like any other.
    mutating func line(at now: Double, sawResult: Bool) {
        lastLine = now
        if sawResult { self.sawResult = true }
    }

    func verdict(at now: Double) -> Verdict {
        let (limit, due) = next
        guard let limit, let due else { return .idle }
        return now >= due ? .fired(limit) : .wait(due - now)
    }

    private var next: (SandboxLimit?, due: Double?) {
        guard let lastLine else { return limits.firstLine > 0 ? (.firstLine, limits.firstLine) : (nil, nil) }
        if sawResult, limits.afterResult > 0 { return (.afterResult, lastLine + limits.afterResult) }
        return limits.silence > 0 ? (.silence, lastLine + limits.silence) : (nil, nil)
    }
}
