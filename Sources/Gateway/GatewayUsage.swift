import Domain
import Synchronization

/// What went through one gateway so far.
package struct GatewayUsage: Sendable, Equatable {
    /// Refused ones included.
    package var requests = 0
    /// Bytes taken from the sandbox: heads of requests that were let through, bodies, tunnels.
    package var bytesOut: Int64 = 0
    /// Body and tunnel bytes passed to the sandbox.
    package var bytesIn: Int64 = 0
    /// Model tokens read and written. An answer of a model without a count is charged by its size.
    package var tokens = 0
    package var openConnections = 0

    package init() {}
}

/// Keeps the accounts of a gateway, and says when one of them is used up. Nobody is killed for it: what comes after is
/// refused with the reason.
final class Ledger: Sendable {
    private let limits: SandboxProfile.GatewayLimits
    private let rate: RequestLimiter
    private let state = Mutex(GatewayUsage())
    /// Bytes of bodies that wait to be looked through, all connections together.
    private let held = Mutex(0)

    init(_ limits: SandboxProfile.GatewayLimits) {
        self.limits = limits
        rate = RequestLimiter(perMinute: limits.requestsPerMinute)
    }

    var usage: GatewayUsage { state.withLock { $0 } }

    /// - Returns: Whether there is room for another connection; it is counted either way, until `closed()`.
    func opened() -> Bool {
        state.withLock { usage in
            usage.openConnections += 1
            return usage.openConnections <= limits.connections
        }
    }

    func closed() { state.withLock { $0.openConnections -= 1 } }

    /// Counts a request, and refuses it when there may be no more.
    func takeRequest() throws(Refusal) {
        let refusal: Refusal? = state.withLock { usage in
            usage.requests += 1
            if usage.requests > limits.requests { return .budgetExceeded("requests", limit: Int64(limits.requests)) }
            if limits.tokens > 0, usage.tokens >= limits.tokens {
                return .budgetExceeded("tokens", limit: Int64(limits.tokens))
            }
            return exhausted(usage, out: 1, in: 1)
        }
        if let refusal { throw refusal }
        if let seconds = rate.take() { throw Refusal.rateLimited(seconds: seconds) }
    }

    /// Whether a body of `count` bytes may be sent.
    func checkRoom(out count: Int) throws(Refusal) {
        if let refusal = state.withLock({ exhausted($0, out: Int64(count), in: 0) }) { throw refusal }
    }

    /// Counts bytes that leave the sandbox; refused ones are not counted.
    func take(out count: Int) throws(Refusal) { try take(out: Int64(count), in: 0) }

    /// Counts bytes on their way into the sandbox.
    func take(in count: Int) throws(Refusal) { try take(out: 0, in: Int64(count)) }

    private func take(out: Int64, in: Int64) throws(Refusal) {
        let refusal = state.withLock { usage in
            if let refusal = exhausted(usage, out: out, in: `in`) { return Optional(refusal) }
            usage.bytesOut += out
            usage.bytesIn += `in`
            return nil
        }
        if let refusal { throw refusal }
    }

    /// Counts bytes that are held in memory; the caller gives them back.
    func hold(_ count: Int, within limit: Int) throws(Refusal) {
        let fits = held.withLock { held in
            guard held + count <= limit else { return false }
            held += count
            return true
        }
        guard fits else { throw Refusal.tooMuchAtOnce }
    }

    func giveBack(_ count: Int) { held.withLock { $0 -= count } }

    func add(tokens: Int) {
        state.withLock { usage in
            let (sum, overflow) = usage.tokens.addingReportingOverflow(max(0, tokens))
            usage.tokens = overflow ? .max : sum
        }
    }

    private func exhausted(_ usage: GatewayUsage, out: Int64, in: Int64) -> Refusal? {
        if out > 0, usage.bytesOut + out > limits.requestBytes {
            return .budgetExceeded("request_bytes", limit: limits.requestBytes)
        }
        if `in` > 0, usage.bytesIn + `in` > limits.responseBytes {
            return .budgetExceeded("response_bytes", limit: limits.responseBytes)
        }
        return nil
    }
}
