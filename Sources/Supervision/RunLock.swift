package import Domain
import Glibc

/// Makes sure that at most one supervisor works on a task's files: a file lock, gone with its holder.
package struct RunLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock. A holder is the supervisor of a run that was given up: it is killed, since its report would be
    /// ignored and its agent would write to the same workspace.
    ///
    /// - Parameters:
    ///   - path: Lock file in a directory only we can write to; holds the pid of its holder.
    ///   - wait: Longest wait for the holder's death, in tenths of a second.
    /// - Throws: `.unavailable` when the lock could not be had.
    package init(_ path: String, wait: Int = 100) throws(CodeForgeError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw CodeForgeError(.unavailable, "cannot open the run lock \(path): \(String(cString: strerror(errno)))")
        }
        var remaining = wait
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard remaining > 0 else {
                close(descriptor)
                throw CodeForgeError(.unavailable, "another supervisor holds \(path) and does not let go")
            }
            if remaining == wait, let holder = RunLock.holder(descriptor) { kill(holder, SIGKILL) }
            remaining -= 1
            usleep(100_000)
        }
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, text, text.count, 0)
    }

    deinit { close(descriptor) }

    /// The pid in the file; written under the lock, so while the lock is held it is the holder's.
    private static func holder(_ descriptor: Int32) -> pid_t? {
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        guard count > 1, let pid = pid_t(String(decoding: buffer[..<(count - 1)], as: UTF8.self)), pid > 1 else {
            return nil
        }
        return pid
    }
}
