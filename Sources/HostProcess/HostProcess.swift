import CLinux
package import Domain
import Glibc

/// A program of the host, started by us. Never one from a repository: those run in sandboxes.
package struct HostProcess: Sendable, Hashable {
    package let pid: Int32

    /// How a process ended.
    package enum Exit: Sendable, Hashable, CustomStringConvertible {
        case exited(code: Int32)
        case signalled(Int32)
        /// Somebody else reaped it.
        case unknown

        package var description: String {
            switch self {
            case .exited(let code): "exit status \(code)"
            case .signalled(let signal): "signal \(signal)"
            case .unknown: "already gone"
            }
        }
    }

    /// What a child gets as one of its descriptors.
    package enum Descriptor: Sendable {
        /// One of ours, borrowed until `start` returns.
        case inherit(Int32)
        case null
        /// Opened for appending, created with mode 0600; a link is refused.
        case log(String)
    }

    /// Starts a program by `posix_spawn` (a fork of a large process takes tens of milliseconds).
    ///
    /// The child gets the given descriptors as 0, 1, 2 … and no others, an empty signal mask, default signal actions, and exactly the given
    /// environment. It must be waited for.
    ///
    /// - Parameters:
    ///   - executable: Absolute path.
    ///   - arguments: With `argv[0]`.
    ///   - newSession: Detaches it from our terminal and process group; see setsid(2).
    /// - Throws: `.unavailable` when it could not be started.
    package static func start(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:],
        descriptors: [Descriptor] = [.null, .null, .null], newSession: Bool = false
    ) throws(CodeForgeError) -> HostProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Inherited ones first go above all targets, so that no target overwrites a source still to come.
        let base = Int32(descriptors.count)
        var lifted: [Int32] = []
        defer { for descriptor in lifted { close(descriptor) } }
        for (index, descriptor) in descriptors.enumerated() {
            let target = Int32(index)
            switch descriptor {
            case .inherit(let source):
                let copy = clinux_duplicate(source, base)
                guard copy >= 0 else { throw failure(executable, errno) }
                lifted.append(copy)
                posix_spawn_file_actions_adddup2(&actions, copy, target)
            case .null: posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
            case .log(let path):
                posix_spawn_file_actions_addopen(
                    &actions, target, path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
            }
        }
        clinux_spawn_close_from(&actions, base)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var defaults = sigset_t()
        sigfillset(&defaults)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        let session = newSession ? clinux_POSIX_SPAWN_SETSID : 0
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) | session)

        var argv = arguments.map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for variable in variables { free(variable) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, executable, &actions, &attributes, &argv, &variables)
        guard error == 0 else { throw failure(executable, error) }
        return HostProcess(pid: pid)
    }

    /// Waits for the end on a thread of its own.
    package func waitForExit() async -> Exit {
        await withoutBlocking { waitBlocking() }
    }

    /// Waits for the end on the calling thread; never on the cooperative pool.
    package func waitBlocking() -> Exit {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            if errno != EINTR { return .unknown }
        }
        let signal = status & 0x7f
        return signal == 0 ? .exited(code: status >> 8 & 0xff) : .signalled(signal)
    }

    private static func failure(_ executable: String, _ error: Int32) -> CodeForgeError {
        CodeForgeError(.unavailable, "cannot start \(executable): \(String(cString: strerror(error)))")
    }
}
