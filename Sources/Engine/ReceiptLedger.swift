package import Domain
import Logging
import ServiceLifecycle
import Synchronization

/// Lets a request that names itself be carried out once, and gives its answer again when it comes again.
///
/// What is under way is known to this process alone; what was carried out is on record. So a crash leaves nothing that
/// would have to be cleared: either the request's effect and its answer are both on record, or neither is.
///
/// As a service it forgets what has expired, at the start and once an hour.
package final class ReceiptLedger: Service {
    package enum Beginning: Sendable, Equatable {
        /// Carry it out, then call `end`.
        case begun
        case replay(Receipt)
        /// The key names another request.
        case mismatch
        /// The same key is being worked on.
        case inFlight
    }

    private struct Place: Hashable {
        var scope: String
        var key: String

        init(_ claim: ReceiptClaim) { (scope, key) = (claim.scope, claim.key) }
    }

    private let store: any ReceiptStore
    private let clock: any WallClock
    private let lifetime: Duration
    private let inFlight = Mutex<Set<Place>>([])

    /// - Parameter lifetime: How long an answer is given again.
    package init(store: any ReceiptStore, clock: any WallClock, lifetime: Duration) {
        self.store = store
        self.clock = clock
        self.lifetime = lifetime
    }

    package func begin(_ claim: ReceiptClaim) async throws(CodeForgeError) -> Beginning {
        // Taken before the record is read: of two that come together, one finds the other here or its answer there.
        guard inFlight.withLock({ $0.insert(Place(claim)).inserted }) else { return .inFlight }
        do throws(CodeForgeError) {
            guard let known = try await store.receipt(scope: claim.scope, key: claim.key, now: clock.now()) else {
                return .begun
            }
            end(claim)
            return known.claim.fingerprint == claim.fingerprint ? .replay(known) : .mismatch
        } catch {
            end(claim)
            throw error
        }
    }

    /// The request is over, whatever came of it.
    package func end(_ claim: ReceiptClaim) { _ = inFlight.withLock { $0.remove(Place(claim)) } }

    /// The answer to `claim`, given now.
    package func receipt(_ claim: ReceiptClaim, status: Int, body: [UInt8]) -> Receipt {
        let now = clock.now()
        let (seconds, attoseconds) = lifetime.components
        return Receipt(
            claim: claim, status: status, body: body, createdAt: now,
            expiresAt: Timestamp(nanoseconds: now.nanoseconds + seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.removeExpired()
                try? await Task.sleep(for: .seconds(3600))  // cancelled: the loop ends
            }
        }
    }

    func removeExpired() async {
        do throws(CodeForgeError) {
            try await store.removeExpired(now: clock.now())
        } catch {
            Logger.current.warning("expired idempotency keys not removed", metadata: ["error": "\(error)"])
        }
    }
}
