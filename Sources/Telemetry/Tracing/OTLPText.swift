import Domain
import Tracing

/// Spans as OTLP has them in JSON: ids in hex, 64-bit numbers as texts.
///
/// Source: OpenTelemetry protocol specification, "JSON Protobuf Encoding"; `opentelemetry/proto/trace/v1/trace.proto`.
enum OTLPText {
    /// The body of one export.
    static func encode(_ spans: [FinishedSpan], service version: String) -> [UInt8] {
        var json = JSONWriter(reserving: 512 * (spans.count + 1))
        json.beginObject()
        json.name("resourceSpans")
        json.beginArray()
        json.beginObject()
        json.name("resource")
        json.beginObject()
        write(["service.name": "codeforge", "service.version": "\(version)"], to: &json)
        json.endObject()
        json.name("scopeSpans")
        json.beginArray()
        json.beginObject()
        json.name("scope")
        json.value(["name": "codeforge"])
        json.name("spans")
        json.beginArray()
        for span in spans { write(span, to: &json) }
        json.endArray()
        json.endObject()
        json.endArray()
        json.endObject()
        json.endArray()
        json.endObject()
        return json.bytes
    }

    private static func write(_ span: FinishedSpan, to json: inout JSONWriter) {
        json.beginObject()
        json.name("traceId")
        json.string(span.place.traceIDText)
        json.name("spanId")
        json.string(span.place.spanIDText)
        if let parent = span.parentID {
            json.name("parentSpanId")
            json.string(TraceContext.hex(parent, 16))
        }
        json.name("flags")
        json.integer(span.place.isSampled ? 1 : 0)
        json.name("name")
        json.string(cut(span.name))
        json.name("kind")
        json.integer(number(of: span.kind))
        json.name("startTimeUnixNano")
        json.string(String(span.start))
        json.name("endTimeUnixNano")
        json.string(String(span.end))
        write(span.attributes, to: &json)
        if let status = span.status {
            json.name("status")
            json.beginObject()
            json.name("code")
            json.integer(status.code == .ok ? 1 : 2)
            if let message = status.message {
                json.name("message")
                json.string(cut(message))
            }
            json.endObject()
        }
        json.endObject()
    }

    private static func number(of kind: SpanKind) -> Int {
        switch kind {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }

    private static func write(_ attributes: SpanAttributes, to json: inout JSONWriter) {
        json.name("attributes")
        json.beginArray()
        attributes.forEach { key, attribute in
            json.beginObject()
            json.name("key")
            json.string(key)
            json.name("value")
            json.beginObject()
            switch attribute {
            case .int32(let value): member("intValue", String(value), &json)
            case .int64(let value): member("intValue", String(value), &json)
            case .double(let value):
                json.name("doubleValue")
                json.double(value)
            case .bool(let value):
                json.name("boolValue")
                json.bool(value)
            case .string(let value): member("stringValue", cut(value), &json)
            case .stringConvertible(let value): member("stringValue", cut(value.description), &json)
            default: member("stringValue", cut("\(attribute)"), &json)
            }
            json.endObject()
            json.endObject()
        }
        json.endArray()
    }

    private static func member(_ name: StaticString, _ value: String, _ json: inout JSONWriter) {
        json.name(name)
        json.string(value)
    }

    /// No text makes an export large.
    private static func cut(_ text: String) -> String { text.utf8.count <= 1000 ? text : String(text.prefix(1000)) }
}
