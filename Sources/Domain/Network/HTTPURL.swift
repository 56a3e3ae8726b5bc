/// The one reading of a URL: what this holds is what is checked, resolved, dialled and sent.
///
/// Parsers that differ about one text are how address filters are passed, so anything with two readings is refused:
/// user names, fragments, backslashes, spaces, control and non-ASCII characters, empty labels, and numbers in hosts
/// that are not plain dotted decimal (`127.1`, `0x7f000001`, `2130706433`, `127.0.0.1.`).
package struct HTTPURL: Sendable, Hashable {
    package enum Host: Sendable, Hashable {
        /// Lower case, no trailing dot.
        case name(String)
        case address(IPAddress)
    }

    /// Whether the scheme is `https`.
    package var isSecure: Bool
    package var host: Host
    /// 1…65535; the scheme's own when the URL names none.
    package var port: UInt16
    /// Starts with `/`; not decoded, not normalised.
    package var path: String
    /// What follows `?`; `nil` without one.
    package var query: String?

    /// - Throws: `.invalidArgument` saying what is wrong; the message does not repeat the URL, which may hold a secret.
    package init(_ text: String) throws(CodeForgeError) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
            throw HTTPURL.invalid("has a space, a backslash, a control or a non-ASCII character")
        }
        guard text.utf8.count <= 8192 else { throw HTTPURL.invalid("is longer than 8192 bytes") }
        let scheme = text.prefix(8).lowercased()
        let rest: Substring
        if scheme == "https://" {
            isSecure = true
            rest = text.dropFirst(8)
        } else if scheme.hasPrefix("http://") {
            isSecure = false
            rest = text.dropFirst(7)
        } else {
            throw HTTPURL.invalid("starts with neither http:// nor https://")
        }
        guard !rest.contains("#") else { throw HTTPURL.invalid("has a fragment") }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard !rest[..<end].contains("@") else { throw HTTPURL.invalid("holds a user name or password") }
        let authority = try Authority(rest[..<end])
        host = authority.host
        port = authority.port ?? (isSecure ? 443 : 80)
        let mark = rest[end...].firstIndex(of: "?")
        let raw = rest[end..<(mark ?? rest.endIndex)]
        path = raw.isEmpty ? "/" : String(raw)
        query = mark.map { String(rest[rest.index(after: $0)...]) }
    }

    /// `host` or `host:port` with an IPv6 address in brackets.
    package struct Authority: Sendable, Hashable {
        package var host: Host
        package var port: UInt16?

        package init(_ text: some StringProtocol) throws(CodeForgeError) {
            guard text.utf8.allSatisfy({ $0 < 0x80 }) else { throw invalid("has a non-ASCII host") }
            var hostText = Substring(text)
            var portText: Substring?
            if hostText.hasPrefix("[") {
                guard let close = hostText.firstIndex(of: "]"),
                    let address = IPAddress(hostText[hostText.index(after: hostText.startIndex)..<close]),
                    case .v6 = address
                else { throw invalid("has a malformed IPv6 host") }
                host = .address(address)
                let after = hostText[hostText.index(after: close)...]
                if !after.isEmpty {
                    guard after.first == ":" else { throw invalid("has a malformed IPv6 host") }
                    portText = after.dropFirst()
                }
            } else {
                if let colon = hostText.firstIndex(of: ":") {
                    portText = hostText[hostText.index(after: colon)...]
                    hostText = hostText[..<colon]
                }
                host = try HTTPURL.host(hostText)
            }
            if let portText {
                guard !portText.isEmpty, portText.utf8.count <= 5,
                    portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(portText), number > 0
                else { throw invalid("has a malformed port") }
                port = number
            }
        }
    }

    private static func host(_ text: Substring) throws(CodeForgeError) -> Host {
        if let address = IPAddress(text), case .v4 = address { return .address(address) }
        var name = text.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, !labels.isEmpty else { throw invalid("has no host, or one that is too long") }
        for label in labels {
            guard (1...63).contains(label.utf8.count),
                label.utf8.allSatisfy({
                    (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x5F
                })
            else { throw invalid("has a malformed host") }
        }
        // C libraries read a host whose last label is a number as an IPv4 address in one of many forms.
        if let last = labels.last, last.utf8.first.map({ (0x30...0x39).contains($0) }) == true,
            last.utf8.allSatisfy({ (0x30...0x39).contains($0) }) || last.hasPrefix("0x")
        {
            throw invalid("has a number for a host that is not a plain IPv4 address")
        }
        return .name(name)
    }

    private static func invalid(_ what: String) -> CodeForgeError {
        CodeForgeError(.invalidArgument, "the URL \(what)")
    }

    /// `host` or `host:port` as the `Host` header has it: no port when it is the scheme's own.
    package var authority: String { port == (isSecure ? 443 : 80) ? "\(host)" : "\(host):\(port)" }

    /// Scheme, host and port without a trailing slash.
    package var origin: String { (isSecure ? "https://" : "http://") + authority }
}

extension HTTPURL.Host: CustomStringConvertible {
    /// As it stands in a URL: an IPv6 address in brackets.
    package var description: String {
        switch self {
        case .name(let name): name
        case .address(.v4(let bits)): "\(IPAddress.v4(bits))"
        case .address(let address): "[\(address)]"
        }
    }
}

extension HTTPURL: CustomStringConvertible {
    /// The canonical text; reading it gives the same value.
    package var description: String { origin + path + (query.map { "?" + $0 } ?? "") }
}
