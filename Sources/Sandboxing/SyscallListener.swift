import CLinux
import Glibc
import HostProcess

/// Answers a sandbox's reported calls: always a refusal, decided by number alone.
struct SyscallListener {
    /// Reports of each call that are passed on; the rest is counted.
    static let reportsPerCall = 3
    /// Refusals after which the listener closes: the kernel then answers `ENOSYS` by itself, so a payload that does
    /// nothing else cannot keep this side busy.
    static let most = 20_000

    private let descriptor: HostDescriptor
    private(set) var counts: [String: Int] = [:]
    private(set) var total = 0

    init(_ descriptor: HostDescriptor) { self.descriptor = descriptor }

    /// -1 once closed.
    var raw: Int32 { descriptor.raw }

    mutating func close() { descriptor.close() }

    /// Answers one waiting call; call it when the descriptor is readable.
    ///
    /// - Returns: The refusal, when it is one of the first of its kind.
    mutating func serve() -> RefusedSyscall? {
        var notification = seccomp_notif()
        // ENOENT: the caller died while it waited.
        guard clinux_notify_receive(descriptor.raw, &notification) == 0 else { return nil }
        let name = SyscallFilter.name(UInt32(bitPattern: notification.data.nr))
        let errno = RefusedCalls.errno(of: name)
        _ = clinux_notify_refuse(descriptor.raw, notification.id, errno)
        counts[name, default: 0] += 1
        total += 1
        if total >= Self.most { descriptor.close() }
        guard counts[name, default: 0] <= Self.reportsPerCall else { return nil }
        let a = notification.data.args
        return RefusedSyscall(
            name: name,
            pid: Int32(bitPattern: notification.pid),
            errno: errno,
            arguments: [a.0, a.1, a.2, a.3, a.4, a.5]
        )
    }
}
