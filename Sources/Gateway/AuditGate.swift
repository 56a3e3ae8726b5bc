import Synchronization

/// Passes decisions on to the audit, but no flood of refusals: a client that is refused in a loop would fill the event
/// log with them. What was let through is bounded by the request limit and always reported, and so are the first few
/// refusals of each route and reason: a flood of harmless ones must not hide another.
final class AuditGate: Sendable {
    /// Refusals reported one by one in a minute.
    static let refusalsPerMinute = 120

    private struct Sort: Hashable {
        var route: GatewayDecision.Route
        var reason: String
    }

    /// Refusals of each sort that are always reported. Reasons are the gateway's own words, so there are few sorts.
    static let firsts = 3

    private let sink: @Sendable (GatewayDecision) -> Void
    private let limiter = RequestLimiter(perMinute: AuditGate.refusalsPerMinute)
    /// How many refusals were not reported since the last report, and the last of them.
    private let withheld = Mutex<(count: Int, last: GatewayDecision?)>((0, nil))

    private let sorts = Mutex<[Sort: Int]>([:])

    init(_ sink: @escaping @Sendable (GatewayDecision) -> Void) { self.sink = sink }

    func report(_ decision: GatewayDecision) {
        if !decision.allowed, limiter.take() != nil, !isFirst(decision) {
            return withheld.withLock { $0 = ($0.count + 1, decision) }
        }
        var decision = decision
        decision.suppressed = take().count
        sink(decision)
    }

    private func isFirst(_ decision: GatewayDecision) -> Bool {
        sorts.withLock { sorts in
            let sort = Sort(route: decision.route, reason: decision.reason)
            let count = sorts[sort, default: 0]
            if count < AuditGate.firsts { sorts[sort] = count + 1 }
            return count < AuditGate.firsts
        }
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
