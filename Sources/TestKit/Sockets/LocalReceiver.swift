import Synchronization

/// An HTTP server on loopback that keeps what it is sent and answers as a test says.
package final class LocalReceiver: Sendable {
    package struct Request: Sendable {
        /// `POST /path HTTP/1.1`.
        package var line: String
        /// Names in lower case.
        package var headers: [String: String]
        package var body: [UInt8]
    }

    private final class Log: Sendable {
        let requests = Mutex<[Request]>([])
    }

    private let log: Log
    private let server: LocalServer

    package var port: UInt16 { server.port }
    package var address: String { "127.0.0.1:\(port)" }
    package var accepted: Int { server.accepted }
    package var requests: [Request] { log.requests.withLock { $0 } }

    /// - Parameter answer: Status for the request of that number, from 0, and lines of further headers; `nil` never
    ///   answers.
    package convenience init(_ answer: @escaping @Sendable (Int) -> (status: Int, headers: String)?) {
        self.init(answering: { _, number in answer(number).map { Answer(status: $0.status, headers: $0.headers) } })
    }

    /// What it answers.
    package struct Answer: Sendable {
        package var status: Int
        /// Lines of further headers.
        package var headers: String
        package var body: String

        package init(status: Int = 200, headers: String = "", body: String = "") {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    /// - Parameter answer: To a request and its number, from 0; `nil` never answers.
    package init(answering answer: @escaping @Sendable (Request, Int) -> Answer?) {
        let log = Log()
        self.log = log
        server = LocalServer { socket in
            guard let request = LocalReceiver.read(socket) else { return }
            let number = log.requests.withLock { requests in
                requests.append(request)
                return requests.count - 1
            }
            guard let answer = answer(request, number) else {
                _ = socket.readToEnd()  // until the peer gives up
                return
            }
            socket.write(
                "HTTP/1.1 \(answer.status) X\r\nContent-Length: \(answer.body.utf8.count)\r\nConnection: close\r\n"
                    + "\(answer.headers)\r\n\(answer.body)")
        }
    }

    /// Answers with these statuses in turn, and with the last one from then on.
    package convenience init(statuses: [Int] = [200]) {
        self.init { number in (statuses[min(number, statuses.count - 1)], "") }
    }

    /// The first `count` requests, as soon as they are there.
    package func wait(for count: Int, within limit: Duration = .seconds(20)) async throws -> [Request] {
        try await eventually("\(count) requests", within: limit) {
            let requests = requests
            return requests.count >= count ? requests : nil
        }
    }

    package func stop() { server.stop() }

    private static func read(_ socket: LocalSocket) -> Request? {
        var bytes: [UInt8] = []
        let mark = Array("\r\n\r\n".utf8)
        while true {
            if let end = bytes.firstRange(of: mark) {
                let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    guard let colon = line.firstIndex(of: ":") else { continue }
                    headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
                }
                let length = headers["content-length"].flatMap { Int($0) } ?? 0
                if bytes.count - end.upperBound >= length {
                    return Request(line: lines.first ?? "", headers: headers, body: Array(bytes[end.upperBound...]))
                }
            }
            guard let more = socket.read(), !more.isEmpty else { return nil }
            bytes += more
        }
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
