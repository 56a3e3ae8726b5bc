package import Domain
import Dispatch
import Glibc

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

    /// Removes a tree that hostile code wrote, without following a link and however deep it is. Nothing inside may
    /// still be written to. Missing trees are fine.
    ///
    /// `rm` does it: it walks by descriptors (coreutils, fts), which our own recursion would have to do all over.
    package static func remove(_ path: String) async throws(CodeForgeError) {
        let status: Int32 = await withCheckedContinuation { continuation in
            DispatchQueue(label: "codeforge.remove").async {
                continuation.resume(returning: run(["/bin/rm", "-rf", "--one-file-system", "--", path]))
            }
        }
        guard status == 0 else {
            throw CodeForgeError(.unavailable, "cannot remove \(path): rm ended with status \(status)")
        }
    }

    /// Runs a host program with an empty environment and no descriptors but /dev/null; blocks until it ended.
    private static func run(_ arguments: [String]) -> Int32 {
        var argv = arguments.map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in 0...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var pid: pid_t = 0
        guard posix_spawn(&pid, arguments[0], &actions, nil, &argv, &environment) == 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 { if errno != EINTR { return -1 } }
        return status
    }
}
