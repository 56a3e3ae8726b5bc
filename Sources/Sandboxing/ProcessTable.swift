import CLinux
import Domain
import Glibc
import HostProcess

/// What `/proc` says about the processes of a sandbox. All of it is a snapshot: any of them may be gone already.
enum ProcessTable {
    /// Bytes of a command line that are looked at, and words that are shown.
    private static let commandLineBytes = 4096
    private static let mostArguments = 64
    private static let argumentBytes = 512

    static let ticksPerSecond = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))

    /// One process as `stat` has it. Source: proc_pid_stat(5).
    struct Entry {
        var pid: pid_t
        var parent: pid_t
        var state: String
        /// Its own time and that of children it waited for, in clock ticks.
        var ownTicks: Int64
        var childrenTicks: Int64
        var threads: Int
        var residentPages: Int64

        /// - Parameter text: The file; the name in it is chosen inside and may hold anything, parentheses too.
        init?(pid: pid_t, stat text: [UInt8]) {
            guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
            let fields = text[(end + 1)...].split { $0 == 0x20 || $0 == 0x0A }.map {
                String(decoding: $0, as: UTF8.self)
            }
            guard fields.count > 21, let parent = pid_t(fields[1]) else { return nil }
            let number = { (index: Int) in Int64(fields[index]) ?? 0 }
            self.pid = pid
            self.parent = parent
            state = fields[0]
            ownTicks = number(11) + number(12)
            childrenTicks = number(13) + number(14)
            threads = Int(number(17))
            residentPages = number(21)
        }
    }

    /// Ids of everything in the pid namespace of its pid 1 `root`, found by looking at every process: all that was
    /// started there descends from it, whoever started it dies or not; what entered from outside has the same namespace.
    static func members(of root: pid_t) -> [pid_t] {
        let everyone = everyProcess()
        var children: [pid_t: [pid_t]] = [:]
        for pid in everyone {
            if let entry = entry(pid) { children[entry.parent, default: []].append(pid) }
        }
        var found: Set<pid_t> = []
        var next = [root]
        while let pid = next.popLast() {
            if found.insert(pid).inserted { next += children[pid] ?? [] }
        }
        // Pid 1 itself cannot be looked at without privilege: it is not dumpable.
        if let namespace = found.lazy.compactMap(namespace).first {
            found.formUnion(everyone.filter { self.namespace($0) == namespace })
        }
        return found.sorted()
    }

    /// Its pid namespace; `nil` when it is gone or not ours to look at.
    private static func namespace(_ pid: pid_t) -> [UInt8]? {
        var target = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/\(pid)/ns/pid", &target, target.count)
        return count > 0 ? target.prefix(count).map { UInt8(bitPattern: $0) } : nil
    }

    static func entry(_ pid: pid_t) -> Entry? {
        read("/proc/\(pid)/stat", limit: 4096).flatMap { Entry(pid: pid, stat: $0) }
    }

    /// What operators see of `pids`, parents before their children.
    static func describe(_ pids: [pid_t]) -> [SandboxProcess] {
        let ticks = ticksPerSecond
        let page = Int64(max(1, sysconf(Int32(_SC_PAGESIZE))))
        var found: [pid_t: SandboxProcess] = [:]
        for pid in pids {
            guard let entry = entry(pid) else { continue }
            found[pid] = SandboxProcess(
                pid: pid, parent: entry.parent, innerPID: innerPID(pid), arguments: arguments(pid), state: entry.state,
                cpuSeconds: Double(entry.ownTicks) / ticks, residentBytes: entry.residentPages * page,
                threads: entry.threads)
        }
        var children: [pid_t: [pid_t]] = [:]
        var roots: [pid_t] = []
        for process in found.values {
            if found[process.parent] == nil {
                roots.append(process.pid)
            } else {
                children[process.parent, default: []].append(process.pid)
            }
        }
        var ordered: [SandboxProcess] = []
        var next = roots.sorted(by: >)
        while let pid = next.popLast() {
            if let process = found.removeValue(forKey: pid) { ordered.append(process) }
            next += (children[pid] ?? []).sorted(by: >)
        }
        return ordered
    }

    /// Its id in the innermost namespace; `nil` when that is the host's.
    private static func innerPID(_ pid: pid_t) -> Int32? {
        let text = String(decoding: read("/proc/\(pid)/status", limit: 8192) ?? [], as: UTF8.self)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("NSpid:") }) else { return nil }
        let ids = line.split(whereSeparator: \.isWhitespace).dropFirst()
        return ids.count > 1 ? ids.last.flatMap { Int32($0) } : nil
    }

    /// Bytes these processes and those they waited for read from storage and wrote to it: of a whole sandbox nothing is
    /// missing, since pid 1 waits for whoever nobody else does. `nil` when none of them can be looked at.
    ///
    /// For hosts whose control groups do not count: a group for that alone would make every start slower.
    /// Source: proc_pid_io(5).
    static func storageTraffic(_ pids: [pid_t]) -> (read: Int64?, written: Int64?) {
        var sum: (read: Int64?, written: Int64?) = (nil, nil)
        for pid in pids {
            let path = "/proc/\(pid)/io"
            guard let read = CgroupFile.value("read_bytes:", in: path),
                let written = CgroupFile.value("write_bytes:", in: path)
            else { continue }
            sum = ((sum.read ?? 0) + read, (sum.written ?? 0) + written)
        }
        return sum
    }

    private static func arguments(_ pid: pid_t) -> [String] {
        guard let bytes = read("/proc/\(pid)/cmdline", limit: commandLineBytes), !bytes.isEmpty else {
            let name = read("/proc/\(pid)/comm", limit: 64) ?? []
            return ["[" + SafeText.start(of: name.prefix { $0 != 0x0A }, limit: 64) + "]"]
        }
        var words = bytes.split(separator: 0, omittingEmptySubsequences: false)
        if bytes.last == 0 { words.removeLast() }
        return words.prefix(mostArguments).map { SafeText.start(of: $0, limit: argumentBytes) }
    }

    private static func everyProcess() -> [pid_t] {
        (HostDirectory.names("/proc") ?? []).compactMap { pid_t($0) }
    }

    private static func read(_ path: String, limit: Int) -> [UInt8]? {
        let file = HostDescriptor(open(path, O_RDONLY | O_CLOEXEC))
        guard file.raw >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: limit)
        var length = 0
        while length < limit {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(file.raw, buffer.baseAddress.map { $0 + length }, limit - length)
            }
            if count <= 0 { break }
            length += count
        }
        return Array(bytes.prefix(length))
    }
}
