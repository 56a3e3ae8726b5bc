package import Domain
import Logging
import ServiceLifecycle
import Synchronization

/// The one way into and out of the audit: puts records on it once, counts what is new, and tells who follows it.
///
/// As a service it forgets what is too old, at the start and once a day.
package final class AuditTrail: Service {
    private struct Followers {
        /// By sandbox, then by follower.
        var wakers: [String: [UInt64: @Sendable () -> Void]] = [:]
        var next: UInt64 = 0
    }

    private let store: any AuditStore
    private let clock: any WallClock
    /// Days a record is kept.
    private let days: Int
    private let followers = Mutex(Followers())

    package init(store: any AuditStore, clock: any WallClock, days: Int) {
        self.store = store
        self.clock = clock
        self.days = days
    }

    /// Durable when it returns; the same records may come again.
    package func append(_ batches: [AuditBatch]) async throws(CodeForgeError) {
        let new = try await store.append(batches)
        guard !new.isEmpty else { return }
        SandboxMetrics.count(new)
        let sandboxes = Set(new.map(\.sandbox))
        let wakers = followers.withLock { followers in sandboxes.flatMap { followers.wakers[$0, default: [:]].values } }
        for wake in wakers { wake() }
    }

    package func entries(_ query: AuditQuery) async throws(CodeForgeError) -> [AuditEntry] {
        try await store.entries(query)
    }

    /// Calls `onNews` after each append that brought something new of that sandbox, as long as somebody has what this
    /// gives.
    ///
    /// - Parameter onNews: Called from anywhere; must not block.
    package func follow(_ sandbox: String, onNews: @escaping @Sendable () -> Void) -> Follower {
        let id = followers.withLock { followers in
            followers.next += 1
            followers.wakers[sandbox, default: [:]][followers.next] = onNews
            return followers.next
        }
        return Follower { [weak self] in
            self?.followers.withLock { followers in
                followers.wakers[sandbox]?[id] = nil
                if followers.wakers[sandbox]?.isEmpty == true { followers.wakers[sandbox] = nil }
            }
        }
    }

    /// Somebody who is told of a sandbox's new records.
    package final class Follower: Sendable {
        private let onEnd: @Sendable () -> Void

        fileprivate init(onEnd: @escaping @Sendable () -> Void) { self.onEnd = onEnd }

        deinit { onEnd() }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.removeOld()
                try? await Task.sleep(for: .seconds(86_400))  // cancelled: the loop ends
            }
        }
    }

    func removeOld() async {
        let border = Timestamp(nanoseconds: clock.now().nanoseconds - Int64(days) * 86_400 * 1_000_000_000)
        do throws(CodeForgeError) {
            let count = try await store.remove(before: border)
            if count > 0 { Logger.current.info("old audit records removed", metadata: ["count": "\(count)"]) }
        } catch {
            Logger.current.warning("old audit records not removed", metadata: ["error": "\(error)"])
        }
    }
}
