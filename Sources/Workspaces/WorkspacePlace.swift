package import Domain
import Glibc
import HostProcess

/// A place for a file in a work tree, for a mount to cover while an agent runs there.
///
/// Mounts need something to lie on. Where the work tree has no such file, an empty one is put there and taken away
/// afterwards; it is told from any other by being empty, without any permission, and this process's user's. Nothing
/// but the one name in the tree's root is looked at or touched, and no link is followed.
package struct WorkspacePlace: Sendable {
    package enum Content: Sendable, Equatable {
        case missing
        case file
        /// A directory, a link, or something stranger.
        case other
    }

    private let directory: String
    private let name: String

    /// - Parameters:
    ///   - directory: The work tree. No sandbox may be writing to it meanwhile.
    ///   - name: One component.
    package init(_ name: String, in directory: String) {
        self.name = name
        self.directory = directory
    }

    /// What is there; a place that was made here counts as missing.
    package func content() -> Content {
        guard let status = status() else { return .missing }
        if WorkspacePlace.isOurs(status) { return .missing }
        return status.st_mode & S_IFMT == S_IFREG ? .file : .other
    }

    /// Makes the place, unless a file is there already.
    ///
    /// - Throws: `.conflict` when something else is; `.unavailable` when it can't be made.
    package func make() throws(CodeForgeError) {
        if let status = status() {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw CodeForgeError(.conflict, "\(name) in the repository is not a file")
            }
            return
        }
        let file = HostDescriptor(open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0))
        guard file.raw >= 0 else {
            throw CodeForgeError(.unavailable, "cannot make \(name): \(String(cString: strerror(errno)))")
        }
    }

    /// Takes away what `make` made, also in a run that had no time to.
    package func clear() {
        if let status = status(), WorkspacePlace.isOurs(status) { unlink(path) }
    }

    private var path: String { directory + "/" + name }

    private func status() -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    private static func isOurs(_ status: stat) -> Bool {
        status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o7777 == 0 && status.st_size == 0
            && status.st_uid == geteuid()
    }
}
