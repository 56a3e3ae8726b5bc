import CLinux
import Domain
import FoundationEssentials
import Glibc
import HostProcess

/// One end of a connection. Everything here blocks, up to its deadline.
struct ControlConnection: Sendable {
    /// Non-blocking: each wait is a poll with what is left of its time.
    let socket: HostDescriptor

    /// A path that reaches `control.sock` in a directory however long the directory's own path is: a unix socket's may
    /// have 107 bytes. Source: unix(7).
    static func withAddress<T>(
        of name: String, in directory: HostDescriptor, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T
    ) -> T {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            bytes.copyBytes(from: "/proc/self/fd/\(directory.raw)/\(name)".utf8.prefix(bytes.count - 1))
        }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    static func makeSocket() throws(CodeForgeError) -> HostDescriptor {
        let raw = Glibc.socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard raw >= 0 else {
            throw CodeForgeError(.unavailable, "cannot make a control socket: \(String(cString: strerror(errno)))")
        }
        return HostDescriptor(raw)
    }

    /// Connects to the supervisor whose state directory this is.
    ///
    /// - Returns: `nil` when nobody is there.
    static func open(_ directory: HostDescriptor) -> ControlConnection? {
        guard let socket = try? makeSocket() else { return nil }  // no descriptors left: as good as nobody
        let status = withAddress(of: ControlSocketServer.socketName, in: directory) { connect(socket.raw, $0, $1) }
        return status == 0 ? ControlConnection(socket: socket) : nil
    }

    /// Sends a message and its line feed, with descriptors beside it.
    ///
    /// - Throws: `.timeout`; `.unavailable` when the other end is gone; `.invalidArgument` when it is too long.
    func send(
        _ message: some Encodable, descriptors: [Int32] = [], limit: Int, within patience: Duration
    ) throws(CodeForgeError) {
        var bytes: [UInt8]
        do {
            bytes = Array(try JSONEncoder().encode(message)) + [0x0A]
        } catch {
            throw CodeForgeError(.internal, "cannot encode a control message: \(error)")
        }
        guard bytes.count <= limit else {
            throw CodeForgeError(.invalidArgument, "a control message of \(bytes.count) bytes; \(limit) are the most")
        }
        let deadline = ContinuousClock.now + patience
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                clinux_send_with_descriptors(
                    socket.raw, $0.baseAddress, $0.count, descriptors, sent == 0 ? Int32(descriptors.count) : 0)
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(for: POLLOUT, until: deadline)
            } else if errno != EINTR {
                throw gone
            }
        }
    }

    /// Receives one line and decodes it.
    ///
    /// - Parameter patience: `nil`: for ever.
    /// - Throws: `.timeout`; `.unavailable` when the other end is gone; `.invalidArgument` for what is no message.
    func receive<Message: Decodable>(
        _: Message.Type, limit: Int, within patience: Duration?
    ) throws(CodeForgeError) -> (message: Message, descriptors: [HostDescriptor]) {
        let deadline = patience.map { ContinuousClock.now + $0 }
        var line: [UInt8] = []
        var descriptors: [HostDescriptor] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            var raw: [Int32] = [-1, -1, -1, -1]
            var fresh: Int32 = 0
            let count = clinux_receive_with_descriptors(socket.raw, &buffer, buffer.count, &raw, &fresh)
            descriptors += raw.prefix(Int(fresh)).map { HostDescriptor($0) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                try wait(for: POLLIN, until: deadline)
                continue
            }
            guard count > 0 else { throw gone }
            guard line.count + count <= limit, descriptors.count <= 4 else { throw Self.malformed }
            line += buffer[..<count]
            if line.last == 0x0A { break }
        }
        do {
            return (try JSONDecoder().decode(Message.self, from: Data(line)), descriptors)
        } catch {
            throw Self.malformed
        }
    }

    /// Returns when the other end hangs up or says more, or after `stopReading`.
    func waitForHangUp() {
        var watched = pollfd(fd: socket.raw, events: Int16(POLLIN) | Int16(clinux_POLLRDHUP), revents: 0)
        while poll(&watched, 1, -1) < 0, errno == EINTR {}
    }

    func stopReading() { shutdown(socket.raw, Int32(SHUT_RD)) }

    /// Ends both directions; whoever waits on it returns.
    func hangUp() { shutdown(socket.raw, Int32(SHUT_RDWR)) }

    private func wait(for events: Int32, until deadline: ContinuousClock.Instant?) throws(CodeForgeError) {
        var milliseconds: Int32 = -1
        if let deadline {
            milliseconds = Int32(max(0, min(86_400_000, (deadline - .now) / .milliseconds(1))))
            guard milliseconds > 0 else { throw CodeForgeError(.timeout, "no answer in time") }
        }
        var watched = pollfd(fd: socket.raw, events: Int16(events), revents: 0)
        poll(&watched, 1, milliseconds)
    }

    private var gone: CodeForgeError { CodeForgeError(.unavailable, "the supervisor is gone") }
    private static let malformed = CodeForgeError(.invalidArgument, "not a control message of this version")
}
