import CLinux
import Glibc
import HostProcess

/// Kernel file names of control groups, in one place.
enum CgroupFile {
    static let processes = "cgroup.procs"
    static let controllers = "cgroup.controllers"
    static let subtree = "cgroup.subtree_control"
    static let kill = "cgroup.kill"
    static let freeze = "cgroup.freeze"
    static let events = "cgroup.events"
    static let cpuStatistics = "cpu.stat"
    static let memoryMaximum = "memory.max"
    static let swapMaximum = "memory.swap.max"
    static let memoryGroupKill = "memory.oom.group"
    static let memoryNow = "memory.current"
    static let memoryPeak = "memory.peak"
    static let memoryEvents = "memory.events"
    static let processMaximum = "pids.max"
    static let processesNow = "pids.current"
    static let processesPeak = "pids.peak"
    static let processEvents = "pids.events"
    static let cpuMaximum = "cpu.max"
    static let blockStatistics = "io.stat"
    static let cpuWeight = "cpu.weight"
    static let v1CPUShares = "cpu.shares"
    static let v1Memory = "memory.limit_in_bytes"
    static let v1MemoryAndSwap = "memory.memsw.limit_in_bytes"
    static let v1MemoryNow = "memory.usage_in_bytes"
    static let v1MemoryPeak = "memory.max_usage_in_bytes"
    static let v1OutOfMemory = "memory.oom_control"
    static let v1EventControl = "cgroup.event_control"
    static let v1FreezerState = "freezer.state"
    static let v1CPUQuota = "cpu.cfs_quota_us"
    static let v1CPUPeriod = "cpu.cfs_period_us"

    /// Writes a whole value; `nil` on success, else the errno.
    static func write(_ path: String, _ value: String) -> Int32? {
        let file = HostDescriptor(open(path, O_WRONLY | O_CLOEXEC))
        guard file.raw >= 0 else { return errno }
        let bytes = Array(value.utf8)
        return Glibc.write(file.raw, bytes, bytes.count) == bytes.count ? nil : errno
    }

    /// A small file's text; `nil` when it cannot be read.
    static func read(_ path: String) -> String? {
        let file = HostDescriptor(open(path, O_RDONLY | O_CLOEXEC))
        guard file.raw >= 0 else { return nil }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(file.raw, &buffer, buffer.count)
            if count <= 0 { break }
            text += buffer[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The number after `key` in a "key value" file.
    static func value(_ key: String, in path: String) -> Int64? {
        guard let text = read(path) else { return nil }
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, parts[0] == key { return Int64(parts[1]) }
        }
        return nil
    }

    /// The only number of a file.
    static func number(_ path: String) -> Int64? {
        read(path).flatMap { Int64($0.split(whereSeparator: \.isWhitespace).first ?? "") }
    }
}
