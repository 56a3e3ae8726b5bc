/// One argument of a command.
enum RedisArgument: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case text(String)
    case bytes([UInt8])
    case int(Int)

    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int) { self = .int(value) }
}

/// Commands in the wire format: arrays of bulk strings. Source: Redis documentation, "RESP protocol".
struct RedisCommand: Sendable {
    private(set) var bytes: [UInt8] = []

    init() {}

    init(_ arguments: RedisArgument...) { self.init(arguments) }

    init(_ arguments: [RedisArgument]) {
        begin(arguments: arguments.count)
        for argument in arguments { append(argument) }
    }

    /// Starts one command; exactly `count` arguments follow.
    mutating func begin(arguments count: Int) { appendLength(UInt8(ascii: "*"), count) }

    mutating func append(_ argument: RedisArgument) {
        switch argument {
        case .text(var text): text.withUTF8 { append(raw: UnsafeRawBufferPointer($0)) }
        case .bytes(let bytes): bytes.withUnsafeBytes { append(raw: $0) }
        case .int(let value):
            var text = String(value)
            text.withUTF8 { append(raw: UnsafeRawBufferPointer($0)) }
        }
    }

    mutating func append(raw: UnsafeRawBufferPointer) {
        appendLength(UInt8(ascii: "$"), raw.count)
        bytes.append(contentsOf: raw)
        bytes.append(13)
        bytes.append(10)
    }

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    private mutating func appendLength(_ kind: UInt8, _ length: Int) {
        bytes.append(kind)
        if length < 10 {
            bytes.append(48 + UInt8(length))
        } else {
            var divisor = 10
            while length / divisor >= 10 { divisor *= 10 }
            while divisor > 0 {
                bytes.append(48 + UInt8(length / divisor % 10))
                divisor /= 10
            }
        }
        bytes.append(13)
        bytes.append(10)
    }
}
