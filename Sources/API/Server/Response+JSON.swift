import Domain
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// One JSON object and a line break; `members` writes what is between the braces.
    static func json(_ status: HTTPResponse.Status = .ok, _ members: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter(reserving: 512)
        writer.beginObject()
        members(&writer)
        writer.endObject()
        var buffer = ByteBuffer(bytes: writer.bytes)
        buffer.writeInteger(UInt8(ascii: "\n"))
        return Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: buffer)
        )
    }

    static func text(_ text: String, type: String, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = type
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

extension JSONWriter {
    /// A member with a text.
    mutating func member(_ name: StaticString, _ value: String) {
        self.name(name)
        string(value)
    }

    mutating func member(_ name: StaticString, _ value: Int) {
        self.name(name)
        integer(value)
    }

    mutating func member(_ name: StaticString, _ value: Bool) {
        self.name(name)
        bool(value)
    }

    /// A number, without a fraction when it has none.
    mutating func member(_ name: StaticString, _ value: Double) {
        self.name(name)
        if value == value.rounded(), abs(value) < 1e15 { integer(Int64(value)) } else { double(value) }
    }

    /// A member only when there is something in it.
    mutating func member(ifAny name: StaticString, _ value: String?) {
        if let value, !value.isEmpty { member(name, value) }
    }

    mutating func member(ifAny name: StaticString, _ value: Int?) {
        if let value, value != 0 { member(name, value) }
    }

    mutating func member(ifAny name: StaticString, _ values: [String]) {
        guard !values.isEmpty else { return }
        self.name(name)
        beginArray()
        for value in values { string(value) }
        endArray()
    }

    mutating func member(ifAny name: StaticString, _ values: [String: String]?) {
        guard let values, !values.isEmpty else { return }
        self.name(name)
        beginObject()
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            self.name(dynamic: key)
            string(value)
        }
        endObject()
    }

    mutating func member(_ name: StaticString, _ value: Timestamp) { member(name, value.description) }

    mutating func member(ifAny name: StaticString, _ value: Timestamp?) {
        if let value { member(name, value) }
    }
}
