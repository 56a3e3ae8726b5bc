import Synchronization

/// Passes decisions on to the audit, but no flood of refusals: a client that is refused in a loop would fill the event
/// log with them. What was let through is bounded by the request limit and always reported.
final class AuditGate: Sendable {
    /// Refusals reported one by one in a minute.
    static let refusalsPerMinute = 120

    private let sink: @Sendable (GatewayDecision) -> Void
    private let limiter = RequestLimiter(perMinute: AuditGate.refusalsPerMinute)
    private let suppressed = Mutex(0)

    init(_ sink: @escaping @Sendable (GatewayDecision) -> Void) { self.sink = sink }

    func report(_ decision: GatewayDecision) {
        if !decision.allowed, limiter.take() != nil { return suppressed.withLock { $0 += 1 } }
        var decision = decision
        decision.suppressed = suppressed.withLock { count in
            defer { count = 0 }
            return count
        }
        sink(decision)
    }
}
