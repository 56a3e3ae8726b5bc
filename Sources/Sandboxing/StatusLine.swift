import FoundationEssentials

/// One JSON line of the shim's status descriptor.
struct StatusLine: Decodable, Equatable {
    enum Event: String, Decodable {
        /// Pid 1 exists.
        case born
        /// The payload was executed.
        case running
        /// The payload ended.
        case exit
        /// A step failed; nothing runs.
        case failed
    }

    var event: Event
    var pid: Int32?
    var step: String?
    var errno: Int32?
    var detail: String?
    var code: Int32?
    var signal: Int32?
}

/// Cuts a byte stream into status lines.
struct StatusReader {
    private var pending: [UInt8] = []

    /// Lines completed by `bytes`; a line that is not ours is dropped.
    mutating func read(_ bytes: some Sequence<UInt8>) -> [StatusLine] {
        pending += bytes
        var lines: [StatusLine] = []
        while let end = pending.firstIndex(of: 0x0A) {
            // Only the shim's own code writes here; what cannot be read is covered by the shim's exit status.
            if let line = try? JSONDecoder().decode(StatusLine.self, from: Data(pending[..<end])) { lines.append(line) }
            pending.removeSubrange(...end)
        }
        return lines
    }
}
