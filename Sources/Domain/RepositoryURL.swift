/// A repository URL taken apart, without looking at more than its form.
///
/// The parser is ours and deliberately narrow, so that what is shown, matched and dialled is one and the same host.
public struct RepositoryURL: Sendable, Hashable {
    /// How the repository is reached.
    public enum Scheme: String, Sendable { case http, https, file, other }

    public var scheme: Scheme
    /// Lower-case host name; empty for `file`.
    public var host: String
    /// `nil` when the URL names none.
    public var port: Int?
    /// User name and password that stood in the URL, percent-decoded; never passed on inside a URL.
    public var user: String?
    public var password: String?
    /// Begins with `/`. For `file` the absolute path on the host, percent-decoded.
    public var path: String

    /// - Returns: `nil` when the text has no scheme, or a host that is none.
    public init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else { return nil }
        let name = text[..<colon].lowercased()
        guard name.utf8.allSatisfy({ RepositoryURL.isSchemeByte($0) }) else { return nil }
        var rest = text[text.index(after: colon)...]
        if name == "file" {
            if rest.hasPrefix("//") {
                rest = rest.dropFirst(2)
                guard let slash = rest.firstIndex(of: "/") else { return nil }
                let authority = rest[..<slash].lowercased()
                guard authority.isEmpty || authority == "localhost" else { return nil }
                rest = rest[slash...]
            }
            guard rest.hasPrefix("/"), let path = PercentEncoding.decoded(rest) else { return nil }
            self.init(scheme: .file, host: "", port: nil, user: nil, password: nil, path: path)
            return
        }
        guard rest.hasPrefix("//") else { return nil }
        rest = rest.dropFirst(2)
        let end = rest.firstIndex(where: { "/?#".contains($0) }) ?? rest.endIndex
        var authority = rest[..<end]
        var user: String?
        var password: String?
        if let at = authority.lastIndex(of: "@") {
            let info = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = info.first.flatMap { PercentEncoding.decoded($0) }
            password = info.count > 1 ? PercentEncoding.decoded(info[1]) : nil
            authority = authority[authority.index(after: at)...]
        }
        var port: Int?
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            let digits = authority[authority.index(after: colon)...]
            guard let value = UInt16(digits), value > 0 else { return nil }
            port = Int(value)
            authority = authority[..<colon]
        }
        let host = authority.lowercased()
        guard !host.isEmpty, host.utf8.allSatisfy({ RepositoryURL.isHostByte($0) }) else { return nil }
        let path = rest[end...]
        guard !path.contains(where: { "?#".contains($0) }) else { return nil }
        self.init(
            scheme: Scheme(rawValue: name) ?? .other, host: host, port: port, user: user, password: password,
            path: path.isEmpty ? "/" : String(path))
    }

    private init(scheme: Scheme, host: String, port: Int?, user: String?, password: String?, path: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.path = path
    }

    /// `host` or `host:port`.
    public var authority: String { port.map { "\(host):\($0)" } ?? host }

    /// The URL without user name and password.
    public var withoutCredentials: String {
        scheme == .file ? "file://\(path)" : "\(scheme.rawValue)://\(authority)\(path)"
    }

    /// The URL as it may be shown: any user information replaced by `***`. Works on text that is no URL at all.
    public static func masked(_ text: String) -> String {
        guard let start = text.range(of: "://")?.upperBound else { return text }
        let end = text[start...].firstIndex(where: { "/?#".contains($0) }) ?? text.endIndex
        guard let at = text[start..<end].lastIndex(of: "@") else { return text }
        return text[..<start] + "***" + text[at...]
    }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        isSchemeByte(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
            || byte == UInt8(ascii: ":")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
}

extension StringProtocol {
    /// The first place of `needle`, byte by byte. The standard library has it only behind Foundation.
    fileprivate func range(of needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
