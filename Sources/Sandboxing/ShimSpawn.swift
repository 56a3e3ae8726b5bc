import CLinux
import Domain
import Glibc
import HostProcess

/// Starts the shim with exactly the given descriptors and an empty environment.
enum ShimSpawn {
    /// - Parameter inherited: Becomes descriptors 0, 1, 2, … of the shim.
    /// - Returns: Its process id.
    static func spawn(_ path: String, inherited: [Int32]) throws(CodeForgeError) -> pid_t {
        do throws(CodeForgeError) {
            return try HostProcess.start(
                path, ["codeforge-sandbox"], descriptors: inherited.map { .inherit($0) }
            ).pid
        } catch {
            throw CodeForgeError(error.code, "\(error.message); build or install codeforge-sandbox")
        }
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
