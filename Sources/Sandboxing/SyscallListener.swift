import CLinux
import Glibc
import HostProcess

/// Answers a sandbox's reported calls: always a refusal, decided by number alone.
///
/// A payload that does nothing else could keep this side busy, outside its own processor limit. So beyond a first
/// large number its calls are answered at a rate only: they wait, the counts stay right, and this side stays idle.
struct SyscallListener {
    /// Reports of each call that are passed on; the rest is counted. Calls that differ in what tells them apart (the
    /// family of a socket) are different ones here, else the harmless ones would hide the others.
    static let reportsPerCall = 3
    /// What is looked at to tell them apart is below this; all that is not counts as one.
    static let mostVariants: UInt64 = 64
    /// Refusals at full speed: about half a second of work.
    static let burst = 100_000
    /// Refusals a second after those: about two hundredths of a processor.
    static let perSecond = 5000
    /// How long the calls of a payload that used up its allowance wait together.
    private static let waitMilliseconds: Int32 = 10
    /// Bytes of a caller's command line that are kept.
    static let commandBytes = 256

    private let descriptor: HostDescriptor
    private struct Variant: Hashable {
        var number: Int32
        /// The telling argument, at most `mostVariants`; 0 where there is none.
        var argument: UInt64
    }

    private var countsByNumber: [Int32: Int] = [:]
    /// Bounded by the few numbers that are reported, and `mostVariants`.
    private var countsByVariant: [Variant: Int] = [:]
    private var allowance = burst
    private var filledAt = Self.now()

    init(_ descriptor: HostDescriptor) {
        self.descriptor = descriptor
        // Saves a third of the way there and back (Linux 6.6); an older kernel refuses it and does without.
        _ = clinux_notify_wake_on_the_same_processor(descriptor.raw)
    }

    /// -1 once closed.
    var raw: Int32 { descriptor.raw }

    mutating func close() { descriptor.close() }

    /// Refusals so far, the unreported ones included.
    var counts: [String: Int] {
        var counts: [String: Int] = [:]
        for (number, count) in countsByNumber {
            counts[SyscallFilter.name(UInt32(bitPattern: number)), default: 0] += count
        }
        return counts
    }

    /// How long not to look at the descriptor; 0: it may be served.
    mutating func wait() -> Int32 {
        if allowance > 0 { return 0 }
        let now = Self.now()
        let elapsed = max(0, now - filledAt)
        allowance = Int(min(Double(Self.burst), elapsed * Double(Self.perSecond)))
        if allowance * 1000 < Self.perSecond * Int(Self.waitMilliseconds) / 2 {
            allowance = 0
            return Self.waitMilliseconds
        }
        filledAt = now
        return 0
    }

    /// Answers one waiting call; call it when the descriptor is readable and `wait()` is 0.
    ///
    /// - Returns: Whether there was one; and the refusal, when it is one of the first of its kind.
    mutating func serve() -> (answered: Bool, report: RefusedSyscall?) {
        var notification = seccomp_notif()
        // ENOENT: the caller died while it waited.
        guard clinux_notify_receive(descriptor.raw, &notification) == 0 else { return (false, nil) }
        let number = notification.data.nr
        let errno = RefusedCalls.errnos[number] ?? EPERM
        countsByNumber[number, default: 0] += 1
        let telling = Self.telling.contains(number) ? min(notification.data.args.0 & 0xffff_ffff, Self.mostVariants) : 0
        let count = countsByVariant[Variant(number: number, argument: telling), default: 0] + 1
        countsByVariant[Variant(number: number, argument: telling)] = count
        allowance -= 1
        guard count <= Self.reportsPerCall else {
            _ = clinux_notify_refuse(descriptor.raw, notification.id, errno)
            return (true, nil)
        }
        let pid = Int32(bitPattern: notification.pid)
        var command = Self.command(of: pid)
        // The number may be another process's by now; while the call still waits it is not.
        if clinux_notify_is_valid(descriptor.raw, notification.id) != 0 { command = "" }
        _ = clinux_notify_refuse(descriptor.raw, notification.id, errno)
        let a = notification.data.args
        let report = RefusedSyscall(
            name: SyscallFilter.name(UInt32(bitPattern: number)), pid: pid, errno: errno,
            arguments: [a.0, a.1, a.2, a.3, a.4, a.5], command: command)
        return (true, report)
    }

    /// Numbers whose first argument says what is asked for: a family, a command, an operation. Register values only.
    private static let telling = Set(
        ["socket", "socketpair", "bpf", "keyctl", "ptrace"].compactMap { name in
            SyscallFilter.number(name).map { Int32(bitPattern: $0) }
        })

    /// Printable ASCII of the caller's own words about itself. The kernel reads anonymous memory only for it, so the
    /// caller cannot make the read wait for a file system of its own. Source: CVE-2018-1120.
    private static func command(of pid: Int32) -> String {
        let file = HostDescriptor(open("/proc/\(pid)/cmdline", O_RDONLY | O_CLOEXEC))
        var bytes = [UInt8](repeating: 0, count: commandBytes)
        let count = file.raw < 0 ? 0 : read(file.raw, &bytes, bytes.count)
        return clean(bytes.prefix(max(0, count)))
    }

    static func clean(_ bytes: some Sequence<UInt8>) -> String {
        var text = bytes.map { $0 == 0 ? UInt8(ascii: " ") : (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }
        while text.last == UInt8(ascii: " ") { text.removeLast() }
        return String(decoding: text, as: UTF8.self)
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
