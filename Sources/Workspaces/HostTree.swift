package import Domain
import Glibc
import HostProcess

/// Directories of ours on the host.
package enum HostTree {
    /// Makes a directory and its missing parents, each only for us (0700).
    package static func make(_ path: String) throws(CodeForgeError) {
        var prefix = ""
        for part in path.split(separator: "/") {
            prefix += "/" + part
            guard mkdir(prefix, 0o700) == 0 || errno == EEXIST else {
                throw CodeForgeError(
                    .unavailable, "cannot create the directory \(prefix): \(String(cString: strerror(errno)))")
            }
        }
        guard isDirectory(path) else { throw CodeForgeError(.unavailable, "\(path) is not a directory") }
    }

    /// A directory, not a link to one.
    package static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// What is kept of the workspace at `path`, as a directory or as the volume beside its name; `nil`: nothing.
    package static func form(ofWorkspace path: String) -> WorkspaceForm? {
        var status = stat()
        if lstat(path + WorkspaceForm.volumeSuffix, &status) == 0, status.st_mode & S_IFMT == S_IFREG { return .volume }
        return isDirectory(path) ? .directory : nil
    }

    /// Removes a tree that hostile code wrote, without following a link and however deep it is. Nothing inside may
    /// still be written to. Missing trees are fine.
    ///
    /// `rm` does it: it walks by descriptors (coreutils, fts), which our own recursion would have to do all over. For an
    /// ordinary user it may first have to be let into directories that were closed on purpose; `chmod` follows no link
    /// it meets on its way.
    package static func remove(_ path: String) async throws(CodeForgeError) {
        var status = stat()
        if lstat(path, &status) != 0, errno == ENOENT { return }
        let remove = ["rm", "-rf", "--one-file-system", "--", path]
        if try await run(remove) == .exited(code: 0) { return }
        _ = try await run(["chmod", "-R", "u+rwX", "--", path])
        let exit = try await run(remove)
        guard exit == .exited(code: 0) else {
            throw CodeForgeError(.unavailable, "cannot remove \(path): rm ended with \(exit)")
        }
    }

    private static func run(_ arguments: [String]) async throws(CodeForgeError) -> HostProcess.Exit {
        try await HostProcess.start("/bin/" + arguments[0], arguments).waitForExit()
    }
}
