import Glibc
import Synchronization

/// Where finished log lines go.
package protocol LogSink: Sendable {
    /// - Parameter line: UTF-8 with its line break.
    func write(_ line: [UInt8])
}

/// Writes whole lines to a descriptor, one at a time.
///
/// It blocks as long as the reader does: a line must be out before a crash that follows it.
package final class DescriptorSink: LogSink {
    private let descriptor: Int32
    private let turn = Mutex(())

    /// - Parameter descriptor: Stays open for the life of the process; 1 is standard output.
    package init(descriptor: Int32 = 1) { self.descriptor = descriptor }

    package func write(_ line: [UInt8]) {
        turn.withLock { _ in
            line.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if count > 0 {
                        rest = rest.dropFirst(count)
                    } else if count < 0, errno == EAGAIN {
                        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                        _ = Glibc.poll(&poll, 1, 1000)
                    } else if count < 0, errno != EINTR {
                        return  // nowhere to report that the log is gone
                    }
                }
            }
        }
    }
}
