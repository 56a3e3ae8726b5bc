package import Foundation
package import HostProcess
import Synchronization
import TestKit

/// A program at a terminal of its own, and what that terminal is sent.
package final class TerminalProcess: Sendable {
    private let process: HostProcess
    /// The terminal's other side, and the terminal itself.
    private let (master, slave): (Int32, Int32)
    private let seen = Mutex<[UInt8]>([])
    private let isReaped = Mutex(false)

    package init(_ executable: String, _ arguments: [String], environment: [String: String]) throws {
        var (master, slave): (Int32, Int32) = (-1, -1)
        try require(openpty(&master, &slave, nil, nil, nil) == 0, "no pseudo terminal: \(errno)")
        for descriptor in [master, slave] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        (self.master, self.slave) = (master, slave)
        process = try HostProcess.start(
            executable, [executable] + arguments, environment: environment,
            descriptors: [.inherit(slave), .inherit(slave), .inherit(slave)])
        LocalThread.start { [weak self, master] in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(master, &buffer, buffer.count)
                guard count > 0, let self else { break }
                self.seen.withLock { $0 += buffer[..<count] }
            }
            close(master)
        }
    }

    deinit {
        if !isReaped.withLock({ $0 }) {
            kill(process.pid, SIGKILL)
            _ = process.waitBlocking()
        }
        close(slave)
    }

    /// All it was sent so far.
    package var output: [UInt8] { seen.withLock { $0 } }

    /// How the terminal treats keys now.
    package var localModes: tcflag_t {
        var modes = termios()
        return tcgetattr(slave, &modes) == 0 ? modes.c_lflag : 0
    }

    package func signal(_ signal: Int32) { kill(process.pid, signal) }

    package func wait() async -> HostProcess.Exit {
        let exit = await process.waitForExit()
        isReaped.withLock { $0 = true }
        return exit
    }
}
