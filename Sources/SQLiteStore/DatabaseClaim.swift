package import Domain

#if canImport(Glibc)
    import Glibc
#endif

/// The right to be the one process that works on a database; ends with its owner, or the process.
package final class DatabaseClaim: Sendable {
    private let descriptor: Int32

    /// - Parameter path: Of the database; the lock is on `<path>.lock` beside it.
    /// - Throws: `.conflict` while another process has it, `.unavailable` when there can be no lock.
    package init(path: String) throws(CodeForgeError) {
        try TaskDatabase.makeParent(of: path)
        descriptor = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw CodeForgeError(.unavailable, "open \(path).lock: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw isHeld
                ? CodeForgeError(.conflict, "database \(path) is in use by another codeforge process; stop it first")
                : CodeForgeError(.unavailable, "lock \(path).lock: \(reason)")
        }
    }

    deinit { close(descriptor) }
}
