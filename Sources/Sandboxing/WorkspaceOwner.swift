import CLinux
package import Domain
import Glibc
import HostProcess

/// The one on-disk owner of all workspace and home directories.
///
/// As root that is a fixed id no account has; id-mapped mounts show it as uid 1000 in whichever uid range a sandbox
/// got, so a workspace keeps its owner from one sandbox to the next. An ordinary user owns its workspaces itself.
package struct WorkspaceOwner: Sendable, Equatable {
    package let uid: UInt32
    package let gid: UInt32

    /// Slot 0 of the uid range area (see `UIDRange`), which is never leased; plus 1000.
    package static let storageID: UInt32 = 0x7000_0000 + 1000

    /// The owner for this process's user.
    package static var current: WorkspaceOwner {
        geteuid() == 0
            ? WorkspaceOwner(uid: storageID, gid: storageID) : WorkspaceOwner(uid: geteuid(), gid: getegid())
    }

    package init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }

    /// Makes `path` a directory of this owner with mode 0700; its parent must exist and belong to us.
    ///
    /// - Throws: `.conflict` when something other than a directory of this owner is there; `.unavailable` for any
    ///   other refusal of the file system.
    package func makeDirectory(_ path: String) throws(CodeForgeError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw failure("create", path, .unavailable) }
        let descriptor = HostDescriptor(open(path, clinux_O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
        guard descriptor.raw >= 0 else { throw failure("open", path, .conflict) }
        try own(descriptor, path)
    }

    /// Gives an existing file or directory (not a link, not what is below it) to this owner.
    package func own(_ path: String) throws(CodeForgeError) {
        let descriptor = HostDescriptor(open(path, clinux_O_PATH | O_NOFOLLOW | O_CLOEXEC))
        guard descriptor.raw >= 0 else { throw failure("open", path, .unavailable) }
        try own(descriptor, path)
    }

    private func own(_ descriptor: HostDescriptor, _ path: String) throws(CodeForgeError) {
        guard fchownat(descriptor.raw, "", uid, gid, clinux_AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0 else {
            throw failure("change the owner of", path, .unavailable)
        }
    }

    private func failure(_ verb: String, _ path: String, _ code: CodeForgeError.Code) -> CodeForgeError {
        CodeForgeError(code, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
