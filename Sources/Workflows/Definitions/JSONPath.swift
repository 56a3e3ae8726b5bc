package import Domain

/// Picks a value out of a JSON document: `$`, `.name`, `['name']`, `[0]`, `[-1]` and `[*]`.
///
/// Source: RFC 9535, of which this is a part.
package struct JSONPath: Sendable {
    private enum Segment: Sendable {
        case member(String)
        /// From the end when negative.
        case index(Int)
        case all
    }

    private static let longest = 1024

    private let segments: [Segment]
    private let isList: Bool

    /// - Throws: `.invalidArgument` naming the first character, 1-based, that can't be read.
    package init(_ text: String) throws(CodeForgeError) {
        guard text.utf8.count <= JSONPath.longest else {
            throw CodeForgeError(.invalidArgument, "a JSONPath has at most \(JSONPath.longest) bytes")
        }
        var reader = Reader(text)
        guard reader.take("$") else { throw reader.error("a JSONPath starts with '$'") }
        var segments: [Segment] = []
        while !reader.isAtEnd { segments.append(try JSONPath.segment(&reader)) }
        self.segments = segments
        isList = segments.contains { if case .all = $0 { true } else { false } }
    }

    /// - Returns: A text as it is, an integer without decimals, an array or object as compact JSON. `""` for `null` and
    ///   for what is not there. With `[*]` a compact JSON array of all matches, `""` when there are none.
    package func value(in document: JSONValue) -> String {
        var matches = [document]
        for segment in segments { matches = matches.flatMap { JSONPath.step(segment, from: $0) } }
        if isList { return matches.isEmpty ? "" : JSONPath.compact(.array(matches)) }
        switch matches.first ?? .null {
        case .null: return ""
        case .bool(let value): return value ? "true" : "false"
        case .int(let value): return String(value)
        case .double(let value):
            // As many digits as an integer of 64 bits has; beyond, the shortest text that reads back the same.
            return Int64(exactly: value).map(String.init) ?? "\(value)"
        case .string(let text): return text
        case .array, .object: return JSONPath.compact(matches[0])
        }
    }

    private static func step(_ segment: Segment, from value: JSONValue) -> [JSONValue] {
        switch (segment, value) {
        case (.member(let name), .object(let members)): return members[name].map { [$0] } ?? []
        case (.index(let index), .array(let elements)):
            let place = index < 0 ? elements.count + index : index
            return elements.indices.contains(place) ? [elements[place]] : []
        case (.all, .array(let elements)): return elements
        case (.all, .object(let members)): return members.sorted { $0.key < $1.key }.map(\.value)
        default: return []
        }
    }

    private static func compact(_ value: JSONValue) -> String {
        var writer = JSONWriter()
        writer.value(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    // MARK: Reading

    private static func segment(_ reader: inout Reader) throws(CodeForgeError) -> Segment {
        if reader.take(".") {
            if reader.take("*") { return .all }
            let name = reader.prefix { $0 != "." && $0 != "[" }
            guard !name.isEmpty else { throw reader.error("a name is missing") }
            return .member(name)
        }
        guard reader.take("[") else { throw reader.error("'.' or '[' is missing") }
        let segment: Segment
        if reader.take("*") {
            segment = .all
        } else if reader.take("'") {
            segment = .member(try quoted(&reader, by: "'"))
        } else if reader.take("\"") {
            segment = .member(try quoted(&reader, by: "\""))
        } else {
            let sign = reader.take("-") ? -1 : 1
            let digits = reader.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int(digits), number <= Int(Int32.max) else {
                throw reader.error("in brackets stands an index, a name in quotes or '*'")
            }
            segment = .index(sign * number)
        }
        guard reader.take("]") else { throw reader.error("']' is missing") }
        return segment
    }

    /// A backslash takes the next character as it is.
    private static func quoted(_ reader: inout Reader, by quote: Character) throws(CodeForgeError) -> String {
        var name = ""
        while true {
            name += reader.prefix { $0 != quote && $0 != "\\" }
            if reader.take(quote) { return name }
            guard reader.take("\\"), let character = reader.next() else {
                throw reader.error("the closing quote is missing")
            }
            name.append(character)
        }
    }

    private struct Reader {
        private let text: [Character]
        private var index = 0

        init(_ text: String) { self.text = Array(text) }

        var isAtEnd: Bool { index == text.count }

        mutating func next() -> Character? {
            guard !isAtEnd else { return nil }
            index += 1
            return text[index - 1]
        }

        mutating func take(_ character: Character) -> Bool {
            guard !isAtEnd, text[index] == character else { return false }
            index += 1
            return true
        }

        mutating func prefix(while condition: (Character) -> Bool) -> String {
            let part = text[index...].prefix(while: condition)
            index += part.count
            return String(part)
        }

        func error(_ message: String) -> CodeForgeError {
            CodeForgeError(.invalidArgument, "character \(index + 1) of the JSONPath: \(message)")
        }
    }
}
