/// Hosts a sandbox may reach through the gateway's proxy, by name: the decision before any name is looked up.
///
/// An entry is `name`, `*.name` or an IP address (IPv6 in brackets), each with or without `:port`. A wildcard takes
/// every name below `name` at any depth, and not `name` itself. Without a port an entry opens the default one of the
/// way in: 443 for a tunnel (`CONNECT`), 80 for plain `http`. An address is reached only as the address: no name that
/// resolves to it is meant.
package struct EgressList: Sendable, Hashable {
    private struct Entry: Sendable, Hashable {
        var host: HTTPURL.Host
        var port: UInt16?
        /// Whether the names below `host` are meant.
        var isWildcard: Bool
    }

    private var entries: [Entry] = []

    package var isEmpty: Bool { entries.isEmpty }

    package init() {}

    /// - Throws: `.invalidArgument` naming the first entry that is malformed, or whose wildcard is wider than two labels
    ///   (`*.com`).
    package init(_ texts: [String]) throws(CodeForgeError) {
        for text in texts { entries.append(try EgressList.entry(text)) }
    }

    private static func entry(_ text: String) throws(CodeForgeError) -> Entry {
        let isWildcard = text.hasPrefix("*.")
        guard let authority = try? HTTPURL.Authority(isWildcard ? text.dropFirst(2) : text[...]) else {
            throw invalid(text, "expected host, *.host or an IP address, each with an optional :port")
        }
        if isWildcard {
            guard case .name(let name) = authority.host else { throw invalid(text, "an address has no names below it") }
            guard name.contains(".") else { throw invalid(text, "a wildcard needs two labels or more behind it") }
        }
        return Entry(host: authority.host, port: authority.port, isWildcard: isWildcard)
    }

    private static func invalid(_ text: String, _ why: String) -> CodeForgeError {
        CodeForgeError(.invalidArgument, "egress entry \"\(text.prefix(300))\": \(why)")
    }

    /// - Parameter usual: The port that entries without one open.
    package func permits(_ host: HTTPURL.Host, port: UInt16, usual: UInt16) -> Bool {
        entries.contains { entry in
            guard port == entry.port ?? usual else { return false }
            guard entry.isWildcard else { return entry.host == host }
            guard case .name(let suffix) = entry.host, case .name(let name) = host else { return false }
            return name.hasSuffix("." + suffix) && name.utf8.count > suffix.utf8.count + 1
        }
    }
}
