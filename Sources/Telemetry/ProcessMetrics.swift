import Glibc
import HostProcess

/// Figures of this process in Prometheus' text format, under the names every client library uses.
package enum ProcessMetrics {
    /// Reads `/proc/self`: short, and never waits for a device. Empty where it can't be read.
    package static func text() -> String {
        var out = ""
        func gauge(_ name: String, _ help: String, _ value: String, _ kind: String = "gauge") {
            out += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n\(name) \(value)\n"
        }
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            let microseconds = Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
            gauge(
                "process_cpu_seconds_total",
                "User and system time.",
                "\(seconds + microseconds / 1_000_000)",
                "counter"
            )
        }
        if let pages = read("/proc/self/statm").split(separator: " ").dropFirst().first.flatMap({ Int($0) }) {
            gauge(
                "process_resident_memory_bytes",
                "Resident memory.",
                String(pages * Int(sysconf(Int32(_SC_PAGESIZE))))
            )
        }
        if let count = openDescriptors() { gauge("process_open_fds", "Open file descriptors.", String(count)) }
        return out
    }

    private static func read(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private static func openDescriptors() -> Int? {
        HostDirectory.names("/proc/self/fd").map { $0.count - 1 }  // without the directory itself
    }
}
