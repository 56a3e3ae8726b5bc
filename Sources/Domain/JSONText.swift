/// Writing text as a JSON string, for input nobody vouches for.
extension [UInt8] {
    /// Appends `text` as a JSON string, quotes included.
    ///
    /// Control characters, the quote and the backslash are escaped (RFC 8259 §7; DEL and U+2028/9 need not be). What is
    /// not UTF-8 becomes U+FFFD, one for each maximal well-formed beginning, as the Unicode Standard recommends (§3.9):
    /// the result is always valid, whatever a program printed.
    public mutating func appendJSONString(_ text: some Collection<UInt8>) {
        let done: Void? = text.withContiguousStorageIfAvailable { appendJSONString(buffer: $0) }
        if done == nil { Array(text).withUnsafeBufferPointer { appendJSONString(buffer: $0) } }
    }

    private mutating func appendJSONString(buffer text: UnsafeBufferPointer<UInt8>) {
        reserveRoom(for: text.count + 2)
        append(UInt8(ascii: "\""))
        var index = 0
        var copied = 0  // everything before it is in the output
        while index < text.count {
            let byte = text[index]
            if byte < 0x80 {
                if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
                    index += 1
                    continue
                }
                append(contentsOf: UnsafeBufferPointer(rebasing: text[copied..<index]))
                appendEscape(of: byte)
                index += 1
                copied = index
            } else {
                let sequence = UTF8Sequence(at: index, in: text)
                if !sequence.isValid {
                    append(contentsOf: UnsafeBufferPointer(rebasing: text[copied..<index]))
                    append(contentsOf: UTF8Sequence.replacement)
                    copied = index + sequence.length
                }
                index += sequence.length
            }
        }
        append(contentsOf: UnsafeBufferPointer(rebasing: text[copied...]))
        append(UInt8(ascii: "\""))
    }

    /// Appends `bytes` as text: what is not UTF-8 becomes U+FFFD.
    public mutating func appendRepaired(_ bytes: some Collection<UInt8>) {
        append(contentsOf: String(decoding: bytes, as: UTF8.self).utf8)
    }

    /// Like `reserveCapacity`, but keeps growth geometric when called again and again.
    private mutating func reserveRoom(for more: Int) {
        if capacity - count < more { reserveCapacity(Swift.max(count + more, capacity * 2)) }
    }

    private mutating func appendEscape(of byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0D: append(UInt8(ascii: "r"))
        case 0x09: append(UInt8(ascii: "t"))
        default:
            let low = byte & 15
            append(contentsOf: "u00".utf8)
            append(UInt8(ascii: "0") + byte >> 4)
            append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
        }
    }
}

/// The sequence that starts with a byte ≥ 0x80: its length, or how much of it is well-formed before it breaks off.
private struct UTF8Sequence {
    static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    var length: Int
    var isValid: Bool

    /// Source: The Unicode Standard, table 3-7.
    init(at start: Int, in text: UnsafeBufferPointer<UInt8>) {
        let expected: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch text[start] {
        case 0xC2...0xDF: expected = 2
        case 0xE0: (expected, second) = (3, 0xA0...0xBF)
        case 0xED: (expected, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: expected = 3
        case 0xF0: (expected, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: expected = 4
        case 0xF4: (expected, second) = (4, 0x80...0x8F)
        default:
            (length, isValid) = (1, false)
            return
        }
        length = 1
        while length < expected, start + length < text.count,
            (length == 1 ? second : 0x80...0xBF).contains(text[start + length])
        {
            length += 1
        }
        isValid = length == expected
    }
}
