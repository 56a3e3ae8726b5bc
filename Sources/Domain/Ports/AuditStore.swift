/// The record of what sandboxes did, tried and had done to them. One process writes it.
public protocol AuditStore: Sendable {
    /// Durable when it returns, all or nothing. A record whose run and number are on record already is left as it was.
    ///
    /// - Returns: The records that are new, in the order given.
    @discardableResult
    func append(_ batches: [AuditBatch]) async throws(CodeForgeError) -> [AuditRecord]

    /// One page in the order of writing.
    func entries(_ query: AuditQuery) async throws(CodeForgeError) -> [AuditEntry]

    /// Forgets records that are older than `time`.
    ///
    /// - Returns: Their number.
    @discardableResult
    func remove(before time: Timestamp) async throws(CodeForgeError) -> Int
}

extension AuditStore {
    /// Appends records of one run.
    @discardableResult
    public func append(_ records: [AuditRecord], of run: RunID) async throws(CodeForgeError) -> [AuditRecord] {
        try await append([AuditBatch(run: run, records: records)])
    }
}

/// Records of one run, in the order of their numbers.
public struct AuditBatch: Sendable, Hashable {
    public var run: RunID
    public var records: [AuditRecord]

    public init(run: RunID, records: [AuditRecord]) {
        self.run = run
        self.records = records
    }
}

/// A record with its place.
public struct AuditEntry: Sendable, Hashable {
    /// Grows with each entry and is never used again; orders entries of all runs and names a place to go on after.
    public var id: Int64
    public var run: RunID
    public var record: AuditRecord

    public init(id: Int64, run: RunID, record: AuditRecord) {
        self.id = id
        self.run = run
        self.record = record
    }
}

/// Which entries, and how many.
public struct AuditQuery: Sendable, Hashable {
    public enum Scope: Sendable, Hashable {
        case task(String)
        /// One iteration of a task, all its attempts.
        case iteration(task: String, Int)
        case sandbox(String)
    }

    public var scope: Scope
    /// `nil`: every kind.
    public var kind: AuditRecord.Kind?
    /// `nil`: every verdict.
    public var verdict: AuditRecord.Verdict?
    /// Only entries after the one of this id.
    public var after: Int64
    /// Longest page, ≥ 1.
    public var limit: Int

    public init(
        _ scope: Scope, kind: AuditRecord.Kind? = nil, verdict: AuditRecord.Verdict? = nil, after: Int64 = 0,
        limit: Int = 100
    ) {
        self.scope = scope
        self.kind = kind
        self.verdict = verdict
        self.after = after
        self.limit = limit
    }
}
