import Synchronization

/// Passes decisions on to the audit, but no flood of refusals: a client that is refused in a loop would fill the event
/// log with them. What was let through is bounded by the request limit and always reported.
final class AuditGate: Sendable {
    /// Refusals reported one by one in a minute.
    static let refusalsPerMinute = 120

    private let sink: @Sendable (GatewayDecision) -> Void
    private let limiter = RequestLimiter(perMinute: AuditGate.refusalsPerMinute)
    /// How many refusals were not reported since the last report, and the last of them.
    private let withheld = Mutex<(count: Int, last: GatewayDecision?)>((0, nil))

    init(_ sink: @escaping @Sendable (GatewayDecision) -> Void) { self.sink = sink }

    func report(_ decision: GatewayDecision) {
        if !decision.allowed, limiter.take() != nil {
            return withheld.withLock { $0 = ($0.count + 1, decision) }
        }
        var decision = decision
        decision.suppressed = take().count
        sink(decision)
    }

    /// Reports the last refusal that was withheld, and with it how many were before: nobody comes after to tell of them.
    func close() {
        let (count, last) = take()
        guard var last else { return }
        last.suppressed = count - 1
        sink(last)
    }

    private func take() -> (count: Int, last: GatewayDecision?) {
        withheld.withLock { withheld in
            defer { withheld = (0, nil) }
            return withheld
        }
    }
}
