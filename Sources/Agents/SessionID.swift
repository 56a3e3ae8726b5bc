/// A CLI's name for a conversation of its own.
///
/// It comes from a CLI's output, which the agent's work can forge, and ends up in an argument list: only what can't be
/// mistaken for an option or a path passes.
package enum SessionID {
    /// Letters, digits, `-` and `_`, the first a letter or digit; at most 64.
    package static func isValid(_ id: String) -> Bool {
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default: false
            }
        }
        let bytes = id.utf8
        guard let first = bytes.first, isLetterOrDigit(first), bytes.count <= 64 else { return false }
        return bytes.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }
}
