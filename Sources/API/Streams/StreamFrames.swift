import Domain
import NIOCore

/// Writes server-sent events. Each payload is one line.
///
/// Source: WHATWG HTML, "Server-sent events".
struct StreamFrames {
    private var buffer = ByteBuffer()

    /// Bytes that wait.
    var count: Int { buffer.readableBytes }

    /// What was written so far. Its storage goes with it: a quiet stream keeps nothing of the history it was sent.
    mutating func take() -> ByteBuffer {
        defer { buffer = ByteBuffer() }
        return buffer
    }

    mutating func connected(_ task: StreamLogic.Record) {
        var json = JSONWriter()
        json.beginObject()
        json.member("task_id", task.id)
        json.member("status", task.status.rawValue)
        json.endObject()
        // In the same frame: clients expect the first one to be this.
        frame(id: nil, name: "connected", data: json.bytes, isFirst: true)
    }

    mutating func event(_ event: LoggedEvent) {
        if case .event(let json) = event.body { frame(id: event.id, name: nil, data: json) }
    }

    mutating func done(_ done: StreamLogic.Done) {
        switch done {
        case .logged(let entry):
            if case .done(let json) = entry.body { frame(id: entry.id, name: "done", data: json) }
        case .brief(let task): frame(id: nil, name: "done", data: StreamFrames.summary(task, withChanges: false))
        case .full(let task): frame(id: nil, name: "done", data: StreamFrames.summary(task, withChanges: true))
        }
    }

    /// - Parameter minutes: How long a stream may last.
    mutating func timeout(minutes: Int = 10) {
        let message = #"{"message":"stream closed after \#(minutes) minutes"}"#
        frame(id: nil, name: "timeout", data: Array(message.utf8))
    }

    mutating func keepalive() { buffer.writeStaticString(": keepalive\n\n") }

    /// How long a client that was cut off waits before it comes back.
    mutating func retry() {
        buffer.writeStaticString(StreamFrames.retryLine)
        buffer.writeStaticString("\n")
    }

    private static let retryLine: StaticString = "retry: 2000\n"

    mutating func json(id: String? = nil, name: StaticString? = nil, _ data: [UInt8]) {
        frame(id: id, name: name, data: data)
    }

    private mutating func frame(id: String?, name: StaticString?, data: [UInt8], isFirst: Bool = false) {
        if let id {
            buffer.writeStaticString("id: ")
            buffer.writeString(id)
            buffer.writeStaticString("\n")
        }
        if let name {
            buffer.writeStaticString("event: ")
            buffer.writeStaticString(name)
            buffer.writeStaticString("\n")
        }
        buffer.writeStaticString("data: ")
        // A CLI's own JSON may have line breaks between its tokens; one would end the frame early.
        if data.contains(where: StreamFrames.isLineBreak) {
            buffer.writeBytes(data.map { StreamFrames.isLineBreak($0) ? UInt8(ascii: " ") : $0 })
        } else {
            buffer.writeBytes(data)
        }
        buffer.writeStaticString("\n")
        if isFirst { buffer.writeStaticString(StreamFrames.retryLine) }
        buffer.writeStaticString("\n")
    }

    private static func isLineBreak(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

    private static func summary(_ task: StreamLogic.Record, withChanges: Bool) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("task_id", task.id)
        json.member("status", task.status.rawValue)
        if withChanges {
            json.name("changes_summary")
            if let changes = task.changes, task.status != .failed {
                TaskView.write(changes, to: &json)
            } else {
                json.null()
            }
        }
        json.endObject()
        return json.bytes
    }
}
