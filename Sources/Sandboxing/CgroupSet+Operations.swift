import Domain
import Glibc

/// What operators ask of the control groups of a running sandbox.
extension CgroupSet {
    // MARK: use

    /// Processor time, memory, processes and storage traffic, as far as the groups here account for them.
    func gauges() -> SandboxStatus.Usage {
        var usage = SandboxStatus.Usage()
        if let directory = legacy["memory"] {
            usage.memory.now = CgroupFile.number("\(directory)/\(CgroupFile.v1MemoryNow)")
            usage.memory.peak = CgroupFile.number("\(directory)/\(CgroupFile.v1MemoryPeak)")
            usage.memory.limit = CgroupFile.number("\(directory)/\(CgroupFile.v1Memory)")
        } else if let directory = unified {
            usage.memory.now = CgroupFile.number("\(directory)/\(CgroupFile.memoryNow)")
            usage.memory.peak = CgroupFile.number("\(directory)/\(CgroupFile.memoryPeak)")
            usage.memory.limit = CgroupFile.number("\(directory)/\(CgroupFile.memoryMaximum)")
        }
        if let directory = legacy["pids"] ?? unified {
            usage.processes.now = CgroupFile.number("\(directory)/\(CgroupFile.processesNow)")
            usage.processes.peak = CgroupFile.number("\(directory)/\(CgroupFile.processesPeak)")
            usage.processes.limit = CgroupFile.number("\(directory)/\(CgroupFile.processMaximum)")
        }
        if let unified {
            let microseconds = CgroupFile.value("usage_usec", in: "\(unified)/\(CgroupFile.cpuStatistics)")
            usage.cpuSeconds = Double(microseconds ?? 0) / 1_000_000
            (usage.readBytes, usage.writtenBytes) = blockTraffic(unified)
        }
        return usage
    }

    /// Sums over the devices of `io.stat`; `nil` without the controller.
    private func blockTraffic(_ directory: String) -> (read: Int64?, written: Int64?) {
        guard let text = CgroupFile.read("\(directory)/\(CgroupFile.blockStatistics)") else { return (nil, nil) }
        var (read, written): (Int64, Int64) = (0, 0)
        for word in text.split(whereSeparator: \.isWhitespace) {
            if word.hasPrefix("rbytes=") { read += Int64(word.dropFirst(7)) ?? 0 }
            if word.hasPrefix("wbytes=") { written += Int64(word.dropFirst(7)) ?? 0 }
        }
        return (read, written)
    }

    /// Whether the unified group accounts for processor time.
    var countsProcessorTime: Bool { unified != nil }

    /// Host ids of everything in the groups; `nil` without any.
    func processIDs() -> [pid_t]? {
        guard let directory = unified ?? legacy["pids"] ?? legacy.values.first,
            let text = CgroupFile.read("\(directory)/\(CgroupFile.processes)")
        else { return nil }
        return text.split(separator: "\n").compactMap { pid_t($0) }
    }

    // MARK: freezer

    /// Stops or starts every process, and returns when all are.
    ///
    /// - Throws: `.unavailable` without a freezer, or when something does not stop (it then runs on).
    func setFrozen(_ frozen: Bool) throws(CodeForgeError) {
        let (path, value, stateFile, wanted): (String, String, String, String)
        if let unified, access("\(unified)/\(CgroupFile.freeze)", W_OK) == 0 {
            (path, value) = ("\(unified)/\(CgroupFile.freeze)", frozen ? "1" : "0")
            (stateFile, wanted) = ("\(unified)/\(CgroupFile.events)", "frozen \(frozen ? 1 : 0)")
        } else if let directory = legacy["freezer"] {
            (path, value) = ("\(directory)/\(CgroupFile.v1FreezerState)", frozen ? "FROZEN" : "THAWED")
            (stateFile, wanted) = (path, value)
        } else {
            throw CodeForgeError(.unavailable, "this host cannot pause a sandbox: no control group freezer is usable")
        }
        if let code = CgroupFile.write(path, value) {
            throw CodeForgeError(.unavailable, "cannot write \(value) to \(path): \(Sandboxing.describe(code))")
        }
        for _ in 0..<500 {
            let lines = (CgroupFile.read(stateFile) ?? "").split(separator: "\n")
            if lines.contains(where: { $0 == wanted }) { return }
            usleep(2000)
        }
        if frozen { thaw() }
        throw CodeForgeError(.unavailable, "a process of the sandbox does not \(frozen ? "stop" : "go on")")
    }

    /// Lets frozen processes run, so that they can die: a v1 freezer holds even those that were killed.
    func thaw() {
        if let unified { _ = CgroupFile.write("\(unified)/\(CgroupFile.freeze)", "0") }
        if let directory = legacy["freezer"] {
            _ = CgroupFile.write("\(directory)/\(CgroupFile.v1FreezerState)", "THAWED")
        }
    }
}
