package import Domain
import Synchronization

/// Tokens in a dictionary.
package final class InMemoryTokenStore: TokenStore {
    private struct State {
        var tokens: [String: (token: APIToken, digest: [UInt8])] = [:]
        var last: Int64 = 0
    }

    private let state = Mutex(State())
    private let failure = Mutex<CodeForgeError?>(nil)

    package init() {}

    /// Makes every look-up fail from now on; `nil` ends that.
    package func fail(with error: CodeForgeError?) { failure.withLock { $0 = error } }

    package func insert(
        name: String, role: TokenRole, digest: [UInt8], at time: Timestamp
    ) async throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in
            guard state.tokens[name] == nil else {
                throw CodeForgeError(.conflict, "there is a token '\(name)' already")
            }
            state.last += 1
            state.tokens[name] = (APIToken(id: state.last, name: name, role: role, createdAt: time), digest)
        }
    }

    package func tokens() async throws(CodeForgeError) -> [APIToken] {
        state.withLock { $0.tokens.values.map(\.token).sorted { $0.name < $1.name } }
    }

    package func token(digest: [UInt8]) async throws(CodeForgeError) -> APIToken? {
        if let error = failure.withLock({ $0 }) { throw error }
        return state.withLock { $0.tokens.values.first { $0.digest == digest }?.token }
    }

    package func remove(name: String) async throws(CodeForgeError) {
        try state.withLock { state throws(CodeForgeError) in
            guard state.tokens.removeValue(forKey: name) != nil else {
                throw CodeForgeError(.notFound, "token '\(name)' not found")
            }
        }
    }
}

/// Receipts in a dictionary.
package final class InMemoryReceiptStore: ReceiptStore {
    private struct Place: Hashable {
        var scope: String
        var key: String
    }

    private let receipts = Mutex<[Place: Receipt]>([:])

    package init() {}

    package var count: Int { receipts.withLock { $0.count } }

    package func receipt(scope: String, key: String, now: Timestamp) async throws(CodeForgeError) -> Receipt? {
        receipts.withLock { $0[Place(scope: scope, key: key)].flatMap { $0.expiresAt > now ? $0 : nil } }
    }

    package func insert(_ receipt: Receipt) async throws(CodeForgeError) { try put(receipt) }

    func put(_ receipt: Receipt) throws(CodeForgeError) {
        try receipts.withLock { receipts throws(CodeForgeError) in
            let place = Place(scope: receipt.claim.scope, key: receipt.claim.key)
            if let old = receipts[place], old.expiresAt > receipt.createdAt {
                throw CodeForgeError(.conflict, "a request with this idempotency key was carried out already")
            }
            receipts[place] = receipt
        }
    }

    @discardableResult
    package func removeExpired(now: Timestamp) async throws(CodeForgeError) -> Int {
        receipts.withLock { receipts in
            let before = receipts.count
            receipts = receipts.filter { $0.value.expiresAt > now }
            return before - receipts.count
        }
    }
}
