package import Domain
import Foundation

/// A request as the forge test server got it.
package struct ForgeRequest: Sendable {
    package var method: String
    /// Still percent-encoded, without the query.
    package var path: String
    /// Decoded.
    package var query: [String: String]
    /// Names that came more than once.
    package var repeated: [String] = []
    /// By lower-case name.
    package var headers: [String: String]
    package var bytes: [UInt8]

    /// The body; `nil` when it is no JSON.
    package var body: JSONValue? { try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) }

    /// Reads one request; `nil` when the client went away.
    init?(_ socket: LocalSocket) {
        var buffer: [UInt8] = []
        let mark = Array("\r\n\r\n".utf8)
        while !buffer.contains(mark) {
            guard let bytes = socket.read(), !bytes.isEmpty else { return nil }
            buffer += bytes
        }
        guard let end = buffer.firstRange(of: mark) else { return nil }
        let lines = String(decoding: buffer[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count == 3 else { return nil }
        method = String(words[0])
        let target = words[1].split(separator: "?", maxSplits: 1)
        path = String(target.first ?? "/")
        query = [:]
        for pair in target.count > 1 ? target[1].split(separator: "&") : [] {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if query[String(parts[0])] != nil { repeated.append(String(parts[0])) }
            query[String(parts[0])] = parts.count > 1 ? PercentEncoding.decoded(parts[1]) ?? "?" : ""
        }
        headers = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        bytes = Array(buffer[end.upperBound...])
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while bytes.count < length {
            guard let more = socket.read(), !more.isEmpty else { return nil }
            bytes += more
        }
    }

    /// Segments of the path below `prefix`, decoded; `nil` when the path is elsewhere.
    func segments(below prefix: String) -> [String]? {
        guard path.hasPrefix(prefix + "/") else { return nil }
        return path.dropFirst(prefix.count + 1).split(separator: "/").map { PercentEncoding.decoded($0) ?? "?" }
    }
}

/// What the server answers.
struct ForgeAnswer {
    var status = 200
    var headers: [(String, String)] = []
    var body: JSONValue

    init(_ status: Int = 200, _ body: JSONValue, headers: [(String, String)] = []) {
        self.status = status
        self.body = body
        self.headers = headers
    }

    var bytes: [UInt8] {
        var json = JSONWriter()
        json.value(body)
        return json.bytes
    }
}

/// Something that goes wrong on purpose.
package enum ForgeFailure: Sendable {
    /// An answer with this status and body.
    case status(Int, String)
    /// The rate limit is used up until this time, in seconds since 1970.
    case rateLimited(status: Int, reset: Int)
    /// The answer comes this much later.
    case slow(Duration)
    /// The connection ends in the middle of the body.
    case truncated
    /// A body that is no JSON.
    case garbage
    /// A body of this many bytes.
    case large(Int)
    case redirect(String)

    package static let unauthorized = ForgeFailure.status(401, #"{"message":"Bad credentials"}"#)
    package static let forbidden = ForgeFailure.status(403, #"{"message":"Resource not accessible by token"}"#)
    package static let notFound = ForgeFailure.status(404, #"{"message":"Not Found"}"#)
    package static let unprocessable = ForgeFailure.status(422, #"{"message":"Validation Failed"}"#)
    package static let broken = ForgeFailure.status(502, "<html>Bad Gateway</html>")
}
