/// Takes a request body out of the bytes of a connection, and leaves what follows it.
struct BodyDecoder: Sendable {
    private enum State: Equatable {
        case fixed(Int)
        /// Hexadecimal digits of a chunk's size so far.
        case size(Int, digits: Int)
        case sizeEnd(Int)
        case data(Int)
        case dataEnd(sawReturn: Bool)
        /// The empty line after the last chunk; trailers are refused.
        case last(sawReturn: Bool)
        case done
    }

    private var state: State
    private let limit: Int
    private var total = 0

    var isDone: Bool { state == .done }

    init(_ framing: RequestHead.Framing, limit: Int) {
        self.limit = limit
        switch framing {
        case .none: state = .done
        case .length(let length): state = .fixed(length)
        case .chunked: state = .size(0, digits: 0)
        }
    }

    /// - Parameter input: Loses what belongs to the body.
    /// - Returns: Body bytes in it; empty when more input is needed or the body is done.
    mutating func decode(_ input: inout ArraySlice<UInt8>) throws(Refusal) -> [UInt8] {
        var output: [UInt8] = []
        while !isDone, let byte = input.first {
            switch state {
            case .fixed(let left):
                let part = input.prefix(left)
                input.removeFirst(part.count)
                state = part.count == left ? .done : .fixed(left - part.count)
                try count(part.count)
                return Array(part)
            case .data(let left):
                let part = input.prefix(left)
                input.removeFirst(part.count)
                output += part
                state = part.count == left ? .dataEnd(sawReturn: false) : .data(left - part.count)
                try count(part.count)
            default:
                input.removeFirst()
                try framing(byte)
            }
        }
        return output
    }

    private mutating func count(_ bytes: Int) throws(Refusal) {
        total += bytes
        if total > limit { throw Refusal.bodyTooLarge(limit) }
    }

    private mutating func framing(_ byte: UInt8) throws(Refusal) {
        switch (state, byte) {
        case (.size(let size, let digits), _) where BodyDecoder.digit(byte) != nil && digits < 8:
            state = .size(size << 4 | (BodyDecoder.digit(byte) ?? 0), digits: digits + 1)
        case (.size(let size, let digits), 0x0D) where digits > 0: state = .sizeEnd(size)
        case (.sizeEnd(0), 0x0A): state = .last(sawReturn: false)
        case (.sizeEnd(let size), 0x0A): state = .data(size)
        case (.dataEnd(false), 0x0D): state = .dataEnd(sawReturn: true)
        case (.dataEnd(true), 0x0A): state = .size(0, digits: 0)
        case (.last(false), 0x0D): state = .last(sawReturn: true)
        case (.last(true), 0x0A): state = .done
        default: throw Refusal.malformed("the chunked body is malformed")
        }
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case 0x30...0x39: Int(byte - 0x30)
        case 0x41...0x46: Int(byte - 0x41 + 10)
        case 0x61...0x66: Int(byte - 0x61 + 10)
        default: nil
        }
    }
}
