/// An IPv4 or IPv6 address, and what kind of network it belongs to.
package enum IPAddress: Sendable, Hashable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    package enum Kind: Sendable {
        /// Reachable across the Internet by its own meaning.
        case global
        /// This host.
        case loopback
        /// Private, shared (carrier NAT) and unique local ranges.
        case local
        /// Link-local and provider metadata addresses.
        case linkLocal
        /// Never a peer to dial: unspecified, multicast, broadcast, documentation, reserved, and every IPv6 form that
        /// carries an IPv4 address inside (mapped, compatible, 6to4, Teredo, NAT64).
        case unusable

        /// What it is called in messages.
        package var phrase: String {
            switch self {
            case .global: "a public address"
            case .loopback: "a loopback address"
            case .local: "a private address"
            case .linkLocal: "a link-local or metadata address"
            case .unusable: "not an address to dial"
            }
        }
    }

    /// Sources: the IANA special-purpose address registries (RFC 6890 and successors) and RFC 4291; IPv6 outside
    /// 2000::/3 has no global unicast. 168.63.129.16 is Azure's host agent, inside an otherwise public range.
    package var kind: Kind {
        switch self {
        case .v4(let bits):
            for (network, length, kind) in IPAddress.v4Ranges where bits >> (32 - length) == network >> (32 - length) {
                return kind
            }
            return .global
        case .v6(let high, let low):
            if high == 0 && low == 1 { return .loopback }
            if high >> 57 == 0xFC >> 1 { return .local }
            if high >> 54 == 0xFE80 >> 6 { return .linkLocal }
            guard high >> 61 == 0b001 else { return .unusable }
            let first = high >> 32
            if first >> 9 == 0x2001_0000 >> 9 || first == 0x2001_0DB8 { return .unusable }
            if first >> 16 == 0x2002 || first >> 12 == 0x3FFF_0000 >> 12 { return .unusable }
            return .global
        }
    }

    private static let v4Ranges: [(UInt32, UInt32, Kind)] = [
        (0x0000_0000, 8, .unusable), (0x0A00_0000, 8, .local), (0x6440_0000, 10, .local), (0x7F00_0000, 8, .loopback),
        (0xA9FE_0000, 16, .linkLocal), (0xA83F_8110, 32, .linkLocal), (0xAC10_0000, 12, .local),
        (0xC000_0000, 24, .unusable), (0xC000_0200, 24, .unusable), (0xC058_6300, 24, .unusable),
        (0xC0A8_0000, 16, .local), (0xC612_0000, 15, .unusable), (0xC633_6400, 24, .unusable),
        (0xCB00_7100, 24, .unusable), (0xE000_0000, 4, .unusable), (0xF000_0000, 4, .unusable),
    ]

    /// Reads four decimal numbers without leading zeros, or an RFC 4291 text form without a zone; nothing else.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count <= 45 else { return nil }
        if bytes.contains(UInt8(ascii: ":")) {
            guard let words = IPAddress.words(bytes[...]) else { return nil }
            let value = words.map(UInt64.init)
            self = .v6(
                high: value[0] << 48 | value[1] << 32 | value[2] << 16 | value[3],
                low: value[4] << 48 | value[5] << 32 | value[6] << 16 | value[7]
            )
        } else {
            guard let bits = IPAddress.quad(bytes[...]) else { return nil }
            self = .v4(bits)
        }
    }

    private static func quad(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }),
                part.count == 1 || part.first != 0x30
            else { return nil }
            let number = part.reduce(UInt32(0)) { $0 * 10 + UInt32($1 - 0x30) }
            guard number <= 255 else { return nil }
            bits = bits << 8 | number
        }
        return bits
    }

    private static func words(_ text: ArraySlice<UInt8>) -> [UInt16]? {
        let colon = UInt8(ascii: ":")
        var gap: Int?
        for i in text.indices.dropLast() where text[i] == colon && text[i + 1] == colon {
            guard gap == nil else { return nil }
            gap = i
        }
        guard let gap else {
            let words = group(text, last: true)
            return words?.count == 8 ? words : nil
        }
        let tail = text[(gap + 2)...]
        guard let before = group(text[..<gap], last: false), let after = group(tail, last: true),
            before.count + after.count < 8
        else { return nil }
        return before + Array(repeating: 0, count: 8 - before.count - after.count) + after
    }

    private static func group(_ text: ArraySlice<UInt8>, last: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        var words: [UInt16] = []
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for (i, part) in parts.enumerated() {
            if last, i == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let bits = quad(part) else { return nil }
                words += [UInt16(bits >> 16), UInt16(bits & 0xFFFF)]
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var word: UInt16 = 0
            for byte in part {
                switch byte {
                case 0x30...0x39: word = word << 4 | UInt16(byte - 0x30)
                case 0x41...0x46: word = word << 4 | UInt16(byte - 0x41 + 10)
                case 0x61...0x66: word = word << 4 | UInt16(byte - 0x61 + 10)
                default: return nil
                }
            }
            words.append(word)
        }
        return words.count <= 8 ? words : nil
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted decimal, or eight hexadecimal groups; IPv6 is not shortened.
    package var description: String {
        switch self {
        case .v4(let bits): (0..<4).map { String(bits >> (24 - 8 * $0) & 0xFF) }.joined(separator: ".")
        case .v6(let high, let low):
            (0..<8).map { String(($0 < 4 ? high : low) >> UInt64(48 - 16 * ($0 % 4)) & 0xFFFF, radix: 16) }
                .joined(separator: ":")
        }
    }
}
