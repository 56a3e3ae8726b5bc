/// One thing that happened in a task, as a stream client sees it.
public struct TaskEvent: Sendable, Equatable {
    /// The outer `type` of the API.
    public enum Kind: String, Sendable { case system, git, stream, result }

    public var kind: Kind
    /// The outer `event`, such as `clone_started`.
    public var name: String
    /// One JSON value, encoded; `null` when the event has no data.
    public var data: [UInt8]
    public var time: Timestamp

    public init(_ kind: Kind, _ name: String, data: [UInt8] = Array("null".utf8), time: Timestamp) {
        self.kind = kind
        self.name = name
        self.data = data
        self.time = time
    }

    public init(_ kind: Kind, _ name: String, data: JSONValue, time: Timestamp) {
        var writer = JSONWriter()
        writer.value(data)
        self.init(kind, name, data: writer.bytes, time: time)
    }

    /// `{"type":…,"event":…,"data":…,"ts":…}` on one line.
    public var json: [UInt8] {
        var writer = JSONWriter(reserving: data.count + 96)
        writer.beginObject()
        writer.name("type")
        writer.string(kind.rawValue)
        writer.name("event")
        writer.string(name)
        writer.name("data")
        writer.raw(data)
        writer.name("ts")
        writer.string(time.description)
        writer.endObject()
        return writer.bytes
    }
}

/// An event as the log keeps it.
public struct LoggedEvent: Sendable, Equatable {
    /// What an entry of a task's event log is.
    public enum Body: Sendable, Equatable {
        /// A `TaskEvent`, already encoded by `TaskEvent.json`.
        case event(json: [UInt8])
        /// The end of one iteration or review: the data of the `done` frame.
        case done(json: [UInt8])
    }

    /// The log's own id, growing with each entry; the SSE `id:`.
    public var id: String
    public var body: Body

    public init(id: String, body: Body) {
        self.id = id
        self.body = body
    }
}
