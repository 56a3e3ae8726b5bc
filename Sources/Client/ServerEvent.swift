import Domain

/// One server-sent event.
package struct ServerEvent: Sendable, Equatable {
    /// `nil` for one without a name.
    package var name: String?
    package var id: String?
    package var data: String

    package init(name: String? = nil, id: String? = nil, data: String = "") {
        self.name = name
        self.id = id
        self.data = data
    }
}

/// Takes a stream of server-sent events apart, however it was cut into chunks.
///
/// Source: WHATWG HTML, "Server-sent events", "Interpreting an event stream".
package struct ServerEventReader {
    private var line: [UInt8] = []
    private var event = ServerEvent()
    private var hasData = false
    /// The last byte was a carriage return: a line feed after it belongs to it.
    private var sawReturn = false

    /// A line longer than this is cut: no service of ours sends one.
    private static let longestLine = 128 << 20

    package init() {}

    package mutating func read(_ chunk: some Collection<UInt8>) -> [ServerEvent] {
        var events: [ServerEvent] = []
        for byte in chunk {
            defer { sawReturn = byte == 0x0D }
            switch byte {
            case 0x0A where sawReturn: continue
            case 0x0A, 0x0D:
                if let event = endLine() { events.append(event) }
            default:
                if line.count < ServerEventReader.longestLine { line.append(byte) }
            }
        }
        return events
    }

    private mutating func endLine() -> ServerEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        if line.isEmpty {
            defer { (event, hasData) = (ServerEvent(), false) }
            return hasData ? event : nil
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        let text = String(decoding: value, as: UTF8.self)
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "event": event.name = text
        case "id": event.id = text
        case "data":
            event.data += (hasData ? "\n" : "") + text
            hasData = true
        default: break  // a comment, or `retry`
        }
        return nil
    }
}
