import Domain

/// Each line of standard output is text; standard error comes as one event at the end.
///
/// A script may print millions of lines: a line costs one allocation here, and nothing of it is parsed.
struct ShellNormalizer: OutputNormalizer {
    /// The result is the end of the output, whole lines up to this many bytes.
    static let resultBytes = 16 * 1024

    private static let head = Array("{\"type\":\"text\",\"content\":".utf8)
    private static let emptyHead = Array("{\"type\":\"text\"".utf8)
    private static let middle = Array(",\"cli\":\"shell\",\"raw\":".utf8)

    /// The latest lines, each ended by a line feed; between one and four times `resultBytes` once there was enough.
    private var tail: [UInt8] = []

    mutating func line(_ line: ArraySlice<UInt8>) -> StreamOutput? {
        keep(line)
        var data: [UInt8] = []
        data.reserveCapacity(line.count * 2 + 56)
        if line.isEmpty {
            data.append(contentsOf: Self.emptyHead)
        } else {
            data.append(contentsOf: Self.head)
            data.appendJSONString(line)
        }
        data.append(contentsOf: Self.middle)
        data.appendJSONString(line)
        data.append(UInt8(ascii: "}"))
        return StreamOutput(kind: .text, data: data)
    }

    mutating func finish(standardError: ArraySlice<UInt8>) -> StreamOutput? {
        let text = standardError.last == UInt8(ascii: "\n") ? standardError.dropLast() : standardError
        guard !text.isEmpty else { return nil }
        var writer = JSONWriter(reserving: text.count * 2 + 64)
        writer.beginObject()
        writer.name("type")
        writer.string(StreamOutput.Kind.error.rawValue)
        writer.name("content")
        writer.string(utf8: text)
        writer.name("cli")
        writer.string("shell")
        writer.name("raw")
        writer.string(utf8: text)
        writer.endObject()
        return StreamOutput(kind: .error, data: writer.bytes)
    }

    var summary: AgentSummary {
        var summary = AgentSummary()
        var kept = tail[...].dropLast()  // the last line feed
        if kept.count > Self.resultBytes {
            kept = kept.suffix(Self.resultBytes)
            // Not from the middle of a line, unless it is one line that is too long.
            if let end = kept.firstIndex(of: UInt8(ascii: "\n")) { kept = kept[(end + 1)...] }
        }
        summary.result = String(decoding: kept, as: UTF8.self)
        return summary
    }

    private mutating func keep(_ line: ArraySlice<UInt8>) {
        tail.append(contentsOf: line.suffix(Self.resultBytes))
        tail.append(UInt8(ascii: "\n"))
        if tail.count > 4 * Self.resultBytes { tail.removeFirst(tail.count - Self.resultBytes - 1) }
    }
}
