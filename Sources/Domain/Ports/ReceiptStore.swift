/// A request that must be carried out once, however often it comes.
public struct ReceiptClaim: Sendable, Hashable {
    /// Whose request it is; each scope has keys of its own.
    public var scope: String
    /// What the client named it.
    public var key: String
    /// Digest of what was asked for.
    public var fingerprint: [UInt8]

    public init(scope: String, key: String, fingerprint: [UInt8]) {
        self.scope = scope
        self.key = key
        self.fingerprint = fingerprint
    }
}

/// What such a request was answered.
public struct Receipt: Sendable, Hashable {
    public var claim: ReceiptClaim
    /// HTTP status.
    public var status: Int
    /// JSON.
    public var body: [UInt8]
    public var createdAt: Timestamp
    public var expiresAt: Timestamp

    public init(claim: ReceiptClaim, status: Int, body: [UInt8], createdAt: Timestamp, expiresAt: Timestamp) {
        self.claim = claim
        self.status = status
        self.body = body
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// The record of answers that are given again. `TaskStore.insert` writes one together with its task.
public protocol ReceiptStore: Sendable {
    /// - Returns: `nil` when there is none, or none that is still good at `now`.
    func receipt(scope: String, key: String, now: Timestamp) async throws(CodeForgeError) -> Receipt?

    /// Durable when it returns. Replaces one that has expired.
    ///
    /// - Throws: `.conflict` when there is one that is still good.
    func insert(_ receipt: Receipt) async throws(CodeForgeError)

    /// Removes what has expired.
    ///
    /// - Returns: How many those were.
    @discardableResult
    func removeExpired(now: Timestamp) async throws(CodeForgeError) -> Int
}
