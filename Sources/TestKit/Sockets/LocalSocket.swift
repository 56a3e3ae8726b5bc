import Glibc

/// One end of a TCP connection on loopback, with blocking calls: for tests that care about every byte. Use it on a
/// thread of its own; every wait ends after ten seconds, so that a broken test fails and does not hang.
package final class LocalSocket: Sendable {
    package let descriptor: Int32

    package init(owning descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    /// Connects to `port` on 127.0.0.1; `nil` when nobody listens.
    package static func connect(port: UInt16) -> LocalSocket? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let socket = LocalSocket(owning: descriptor)
        var address = LocalSocket.loopback(port)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return code == 0 ? socket : nil
    }

    /// A listening descriptor on a free port of 127.0.0.1, for the caller to own.
    package static func listen() -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = LocalSocket.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, length) | Glibc.listen(descriptor, 128)
                    | getsockname(descriptor, $0, &length)
            }
        }
        precondition(descriptor >= 0 && code == 0, "cannot listen on loopback: errno \(errno)")
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// Up to `count` bytes; empty at the end of the stream, `nil` after an error or ten seconds of silence.
    package func read(upTo count: Int = 65_536) -> [UInt8]? {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            let got = recv(descriptor, buffer.baseAddress, count, 0)
            failed = got < 0
            used = max(0, got)
        }
        return failed ? nil : bytes
    }

    /// Everything until the peer closes, or as much as came before an error.
    package func readToEnd() -> [UInt8] {
        var all: [UInt8] = []
        while let bytes = read(), !bytes.isEmpty { all += bytes }
        return all
    }

    /// Reads up to and with `mark`, and maybe beyond; what came until then if it never does.
    package func read(until mark: String) -> String {
        var all: [UInt8] = []
        let mark = Array(mark.utf8)
        var searched = 0
        while !all[searched...].contains(mark), let bytes = read(), !bytes.isEmpty {
            searched = max(0, all.count - mark.count)
            all += bytes
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// - Returns: Whether everything was taken.
    @discardableResult
    package func write(_ bytes: some Collection<UInt8>) -> Bool { writeCounting(bytes) == bytes.count }

    @discardableResult
    package func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// - Returns: Bytes taken before an error or ten seconds of a full buffer.
    package func writeCounting(_ bytes: some Collection<UInt8>) -> Int {
        let all = Array(bytes)
        var sent = 0
        while sent < all.count {
            let count = all.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress?.advanced(by: sent), all.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        return sent
    }

    /// Writes as much as the kernel takes at once.
    package func writeNow(_ bytes: [UInt8]) -> Int {
        max(0, Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)))
    }

    /// Ends both directions; the descriptor stays until this is let go.
    package func shut() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
}
