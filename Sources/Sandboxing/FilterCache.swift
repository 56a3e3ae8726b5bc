import Domain
import Synchronization

/// Compiled filters by policy: each is made once in a process, which takes well under a millisecond.
enum FilterCache {
    private static let programs = Mutex<[Set<SyscallGroup>: [UInt8]]>([:])

    static func bytes(_ groups: Set<SyscallGroup>) -> [UInt8] {
        programs.withLock { programs in
            if let bytes = programs[groups] { return bytes }
            let bytes = SyscallFilter(groups: groups).bytes
            programs[groups] = bytes
            return bytes
        }
    }
}
