/// A place in a trace, as W3C Trace Context has it: the span that what comes next hangs on.
public struct TraceContext: Sendable, Hashable {
    /// Not 0.
    public let traceID: UInt128
    /// Not 0.
    public let spanID: UInt64
    /// Whether the spans of the trace are exported.
    public let isSampled: Bool

    /// `nil` when an id is 0.
    public init?(traceID: UInt128, spanID: UInt64, isSampled: Bool) {
        guard traceID != 0, spanID != 0 else { return nil }
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
    }

    /// Reads a `traceparent` header: version 00 exactly, later ones as far as 00 goes.
    ///
    /// - Returns: `nil` for what the specification wants ignored.
    public init?(traceparent text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 55, bytes[2] == 45, bytes[35] == 45, bytes[52] == 45,
            let version: UInt8 = TraceContext.number(bytes[..<2]), version != 0xFF,
            bytes.count == 55 || (version > 0 && bytes[55] == 45),
            let trace: UInt128 = TraceContext.number(bytes[3..<35]),
            let span: UInt64 = TraceContext.number(bytes[36..<52]),
            let flags: UInt8 = TraceContext.number(bytes[53..<55])
        else { return nil }
        self.init(traceID: trace, spanID: span, isSampled: flags & 1 == 1)
    }

    /// 32 lower-case hexadecimal digits.
    public var traceIDText: String { TraceContext.hex(traceID, 32) }
    /// 16 lower-case hexadecimal digits.
    public var spanIDText: String { TraceContext.hex(spanID, 16) }
    /// The header's value, version 00.
    public var traceparent: String { "00-\(traceIDText)-\(spanIDText)-\(isSampled ? "01" : "00")" }

    /// The same trace, at another span.
    public func at(span id: UInt64) -> TraceContext? {
        TraceContext(traceID: traceID, spanID: id, isSampled: isSampled)
    }

    public static func hex(_ value: some BinaryInteger, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Lower-case digits only, as the specification wants it.
    private static func number<Value: FixedWidthInteger>(_ digits: ArraySlice<UInt8>) -> Value? {
        var value: Value = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: value = value << 4 | Value(digit - 0x30)
            case 0x61...0x66: value = value << 4 | Value(digit - 0x61 + 10)
            default: return nil
            }
        }
        return value
    }
}
