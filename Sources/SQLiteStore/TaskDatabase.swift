package import Domain
import FoundationEssentials
import GRDB

#if canImport(Glibc)
    import Glibc
#endif

/// The database file and its schema; the stores share it.
package final class TaskDatabase: Sendable {
    let pool: DatabasePool
    let writes: WriteQueue

    /// Opens or makes the file and brings its schema up to date. Blocks; for use at the start.
    ///
    /// Write-ahead log with `synchronous = FULL`: what was answered survives a power cut.
    ///
    /// - Parameter path: Missing parent directories are made with mode 0700.
    /// - Throws: `.unavailable`, when the file can't be used, or was written by a newer version.
    package init(path: String) throws(CodeForgeError) {
        try TaskDatabase.makeParent(of: path)
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA foreign_keys = ON")
        }
        do {
            // SQLite makes the file with the umask's mode; it holds prompts and results.
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw CodeForgeError(.unavailable, String(cString: strerror(errno))) }
            _ = Glibc.close(descriptor)
            pool = try DatabasePool(path: path, configuration: configuration)
            // GRDB sets NORMAL on the one connection that writes, after the configuration's own statements.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            let isNewer = try pool.read { try Migrations.all.hasBeenSuperseded($0) }
            guard !isNewer else {
                throw CodeForgeError(
                    .unavailable,
                    "it was written by a newer version of CodeForge; run that one, or restore a backup"
                )
            }
            try Migrations.all.migrate(pool)
        } catch {
            let reason = (error as? CodeForgeError)?.message ?? "\(error)"
            throw CodeForgeError(.unavailable, "database \(path): \(reason)")
        }
        writes = WriteQueue(pool)
    }

    /// Ends all use, so that the write-ahead log is folded in.
    ///
    /// - Throws: `.unavailable` while something still uses it.
    package func close() throws(CodeForgeError) {
        do { try pool.close() } catch { throw CodeForgeError(.unavailable, "close the database: \(error)") }
    }

    // MARK: What the stores do

    /// - Parameter operation: Begins the message of an error.
    /// - Throws: What `body` throws as the ports' errors have it, see `portError`.
    func read<Result: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws(CodeForgeError) -> Result {
        do { return try await pool.read(body) } catch { throw portError(operation, error) }
    }

    /// Runs `body` in a transaction, durable when it returns; otherwise as `read`.
    func write<Result: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws(CodeForgeError) -> Result {
        do { return try await writes.write(body) } catch { throw portError(operation, error) }
    }

    /// Rows removed in one transaction, so that other writers wait milliseconds only.
    private static let removedAtOnce = 5000

    /// Removes rows until none is left.
    ///
    /// - Parameter sql: A statement that removes as many rows as its last argument says, which is added here.
    /// - Returns: The number of rows.
    func remove(
        _ operation: String, _ sql: String, _ arguments: [Int64]
    ) async throws(CodeForgeError) -> Int {
        var total = 0
        while true {
            let removed = try await write(operation) { db in
                try db.execute(sql: sql, arguments: StatementArguments(arguments + [Int64(TaskDatabase.removedAtOnce)]))
                return db.changesCount
            }
            total += removed
            if removed < TaskDatabase.removedAtOnce { return total }
        }
    }

    static func makeParent(of path: String) throws(CodeForgeError) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        let parent = String(path[..<slash])
        if mkdir(parent, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT else {
            throw CodeForgeError(.unavailable, "make \(parent): \(String(cString: strerror(errno)))")
        }
        try makeParent(of: parent)
        guard mkdir(parent, 0o700) == 0 || errno == EEXIST else {
            throw CodeForgeError(.unavailable, "make \(parent): \(String(cString: strerror(errno)))")
        }
    }
}

/// Anything a database may throw, as the port's error.
func portError(_ operation: String, _ error: any Error) -> CodeForgeError {
    if let error = error as? CodeForgeError { return error }
    if let error = error as? DatabaseError {
        switch error.resultCode {
        case .SQLITE_CONSTRAINT: return CodeForgeError(.conflict, "\(operation): \(error.message ?? "constraint")")
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_CANTOPEN:
            return CodeForgeError(.unavailable, "\(operation): \(error.message ?? "\(error.resultCode)")")
        default: return CodeForgeError(.internal, "\(operation): \(error.message ?? "\(error.resultCode)")")
        }
    }
    if error is CancellationError { return CodeForgeError(.cancelled, operation) }
    return CodeForgeError(.internal, "\(operation): \(error)")
}
