import Domain
import GRDB

extension TaskDatabase {
    /// Replaces every text of a table's column `sealed` in one transaction.
    ///
    /// - Parameters:
    ///   - name: The column that names a row in errors.
    ///   - isTrial: Whether nothing is to be changed.
    ///   - reseal: When it throws, nothing is changed.
    /// - Returns: The number of rows.
    func reseal(
        _ table: String, name: String, isTrial: Bool,
        _ reseal: @escaping @Sendable (_ name: String, _ sealed: String) throws(CodeForgeError) -> String
    ) async throws(CodeForgeError) -> Int {
        try await write("seal \(table) anew") { db in
            var count = 0
            var last: Int64 = .min
            // In parts, so that a long history needs little memory.
            while true {
                let rows = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT position, \(name), sealed FROM \(table) WHERE position > ? ORDER BY position LIMIT 500
                        """, arguments: [last])
                for row in rows {
                    let sealed = try reseal(row[name], row["sealed"])
                    guard !isTrial else { continue }
                    try db.execute(
                        sql: "UPDATE \(table) SET sealed = ? WHERE position = ?",
                        arguments: [sealed, row["position"] as Int64])
                }
                count += rows.count
                guard let position: Int64 = rows.last?["position"] else { return count }
                last = position
            }
        }
    }
}
