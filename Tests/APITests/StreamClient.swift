import Foundation
import Synchronization
import TestKit
import Testing

/// A raw HTTP client for one stream; blocking reads happen on threads of their own.
final class StreamClient: Sendable {
    private let socket: LocalSocket

    init(port: Int?) throws {
        let port = UInt16(try #require(port))
        socket = try #require(LocalSocket.connect(port: port))
    }

    func open(_ path: String, _ header: String = "") async throws {
        let request =
            "GET \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(APIRig.token)\r\n\(header)\r\n"
        #expect(socket.write(request))
    }

    func read(until mark: String) async throws -> String {
        let text = await StreamClient.blocking { self.socket.read(until: mark) }
        try #require(text.contains(mark), "got \(text.suffix(200))")
        return text
    }

    /// To the last chunk, or as far as it goes; the connection may stay.
    func readToEnd() async throws -> String {
        await StreamClient.blocking { self.socket.read(until: "0\r\n\r\n") }
    }

    func readAll(_ path: String, _ header: String = "") async throws -> String {
        try await open(path, header)
        return try await readToEnd()
    }

    func close() { socket.shut() }

    /// Head, and the body without its chunks.
    static func split(_ raw: String) throws -> (head: String, body: String) {
        let bytes = Array(raw.utf8)
        let end = try #require(raw.utf8.firstRange(of: Array("\r\n\r\n".utf8)))
        let length = raw.utf8.distance(from: raw.utf8.startIndex, to: end.upperBound)
        return (
            String(decoding: bytes[..<length], as: UTF8.self),
            unchunk(String(decoding: bytes[length...], as: UTF8.self))
        )
    }

    /// Takes chunk sizes away.
    static func unchunk(_ text: String) -> String {
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let lineEnd = rest.firstIndex(of: 13),
            let size = Int(String(decoding: rest[rest.startIndex..<lineEnd], as: UTF8.self), radix: 16), size > 0
        {
            let start = lineEnd + 2
            out += rest[start..<min(start + size, rest.endIndex)]
            rest = rest[min(start + size + 2, rest.endIndex)...]
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func blocking<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: work()) }
        }
    }
}
