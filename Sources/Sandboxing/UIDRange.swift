import CLinux
import Domain
import Glibc
import HostProcess

/// A leased range of host ids, one for each running sandbox of this machine.
///
/// The area 0x7000_0000…0x7fa0_ffff is unused by systemd's and shadow's conventions. A lease is a locked file, and
/// the sandbox's pid 1 holds the same lock: it lasts until both the supervisor and the sandbox are gone, however
/// they ended. A second lock is the supervisor's alone, so that a sandbox that outlived it can be told. Source: systemd's UIDS-GIDS page, "unused" ranges.
struct UIDRange: Sendable {
    static let size: UInt32 = 0x1_0000
    static let area: UInt32 = 0x7000_0000
    /// Slot 0 is `WorkspaceOwner.storageID`'s.
    static let slots: ClosedRange<UInt32> = 1...4000

    let slot: UInt32
    /// The locked file.
    let lock: HostDescriptor
    /// The locked file that says the supervisor lives.
    let owner: HostDescriptor
    var first: UInt32 { Self.area + slot * Self.size }

    /// Leases a free range.
    ///
    /// - Parameter directory: Made with mode 0700 when missing; it must belong to this user alone.
    static func lease(in directory: String) throws(CodeForgeError) -> UIDRange {
        try privateDirectory(directory)
        let folder = directory + "/uid-ranges"
        try privateDirectory(folder)
        // Supervisors started together look at different slots first.
        let offset = UInt32(truncatingIfNeeded: getpid()) &* 61
        for step in 0..<UInt32(slots.count) {
            let slot = slots.lowerBound + (offset &+ step) % UInt32(slots.count)
            errno = 0
            if let range = lease(slot: slot, in: directory) { return range }
            guard errno == EWOULDBLOCK else {
                throw CodeForgeError(.unavailable, "cannot open a uid range lease in \(folder): \(describe(errno))")
            }
        }
        throw CodeForgeError(.limited, "all \(slots.count) uid ranges are in use by running sandboxes")
    }

    /// Leases this very slot; `nil` when somebody holds it (errno is then `EWOULDBLOCK`).
    static func lease(slot: UInt32, in directory: String) -> UIDRange? {
        guard let owner = claim(slot, in: directory),
            let lock = locked("\(directory)/uid-ranges/\(slot)")
        else { return nil }
        return UIDRange(slot: slot, lock: lock, owner: owner)
    }

    /// Takes the place of a slot's supervisor, so that nobody starts a sandbox in it; `nil` while one lives.
    static func claim(_ slot: UInt32, in directory: String) -> HostDescriptor? {
        slots.contains(slot) ? locked("\(directory)/uid-ranges/\(slot).owner") : nil
    }

    /// Whether neither a supervisor nor a sandbox holds the slot; for who has `claim`ed it.
    static func isFree(_ slot: UInt32, in directory: String) -> Bool {
        locked("\(directory)/uid-ranges/\(slot)") != nil
    }

    private static func locked(_ path: String) -> HostDescriptor? {
        let raw = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard raw >= 0 else { return nil }
        guard flock(raw, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(raw)
            errno = code
            return nil
        }
        return HostDescriptor(raw)
    }

    private static func privateDirectory(_ path: String) throws(CodeForgeError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw CodeForgeError(.unavailable, "cannot create \(path): \(describe(errno))")
        }
        var info = stat()
        guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR, info.st_uid == geteuid(),
            info.st_mode & 0o022 == 0
        else { throw CodeForgeError(.unavailable, "\(path) must be a directory only this user may write to") }
    }
}

/// The C library's words for an errno.
func describe(_ code: Int32) -> String { String(cString: strerror(code)) }
