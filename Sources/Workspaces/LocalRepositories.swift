package import Domain
import Glibc

/// Which repositories on this host may be cloned.
package struct LocalRepositories: Sendable {
    private let roots: [String]

    /// - Parameter roots: Absolute directories; none by default, so that no local repository may be.
    package init(roots: [String]) { self.roots = roots }

    /// Resolves a path and checks it against the roots, both with every symbolic link followed.
    ///
    /// - Returns: The resolved path, to be bound read-only into the clone's sandbox.
    /// - Throws: `.forbidden` when it lies under no allowed root (or does not exist, which is not told apart).
    package func resolve(_ path: String) throws(CodeForgeError) -> String {
        let resolved = LocalRepositories.realPath(path)
        for root in roots {
            guard let root = LocalRepositories.realPath(root), let resolved else { continue }
            if resolved == root || resolved.hasPrefix(root == "/" ? "/" : root + "/") { return resolved }
        }
        throw CodeForgeError(
            .forbidden, "local repository \(path) is not under a directory listed in git.allowed_local_roots")
    }

    private static func realPath(_ path: String) -> String? {
        guard path.hasPrefix("/"), let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
