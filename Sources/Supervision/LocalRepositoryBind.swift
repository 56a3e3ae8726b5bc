import Domain
import Glibc
import Sandboxing

/// Shows a repository of this host inside a clone's sandbox.
enum LocalRepositoryBind {
    /// Read-only, at the path the URL names, and readable there although its files may be private to their owner.
    ///
    /// Whoever may rename directories on the way could exchange one after it was allowed: the bind is refused then.
    ///
    /// - Parameter source: Without links.
    /// - Throws: `.unavailable` when it can't be looked at.
    static func make(source: String, target: String) throws(CodeForgeError) -> SandboxRequest.Bind {
        var status = stat()
        guard lstat(source, &status) == 0 else {
            throw CodeForgeError(
                .unavailable, "cannot read \(source): \(String(cString: strerror(errno)))")
        }
        return SandboxRequest.Bind(
            source: source, target: target, ownership: .ids(uid: status.st_uid, gid: status.st_gid), isResolved: true)
    }
}
