import Domain

/// What a template can call.
enum TemplateFunction: String, CaseIterable, Sendable {
    case repoPath, repoHost, projectPath, urlEncode
    // Of Go's own.
    case eq, ne, and, or, not

    var arguments: ClosedRange<Int> {
        switch self {
        case .repoPath, .repoHost, .projectPath, .urlEncode, .not: 1...1
        case .ne: 2...2
        case .eq: 2...64
        case .and, .or: 1...64
        }
    }

    var wanted: String {
        switch self {
        case .repoPath, .repoHost, .projectPath, .urlEncode, .not: "one argument"
        case .ne: "two arguments"
        case .eq: "2 to 64 arguments"
        case .and, .or: "1 to 64 arguments"
        }
    }
}

/// Names a repository's URL holds, in whatever form git takes it.
///
/// Not `RepositoryURL`: these parts go into requests of the author's choosing, and an odd URL gives an odd part rather
/// than an error.
struct RepositoryParts {
    /// `https://host:port`; empty when the URL names no host.
    let host: String
    /// Without slashes around it and without `.git`.
    let path: String

    /// Longest URL that is taken apart, in bytes; a longer one has no parts.
    private static let longest = 8192

    init(_ url: String) {
        guard url.utf8.count <= RepositoryParts.longest else {
            (host, path) = ("", "")
            return
        }
        let text = url.prefix { $0 != "?" && $0 != "#" }
        var rest: Substring
        if let scheme = RepositoryParts.scheme(of: text) {
            let after = text[text.index(scheme.endIndex, offsetBy: 3)...]
            let authority = after.prefix { $0 != "/" }
            rest = after.dropFirst(authority.count)
            let name = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
            if scheme == "http" || scheme == "https" {
                host = name.isEmpty ? "" : "\(scheme)://\(name)"
            } else {
                // Its port is not that of the web.
                let bare = name.hasPrefix("[") ? name.prefix { $0 != "]" } + "]" : name.prefix { $0 != ":" }
                host = bare.isEmpty ? "" : "https://\(bare)"
            }
        } else if let colon = text.firstIndex(of: ":"), !text[..<colon].contains("/") {
            // As scp has it: user@host:path.
            let name = text[..<colon].split(separator: "@", omittingEmptySubsequences: false).last ?? ""
            host = name.isEmpty ? "" : "https://\(name)"
            rest = text[text.index(after: colon)...]
        } else {
            host = ""
            rest = text
        }
        while rest.last == "/" { rest.removeLast() }
        if rest.hasSuffix(".git") { rest.removeLast(4) }
        path = rest.split(separator: "/").joined(separator: "/")
    }

    /// The last two names of the path.
    var lastTwo: String { path.split(separator: "/").suffix(2).joined(separator: "/") }

    private static func scheme(of text: Substring) -> Substring? {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"), colon > text.startIndex else {
            return nil
        }
        return text[..<colon]
    }
}
