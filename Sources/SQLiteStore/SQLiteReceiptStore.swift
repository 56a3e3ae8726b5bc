package import Domain
import FoundationEssentials
import GRDB

/// Answers that are given again, in SQLite.
package final class SQLiteReceiptStore: ReceiptStore {
    private let database: TaskDatabase

    /// Rows removed in one transaction, so that other writers wait milliseconds only.
    private static let removedAtOnce = 5000

    package init(_ database: TaskDatabase) { self.database = database }

    package func receipt(scope: String, key: String, now: Timestamp) async throws(CodeForgeError) -> Receipt? {
        do {
            return try await database.pool.read { db in
                try Row.fetchOne(
                    db, sql: "SELECT * FROM receipts WHERE scope = ? AND key = ? AND expires_at > ?",
                    arguments: [scope, key, now.nanoseconds]
                ).map { row in
                    Receipt(
                        claim: ReceiptClaim(scope: scope, key: key, fingerprint: Array(row["fingerprint"] as Data)),
                        status: row["status"], body: Array(row["body"] as Data),
                        createdAt: Timestamp(nanoseconds: row["created_at"]),
                        expiresAt: Timestamp(nanoseconds: row["expires_at"]))
                }
            }
        } catch { throw portError("read a receipt", error) }
    }

    package func insert(_ receipt: Receipt) async throws(CodeForgeError) {
        do {
            try await database.writes.write { db in try SQLiteReceiptStore.insert(receipt, db) }
        } catch { throw portError("insert a receipt", error) }
    }

    @discardableResult
    package func removeExpired(now: Timestamp) async throws(CodeForgeError) -> Int {
        var total = 0
        while true {
            let removed: Int
            do {
                removed = try await database.writes.write { db in
                    try db.execute(
                        sql: """
                            DELETE FROM receipts WHERE (scope, key) IN
                            (SELECT scope, key FROM receipts WHERE expires_at <= ? LIMIT ?)
                            """,
                        arguments: [now.nanoseconds, SQLiteReceiptStore.removedAtOnce])
                    return db.changesCount
                }
            } catch { throw portError("remove old receipts", error) }
            total += removed
            if removed < SQLiteReceiptStore.removedAtOnce { return total }
        }
    }

    /// In the caller's transaction.
    static func insert(_ receipt: Receipt, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO receipts (scope, key, fingerprint, status, body, created_at, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (scope, key) DO UPDATE SET
                    fingerprint = excluded.fingerprint, status = excluded.status, body = excluded.body,
                    created_at = excluded.created_at, expires_at = excluded.expires_at
                WHERE receipts.expires_at <= excluded.created_at
                """,
            arguments: [
                receipt.claim.scope, receipt.claim.key, Data(receipt.claim.fingerprint), receipt.status,
                Data(receipt.body), receipt.createdAt.nanoseconds, receipt.expiresAt.nanoseconds,
            ])
        guard db.changesCount == 1 else {
            throw CodeForgeError(.conflict, "a request with this idempotency key was carried out already")
        }
    }
}
