import Domain

/// One JSON value where it stands in a line, checked once and read in place.
struct JSONView {
    /// Exactly the value, without space around it.
    private let bytes: ArraySlice<UInt8>

    /// Checks a whole line. What is not UTF-8 in it is repaired first.
    ///
    /// - Returns: `nil` unless the line is one JSON value with nothing but space around it.
    init?(line: ArraySlice<UInt8>) {
        var scanner = JSONScanner(JSONView.repaired(line))
        scanner.skipSpace()
        let start = scanner.position
        guard scanner.skipValue() else { return nil }
        let end = scanner.position
        scanner.skipSpace()
        guard scanner.current == nil else { return nil }
        bytes = scanner.bytes[start..<end]
    }

    private init(checked bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    var count: Int { bytes.count }
    var isObject: Bool { bytes.first == UInt8(ascii: "{") }
    var isTrue: Bool { bytes.first == UInt8(ascii: "t") }

    /// The value as it was written, save that space which breaks lines is a blank: an event is one line, and a carriage
    /// return ends a line of an event stream too.
    var oneLine: ArraySlice<UInt8> {
        guard bytes.contains(where: { $0 == 0x0D || $0 == 0x0A }) else { return bytes }
        // Never inside a string: there it is escaped.
        return ArraySlice(bytes.map { $0 == 0x0D || $0 == 0x0A ? 0x20 : $0 })
    }

    /// The member of an object; of equal names the last, as most readers do.
    subscript(name: StaticString) -> JSONView? {
        var found: JSONView?
        forEachElement { key, value in
            if let key, key.matches(name) { found = value }
        }
        return found
    }

    /// The elements of an array; `nil` when it is none.
    var elements: [JSONView]? {
        guard bytes.first == UInt8(ascii: "[") else { return nil }
        var elements: [JSONView] = []
        forEachElement { _, value in elements.append(value) }
        return elements
    }

    /// The text of a string, as UTF-8; `nil` when it is none. A lone surrogate becomes U+FFFD.
    var text: [UInt8]? {
        guard bytes.first == UInt8(ascii: "\"") else { return nil }
        let inner = bytes.dropFirst().dropLast()
        guard inner.contains(UInt8(ascii: "\\")) else { return Array(inner) }
        return JSONView.unescaped(inner)
    }

    var string: String? { text.map { String(decoding: $0, as: UTF8.self) } }

    /// A number without fraction that fits.
    var integer: Int? {
        guard let first = bytes.first, first == UInt8(ascii: "-") || first >= UInt8(ascii: "0") else { return nil }
        return Int(String(decoding: bytes, as: UTF8.self))
    }

    /// Any number that a `Double` can hold.
    var number: Double? {
        guard let first = bytes.first, first == UInt8(ascii: "-") || (48...57).contains(first) else { return nil }
        return Double(String(decoding: bytes, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
    }

    /// Whether a string equals a name of ours.
    func matches(_ name: StaticString) -> Bool {
        guard let text, text.count == name.utf8CodeUnitCount else { return false }
        return text.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    private func forEachElement(_ body: (_ key: JSONView?, _ value: JSONView) -> Void) {
        let named = isObject
        guard named || bytes.first == UInt8(ascii: "[") else { return }
        var scanner = JSONScanner(bytes, at: bytes.startIndex + 1)
        let last = bytes.endIndex - 1
        scanner.skipSpace()
        while scanner.position < last {
            var key: JSONView?
            if named {
                let start = scanner.position
                guard scanner.skipString() else { return }  // not after the check
                key = JSONView(checked: bytes[start..<scanner.position])
                scanner.skipSpace()
                _ = scanner.take(UInt8(ascii: ":"))
                scanner.skipSpace()
            }
            let start = scanner.position
            guard scanner.skipValue() else { return }  // not after the check
            body(key, JSONView(checked: bytes[start..<scanner.position]))
            scanner.skipSpace()
            _ = scanner.take(UInt8(ascii: ","))
            scanner.skipSpace()
        }
    }

    private static func repaired(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if line.allSatisfy({ $0 < 0x80 }) { return line }
        var repaired: [UInt8] = []
        repaired.appendRepaired(line)
        return repaired[...]
    }

    private static func unescaped(_ inner: ArraySlice<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(inner.count)
        var index = inner.startIndex
        /// Reads four hex digits after `\u`, when they are there.
        func unit(at index: Int) -> UInt32? {
            guard index + 6 <= inner.endIndex, inner[index] == UInt8(ascii: "\\"),
                inner[index + 1] == UInt8(ascii: "u")
            else { return nil }
            return inner[index + 2..<index + 6].reduce(0) { $0 << 4 | (JSONScanner.hexValue($1) ?? 0) }
        }
        while index < inner.endIndex {
            guard inner[index] == UInt8(ascii: "\\") else {
                text.append(inner[index])
                index += 1
                continue
            }
            if let high = unit(at: index) {
                var value = high
                index += 6
                if (0xD800...0xDBFF).contains(high), let low = unit(at: index), (0xDC00...0xDFFF).contains(low) {
                    value = 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
                    index += 6
                }
                text.append(contentsOf: String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8)
            } else {
                switch inner[index + 1] {
                case UInt8(ascii: "b"): text.append(0x08)
                case UInt8(ascii: "f"): text.append(0x0C)
                case UInt8(ascii: "n"): text.append(0x0A)
                case UInt8(ascii: "r"): text.append(0x0D)
                case UInt8(ascii: "t"): text.append(0x09)
                case let byte: text.append(byte)
                }
                index += 2
            }
        }
        return text
    }
}
