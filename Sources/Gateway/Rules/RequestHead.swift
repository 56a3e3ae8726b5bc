import Domain

/// Line and headers of one HTTP/1.1 request, read strictly: what has two readings has none here.
struct RequestHead: Sendable, Equatable {
    enum Framing: Sendable, Equatable {
        case none
        case length(Int)
        case chunked
    }

    var method: String
    /// Whether it is HTTP/1.0, which only tunnels are asked for in.
    var isOld: Bool
    /// As it was sent: origin form, one of the other forms is refused by the router.
    var target: String
    var headers: [HeaderList.Field]
    var framing: Framing
    /// Whether the client wants the connection to end after this.
    var wantsClose: Bool
    var expectsContinue: Bool

    /// Bytes it took.
    private(set) var size: Int

    static let maximumHeaders = 100

    /// - Parameter bytes: Everything up to and without the empty line, its own line ends included.
    /// - Throws: The refusal to answer; the connection cannot be used any further.
    init(_ bytes: some RandomAccessCollection<UInt8>) throws(Refusal) {
        size = bytes.count
        var lines: [String] = []
        for raw in try RequestHead.lines(Array(bytes)) { lines.append(try RequestHead.text(raw)) }
        let parts = lines.isEmpty ? [] : lines[0].split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, HeaderList.isToken(parts[0]), parts[0].utf8.count <= 32, !parts[1].isEmpty,
            parts[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw Refusal.malformed("the request line is malformed") }
        // Python's http.client before 3.12 asks for tunnels, and for them only, in HTTP/1.0 and without a Host.
        guard parts[2] == "HTTP/1.1" || (parts[2] == "HTTP/1.0" && parts[0] == "CONNECT") else { throw Refusal.version }
        isOld = parts[2] == "HTTP/1.0"
        method = String(parts[0])
        target = String(parts[1])
        guard lines.count - 1 <= RequestHead.maximumHeaders else { throw Refusal.headersTooLarge }
        headers = []
        for line in lines.dropFirst() {
            // A space before the colon, or at the start of a line (obsolete folding), makes the name no token.
            guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else {
                throw Refusal.malformed("a header line has no colon")
            }
            let field = HeaderList.Field(
                String(line[..<colon]),
                RequestHead.trimmed(line[line.index(after: colon)...])
            )
            guard HeaderList.isValid(field) else { throw Refusal.malformed("a header is malformed") }
            headers.append(HeaderList.Field(field.name.lowercased(), field.value))
        }
        framing = .none
        wantsClose = false
        expectsContinue = false
        try readFraming()
    }

    private mutating func readFraming() throws(Refusal) {
        func values(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }
        guard values("host").count == 1 || (isOld && values("host").isEmpty) else {
            throw Refusal.malformed("there must be one Host header")
        }
        let lengths = values("content-length")
        let codings = values("transfer-encoding")
        guard lengths.count + codings.count <= 1 else {
            throw Refusal.malformed("there must be one Content-Length or one Transfer-Encoding, not both")
        }
        if let coding = codings.first {
            guard coding.lowercased() == "chunked" else { throw Refusal.malformed("the only coding is chunked") }
            framing = .chunked
        } else if let text = lengths.first {
            guard (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let length = Int(text)
            else { throw Refusal.malformed("the Content-Length is not a number") }
            framing = length == 0 ? .none : .length(length)
        }
        let connection = values("connection").joined(separator: ",").lowercased().split(separator: ",")
            .map { RequestHead.trimmed($0) }
        wantsClose = connection.contains("close")
        for expect in values("expect") {
            guard expect.lowercased() == "100-continue" else { throw Refusal.malformed("an unknown expectation") }
            expectsContinue = true
        }
        guard values("upgrade").isEmpty else { throw Refusal.upgrade }
    }

    /// Splits at CR LF; a CR or LF on its own is refused.
    private static func lines(_ bytes: [UInt8]) throws(Refusal) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        var i = 0
        while i < bytes.count {
            if bytes[i] == 0x0D, i + 1 < bytes.count, bytes[i + 1] == 0x0A {
                lines.append(bytes[start..<i])
                i += 2
                start = i
            } else if bytes[i] == 0x0D || bytes[i] == 0x0A {
                throw Refusal.malformed("a line ends in something else than CR LF")
            } else {
                i += 1
            }
        }
        if start < bytes.count { lines.append(bytes[start...]) }
        return lines
    }

    private static func text(_ line: ArraySlice<UInt8>) throws(Refusal) -> String {
        guard line.allSatisfy({ ($0 >= 0x20 && $0 < 0x7F) || $0 == 0x09 }) else {
            throw Refusal.malformed("the head holds a control or non-ASCII character")
        }
        return String(decoding: line, as: UTF8.self)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
