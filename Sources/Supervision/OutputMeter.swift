import Domain
import Synchronization

/// Counts what a command writes, standard output and standard error together, and ends the run beyond the limit.
final class OutputMeter: Sendable {
    private let bytes = Atomic<Int>(0)
    private let limit: Int
    private let source: String
    private let control: RunControl

    init(_ spec: JobSpec, _ control: RunControl) {
        limit = spec.limits.outputBytes
        source = spec.source(
            setting: "sandbox.output_bytes", profileKey: "limits.output", ofProfile: spec.profile.limits.outputBytes,
            value: Int64(limit))
        self.control = control
    }

    /// - Returns: Whether all of it is still within the limit.
    @discardableResult func add(_ count: Int) -> Bool {
        let total = bytes.wrappingAdd(count, ordering: .relaxed).newValue
        if total <= limit { return true }
        control.stop(.limit(.output, "output limit of \(limit) bytes exceeded (\(source))"))
        return false
    }

    var gauge: SandboxStatus.Gauge { .init(now: Int64(bytes.load(ordering: .relaxed)), limit: Int64(limit)) }
}
