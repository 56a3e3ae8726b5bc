import CLinux
import Domain
import Glibc

/// Starts the shim with exactly the given descriptors and an empty environment.
enum ShimSpawn {
    /// - Parameter inherited: Becomes descriptors 0, 1, 2, … of the shim.
    /// - Returns: Its process id.
    static func spawn(_ path: String, inherited: [Int32]) throws(CodeForgeError) -> pid_t {
        // Copies above the targets, so that no dup2 overwrites a source that is still needed.
        let copies = inherited.map { HostDescriptor(clinux_duplicate($0, 256)) }
        guard copies.allSatisfy({ $0.raw >= 0 }) else {
            throw CodeForgeError(.unavailable, "cannot duplicate a descriptor for the sandbox: \(describe(errno))")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, copy) in copies.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, copy.raw, Int32(number))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var pid: pid_t = 0
        let code = withExtendedLifetime(copies) {
            "codeforge-sandbox".withCString { name in
                var arguments: [UnsafeMutablePointer<CChar>?] = [UnsafeMutablePointer(mutating: name), nil]
                var environment: [UnsafeMutablePointer<CChar>?] = [nil]
                return posix_spawn(&pid, path, &actions, &attributes, &arguments, &environment)
            }
        }
        guard code == 0 else {
            throw CodeForgeError(
                .unavailable,
                "cannot execute the sandbox shim \(path): \(describe(code)); build or install codeforge-sandbox"
            )
        }
        return pid
    }

    /// A sealed-off file in memory with these bytes.
    static func memoryFile(_ name: String, _ bytes: [UInt8]) throws(CodeForgeError) -> HostDescriptor {
        let file = HostDescriptor(clinux_memfd_create(name))
        var offset = 0
        while file.raw >= 0, offset < bytes.count {
            let written = bytes[offset...].withUnsafeBytes { write(file.raw, $0.baseAddress, $0.count) }
            if written <= 0 { break }
            offset += written
        }
        guard file.raw >= 0, offset == bytes.count else {
            throw CodeForgeError(.unavailable, "cannot make a memory file for the sandbox: \(describe(errno))")
        }
        return file
    }

    /// A close-on-exec pipe.
    static func pipe() throws(CodeForgeError) -> (read: HostDescriptor, write: HostDescriptor) {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe2(&ends, O_CLOEXEC) == 0 else {
            throw CodeForgeError(.unavailable, "cannot make a pipe for the sandbox: \(describe(errno))")
        }
        return (HostDescriptor(ends[0]), HostDescriptor(ends[1]))
    }

    /// A close-on-exec pair of unix sockets. A write to one whose peer is gone can be told to raise no signal.
    static func socketPair(_ type: __socket_type) throws(CodeForgeError) -> (HostDescriptor, HostDescriptor) {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw CodeForgeError(.unavailable, "cannot make a socket for the sandbox: \(describe(errno))")
        }
        return (HostDescriptor(ends[0]), HostDescriptor(ends[1]))
    }
}
