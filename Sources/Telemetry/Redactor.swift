import Synchronization

/// Takes secrets out of text on its way to the log: registered values, bearer tokens, and passwords in URLs.
package final class Redactor: Sendable {
    /// Shorter values are not looked for: they would tear holes into ordinary words.
    package static let minimumLength = 4

    private let values = Mutex<[String]>([])

    package init(_ secrets: [String] = []) { register(secrets) }

    /// Adds values never to be shown; those shorter than `minimumLength` are ignored.
    package func register(_ secrets: [String]) {
        values.withLock { values in
            values = Set(values + secrets.filter { $0.utf8.count >= Redactor.minimumLength })
                .sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }  // the longest first: one may hold another
        }
    }

    /// The text with every secret replaced by `***`.
    package func clean(_ text: String) -> String {
        var text = text
        for value in values.withLock({ $0 }) where text.contains(value) {
            text = text.replacing(value, with: "***")
        }
        if text.contains("earer ") { text = Redactor.maskBearer(text) }
        if text.contains("://"), text.contains("@") { text = Redactor.maskUserInfo(text) }
        return text
    }

    /// Whether a field of this name never shows its value, whatever it is.
    package static func isSecret(name: String) -> Bool {
        let plain = name.lowercased().replacing("-", with: "_")
        let last = plain.split(separator: ".").last.map(String.init) ?? plain
        return names.contains(last) || suffixes.contains { last.hasSuffix($0) }
    }

    private static let names: Set<String> = [
        "authorization", "cookie", "set_cookie", "token", "secret", "password", "passwd", "apikey", "private_token",
    ]
    private static let suffixes = ["_authorization", "_token", "_secret", "_password", "api_key", "_apikey"]

    private static func maskBearer(_ text: String) -> String {
        var out = ""
        var rest = Substring(text)
        while let range = rest.firstRange(of: "Bearer ") ?? rest.firstRange(of: "bearer ") {
            out += rest[..<range.upperBound] + "***"
            rest = rest[range.upperBound...].drop { !$0.isWhitespace && $0 != "\"" && $0 != "'" && $0 != "," }
        }
        return out + rest
    }

    private static func maskUserInfo(_ text: String) -> String {
        var out = ""
        var rest = Substring(text)
        while let range = rest.firstRange(of: "://") {
            out += rest[..<range.upperBound]
            rest = rest[range.upperBound...]
            let authority = rest.prefix { !$0.isWhitespace && !"/?#\"'<>".contains($0) }
            if let at = authority.lastIndex(of: "@") {
                out += "***"
                rest = rest[at...]
            }
        }
        return out + rest
    }
}
