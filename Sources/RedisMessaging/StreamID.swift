/// Id of a stream entry, ordered. Source: Redis documentation, "Streams: entry IDs".
struct StreamID: Sendable, Hashable, Comparable, CustomStringConvertible {
    var milliseconds: UInt64
    var sequence: UInt64

    static let zero = StreamID(milliseconds: 0, sequence: 0)

    init(milliseconds: UInt64, sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    /// Reads `<ms>-<sequence>` or `<ms>` (sequence 0); `nil` for anything else.
    init?(_ text: some Collection<UInt8>) {
        var parts: (UInt64, UInt64) = (0, 0)
        var digits = 0
        var inSequence = false
        for byte in text {
            if byte == UInt8(ascii: "-"), !inSequence, digits > 0 {
                inSequence = true
                digits = 0
                continue
            }
            guard byte >= 48, byte <= 57 else { return nil }
            let (product, overflow) = (inSequence ? parts.1 : parts.0).multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte - 48))
            guard !overflow, !carry else { return nil }
            if inSequence { parts.1 = sum } else { parts.0 = sum }
            digits += 1
        }
        guard digits > 0 else { return nil }
        self.init(milliseconds: parts.0, sequence: parts.1)
    }

    static func < (a: StreamID, b: StreamID) -> Bool {
        a.milliseconds == b.milliseconds ? a.sequence < b.sequence : a.milliseconds < b.milliseconds
    }

    var description: String { "\(milliseconds)-\(sequence)" }
}
