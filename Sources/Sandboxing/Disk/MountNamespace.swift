import CLinux
import Glibc

/// Proof that this process has a mount namespace of its own: what it mounts is nobody else's to see, and is gone with it,
/// however it ends.
package struct MountNamespace: Sendable {
    private init() {}

    /// Leaves the host's mount namespace. What the host mounts or unmounts later still comes through, never the reverse.
    ///
    /// Only the calling thread moves, and the threads it makes afterwards: call it before there is another one.
    ///
    /// - Returns: `nil` when this user may not (see unshare(2)).
    package static func enter() -> MountNamespace? {
        guard clinux_unshare_mounts() == 0,
            clinux_mount(nil, "/", nil, clinux_MS_REC | clinux_MS_SLAVE, nil) == 0
        else { return nil }
        return MountNamespace()
    }
}
