/// Cuts the bytes of a connection into requests: a head, its body, the next head. No socket, no clock.
///
/// Wherever the bytes are cut, the same requests come out. After a refusal nothing more may be read.
struct RequestParser: Sendable {
    private let maxHeaderBytes: Int
    private var rest: ArraySlice<UInt8> = []
    /// Bytes of `rest` that were searched for the end of a head.
    private var scanned = 0
    private var decoder = BodyDecoder(.none, limit: 0)

    init(maxHeaderBytes: Int) { self.maxHeaderBytes = maxHeaderBytes }

    /// Whether nothing of the next request is there yet.
    var isEmpty: Bool { rest.isEmpty }
    var isBodyDone: Bool { decoder.isDone }

    mutating func append(_ bytes: [UInt8]) {
        if rest.isEmpty { rest = bytes[...] } else { rest += bytes }
    }

    /// The next head, when all of it is there.
    mutating func head() throws(Refusal) -> RequestHead? {
        while let i = rest[(rest.startIndex + scanned)...].firstIndex(of: 0x0A) {
            guard i > rest.startIndex, rest[i - 1] == 0x0D else {
                throw Refusal.malformed("a line ends in something else than CR LF")
            }
            scanned = i + 1 - rest.startIndex
            if i - 1 == rest.startIndex { throw Refusal.malformed("the request starts with an empty line") }
            guard i - 2 > rest.startIndex, rest[i - 2] == 0x0A else { continue }
            guard scanned <= maxHeaderBytes else { throw Refusal.headersTooLarge }
            let bytes = rest[..<(i - 1)]
            rest = rest[(i + 1)...]
            scanned = 0
            return try RequestHead(bytes)
        }
        guard rest.count < maxHeaderBytes else { throw Refusal.headersTooLarge }
        scanned = rest.count
        return nil
    }

    mutating func startBody(_ framing: RequestHead.Framing, limit: Int) {
        decoder = BodyDecoder(framing, limit: limit)
    }

    /// The next bytes of the body; empty at its end, or when more has to be appended.
    mutating func body() throws(Refusal) -> [UInt8] { try decoder.decode(&rest) }

    /// What came behind the last request.
    mutating func takeRest() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }
}
