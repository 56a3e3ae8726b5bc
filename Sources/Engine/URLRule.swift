/// Whether a text counts as a URL for the API.
///
/// `file:/…` does. Anything else needs a scheme, and a host, an opaque part or a fragment; broken percent escapes,
/// blanks and controls are refused.
package enum URLRule {
    package static func accepts(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 0, isLetter(bytes[0]),
            bytes[..<colon].allSatisfy(isSchemeByte), bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7f }),
            hasWholeEscapes(bytes)
        else { return false }
        let rest = bytes[(colon + 1)...]
        let scheme = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
        if scheme == "file" { return rest.first == UInt8(ascii: "/") }
        let fragment = rest.firstIndex(of: UInt8(ascii: "#"))
        if let fragment, fragment + 1 < rest.endIndex { return true }
        guard rest.starts(with: Array("//".utf8)) else {
            // An opaque part is what follows directly; a path alone names no place.
            return rest.first.map { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "?") }
                ?? false
        }
        let authority = rest.dropFirst(2).prefix { !Array("/?#".utf8).contains($0) }
        let host = authority.lastIndex(of: UInt8(ascii: "@")).map { authority[($0 + 1)...] } ?? authority
        let name = host.prefix { $0 != UInt8(ascii: ":") }
        let port = host.dropFirst(name.count + 1)
        if host.first == UInt8(ascii: "[") { return host.contains(UInt8(ascii: "]")) }
        return !name.isEmpty && port.allSatisfy { (48...57).contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || (48...57).contains(byte) || Array("+-.".utf8).contains(byte)
    }

    private static func hasWholeEscapes(_ bytes: [UInt8]) -> Bool {
        func isHex(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
        }
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "%") {
            guard index + 2 < bytes.count, isHex(bytes[index + 1]), isHex(bytes[index + 2]) else { return false }
        }
        return true
    }
}
