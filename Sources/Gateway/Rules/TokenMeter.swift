/// Reads token counts out of a model API's answer while it passes, JSON or server-sent events.
///
/// Only members of an object `usage` count, at the top or inside a top-level `message` (Anthropic) or `response`
/// (OpenAI): what a model writes into its answer lies deeper or inside strings. Best effort: an answer of another shape
/// gives `nil`.
struct TokenMeter: Sendable {
    private(set) var inputTokens: Int?
    private(set) var outputTokens: Int?

    /// Whether each line starts anew, as `data:` lines do.
    private let isEventStream: Bool
    private var lineStart = true
    private var depth = 0
    /// Names of the members whose values are the open objects; deeper ones are only counted.
    private var path: [String] = []
    private var inString = false
    private var escaped = false
    private var text: [UInt8] = []
    private var key = ""
    private var number: Int?
    private var counts: [String: Int] = [:]

    private static let longestName = 40

    init(isEventStream: Bool) { self.isEventStream = isEventStream }

    mutating func read(_ bytes: [UInt8]) { for byte in bytes { read(byte) } }

    private mutating func read(_ byte: UInt8) {
        if isEventStream, byte == 0x0A || byte == 0x0D { return reset() }
        if inString {
            if escaped {
                escaped = false
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else if byte == UInt8(ascii: "\"") {
                inString = false
            } else if text.count < TokenMeter.longestName {
                text.append(byte)
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""):
            inString = true
            text.removeAll(keepingCapacity: true)
        case UInt8(ascii: ":"):
            key = depth > 0 && depth <= 3 ? String(decoding: text, as: UTF8.self) : ""
            number = nil
        case 0x30...0x39 where depth <= 3:
            let value = (number ?? 0).multipliedReportingOverflow(by: 10)
            number = value.overflow || value.partialValue > 1 << 50 ? nil : value.partialValue + Int(byte - 0x30)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            if depth <= 3 { path.append(byte == UInt8(ascii: "{") ? key : "[") }
            key = ""
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"):
            note()
            if byte != UInt8(ascii: ",") {
                if depth <= 3, !path.isEmpty { path.removeLast() }
                depth = max(0, depth - 1)
            }
            key = ""
        default: break
        }
    }

    private mutating func reset() {
        depth = 0
        path.removeAll(keepingCapacity: true)
        inString = false
        escaped = false
        key = ""
        number = nil
    }

    private mutating func note() {
        defer { number = nil }
        guard let number, path.last == "usage", path == ["", "usage"] || path.count == 3 else { return }
        guard path.count == 2 || path[1] == "message" || path[1] == "response" else { return }
        switch key {
        // Each event repeats what is known so far, so the largest is the last word.
        case "input_tokens", "prompt_tokens", "cache_read_input_tokens", "cache_creation_input_tokens":
            counts[key] = max(counts[key] ?? 0, number)
            inputTokens = counts.filter { $0.key != "output" }.values.reduce(0, +)
        case "output_tokens", "completion_tokens":
            counts["output"] = max(counts["output"] ?? 0, number)
            outputTokens = counts["output"]
        default: break
        }
    }
}
