import Glibc

/// Tells systemd what becomes of this service; see sd_notify(3). Of no effect where nobody listens.
package struct SystemdNotifier: Sendable {
    private let socket: String?
    /// How often a sign of life is wanted; `nil`: never.
    package let watchdogInterval: Duration?

    /// - Parameter environment: With `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` as systemd sets them.
    package init(environment: [String: String]) {
        let path = environment["NOTIFY_SOCKET"] ?? ""
        // A path, or a name in the abstract namespace; nothing else is defined for a local service.
        socket = path.hasPrefix("/") || (path.hasPrefix("@") && path.utf8.count > 1) ? path : nil
        let isForUs = environment["WATCHDOG_PID"].map { Int32($0) == getpid() } ?? true
        // Twice in the time it has: one may be late.
        watchdogInterval = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.flatMap { microseconds in
            isForUs && microseconds > 0 ? .microseconds(max(1, microseconds / 2)) : nil
        }
    }

    /// - Parameter state: Assignments, one in a line, such as `READY=1`.
    /// - Returns: Whether it was handed over.
    @discardableResult
    package func tell(_ state: String) -> Bool {
        guard let socket else { return false }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socket.utf8)
        if name.first == UInt8(ascii: "@") { name[0] = 0 }
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { place in
            guard name.count < place.count else { return false }
            place.copyBytes(from: name)
            return true
        }
        guard fits else { return false }
        let descriptor = HostDescriptor(
            Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        guard descriptor.raw >= 0 else { return false }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let bytes = Array(state.utf8)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(
                    descriptor.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), $0,
                    length)
            }
        } == bytes.count
    }
}
