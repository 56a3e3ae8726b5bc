/// Names repositories by host and path, such as `github.com/acme/*`.
///
/// Compared part by part, without regard to case: in a part `*` stands for any text, and a last part `**` for one or
/// more parts. A repository of this host is written as its path: `/srv/git/*`.
public struct RepositoryPattern: Sendable, Hashable {
    public let text: String
    private let parts: [String]

    /// - Returns: `nil` when the text has no path, an empty part, or `**` anywhere but as its last part.
    public init?(_ text: String) {
        self.text = text
        parts = text.lowercased().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1, parts.dropFirst().allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }),
            parts.dropLast().allSatisfy({ !$0.contains("**") }),
            parts.last.map({ $0 == "**" || !$0.contains("**") }) == true,
            !text.contains(where: { $0.isWhitespace || "?#@%".contains($0) })
        else { return nil }
    }

    /// How much of it is literal: of two patterns that match, the one with more says more.
    public var literalCount: Int { parts.reduce(0) { $0 + $1.utf8.count { $0 != UInt8(ascii: "*") } } }

    public func matches(_ url: RepositoryURL) -> Bool {
        let name = RepositoryPattern.parts(of: url)
        var pattern = parts[...]
        if pattern.last == "**" {
            pattern.removeLast()
            guard name.count > pattern.count else { return false }
        } else if name.count != pattern.count {
            return false
        }
        return zip(pattern, name).allSatisfy { RepositoryPattern.matches(Array($0.utf8)[...], Array($1.utf8)[...]) }
    }

    /// What the forge makes of the URL: no default port, no escapes, no `.`, `..` or empty parts, no `.git`.
    private static func parts(of url: RepositoryURL) -> [String] {
        let isDefaultPort = url.port == (url.scheme == .https ? 443 : 80)
        var parts = [isDefaultPort ? url.host : url.authority]
        let path = url.scheme == .file ? url.path : PercentEncoding.decoded(url.path) ?? url.path
        for part in path.lowercased().split(separator: "/") where part != "." {
            if part == ".." {
                if parts.count > 1 { parts.removeLast() }
            } else {
                parts.append(String(part))
            }
        }
        if let last = parts.last, parts.count > 1, last.hasSuffix(".git"), last != ".git" {
            parts[parts.count - 1] = String(last.dropLast(".git".count))
        }
        return parts
    }

    /// Whether `text` is `pattern` with some text for each `*`: the last star takes one byte more at each mismatch.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        var (p, t) = (pattern.startIndex, text.startIndex)
        var star: (pattern: Int, text: Int)?
        while t < text.endIndex {
            if p < pattern.endIndex, pattern[p] == UInt8(ascii: "*") {
                p += 1
                star = (p, t)
            } else if p < pattern.endIndex, pattern[p] == text[t] {
                p += 1
                t += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                (p, t) = (last.pattern, last.text + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
