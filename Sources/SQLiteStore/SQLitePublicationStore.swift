package import Domain
import GRDB

/// Pull requests in the making in SQLite.
package final class SQLitePublicationStore: PublicationStore {
    private let database: TaskDatabase

    package init(_ database: TaskDatabase) { self.database = database }

    package func insert(_ publication: Publication) async throws(CodeForgeError) -> Publication {
        try await database.write("record a publication of task \(publication.taskID)") { db in
            var publication = publication
            publication.number = try Self.next("number", publication.taskID, db)
            publication.attempt = try Self.next("attempt", publication.taskID, db)
            try db.execute(
                sql: """
                    INSERT INTO publications
                        (task_id, number, attempt, iteration, title, description, base, branch, state, created_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    publication.taskID, publication.number, publication.attempt, publication.iteration,
                    TaskRow.stored(publication.title), TaskRow.stored(publication.description),
                    TaskRow.stored(publication.base), TaskRow.stored(publication.branch), publication.state.rawValue,
                    publication.createdAt.nanoseconds,
                ])
            return publication
        }
    }

    package func retry(_ publication: Publication) async throws(CodeForgeError) -> Publication {
        try await database.write("try a publication of task \(publication.taskID) again") { db in
            var publication = publication
            publication.attempt = try Self.next("attempt", publication.taskID, db)
            try db.execute(
                sql: "UPDATE publications SET attempt = ? WHERE task_id = ? AND number = ?",
                arguments: [publication.attempt, publication.taskID, publication.number])
            return publication
        }
    }

    package func update(_ publication: Publication) async throws(CodeForgeError) {
        try await database.write("update a publication of task \(publication.taskID)") { db in
            try db.execute(
                sql: "UPDATE publications SET branch = ?, state = ? WHERE task_id = ? AND number = ?",
                arguments: [
                    TaskRow.stored(publication.branch), publication.state.rawValue, publication.taskID,
                    publication.number,
                ])
        }
    }

    package func latest(of taskID: String) async throws(CodeForgeError) -> Publication? {
        try await database.read("read the publication of task \(taskID)") { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM publications WHERE task_id = ? ORDER BY number DESC LIMIT 1",
                arguments: [taskID]
            ).map(Self.publication)
        }
    }

    package func open() async throws(CodeForgeError) -> [Publication] {
        let states = Publication.State.allCases.filter(\.isOpen).map(\.rawValue)
        return try await database.read("read open publications") { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM publications WHERE state IN (?, ?) ORDER BY created_at, task_id, number",
                arguments: StatementArguments(states)
            ).map(Self.publication)
        }
    }

    private static func next(_ column: String, _ taskID: String, _ db: Database) throws -> Int {
        let sql = "SELECT coalesce(max(\(column)), 0) + 1 FROM publications WHERE task_id = ?"
        return try Int.fetchOne(db, sql: sql, arguments: [taskID]) ?? 1
    }

    private static func publication(_ row: Row) throws -> Publication {
        guard let state = Publication.State(rawValue: row["state"]) else {
            throw CodeForgeError(.internal, "a publication of task \(row["task_id"] as String) has an unknown state")
        }
        var publication = Publication(
            taskID: row["task_id"], iteration: row["iteration"], title: TaskRow.text(row, "title") ?? "",
            description: TaskRow.text(row, "description") ?? "", base: TaskRow.text(row, "base") ?? "",
            branch: TaskRow.text(row, "branch") ?? "", createdAt: Timestamp(nanoseconds: row["created_at"]))
        publication.number = row["number"]
        publication.attempt = row["attempt"]
        publication.state = state
        return publication
    }
}
