package import Domain
import FoundationEssentials
import GRDB

/// Answers that are given again, in SQLite.
package final class SQLiteReceiptStore: ReceiptStore {
    private let database: TaskDatabase

    package init(_ database: TaskDatabase) { self.database = database }

    package func receipt(scope: String, key: String, now: Timestamp) async throws(CodeForgeError) -> Receipt? {
        return try await database.read("read a receipt") { db in
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
    }

    package func insert(_ receipt: Receipt) async throws(CodeForgeError) {
        try await database.write("insert a receipt") { db in try SQLiteReceiptStore.insert(receipt, db) }
    }

    @discardableResult
    package func removeExpired(now: Timestamp) async throws(CodeForgeError) -> Int {
        try await database.remove(
            "remove old receipts",
            """
            DELETE FROM receipts WHERE (scope, key) IN
            (SELECT scope, key FROM receipts WHERE expires_at <= ? LIMIT ?)
            """, [now.nanoseconds])
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
