import Domain
import Hummingbird

/// A request's query as browsers and scripts write it: percent escapes, and `+` for a space.
struct QueryItems {
    private var values: [String: String] = [:]

    /// The first of several items of one name counts; one that can't be decoded is taken as it is.
    init(_ request: Request) {
        for item in (request.uri.query ?? "").split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = QueryItems.decoded(parts[0])
            if values[name] == nil { values[name] = parts.count > 1 ? QueryItems.decoded(parts[1]) : "" }
        }
    }

    private static func decoded(_ text: Substring) -> String {
        let spaced = String(text.map { $0 == "+" ? " " : $0 })
        return PercentEncoding.decoded(spaced) ?? spaced
    }

    subscript(name: String) -> String? { values[name] }

    /// `nil` when it is missing or empty.
    func filled(_ name: String) -> String? { values[name]?.filled }
}
