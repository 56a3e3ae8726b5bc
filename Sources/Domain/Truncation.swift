/// Cuts texts for places that show or keep only their beginning.
package enum Truncation {
    /// At most `limit` bytes of UTF-8, on a character boundary, with `...` when something was cut.
    package static func cut(_ text: String, utf8 limit: Int) -> String {
        text.utf8.count > limit ? start(of: text, utf8: limit) + "..." : text
    }

    /// At most `limit` bytes of UTF-8, on a character boundary.
    package static func start(of text: String, utf8 limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: limit)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
