package import Domain
import FoundationEssentials

/// Speaks to a running service as its REST clients do.
package struct APIClient: Sendable {
    /// Without a slash at the end.
    private let base: String
    private let token: String
    private let transport: any HTTPTransport
    private let addresses: AddressRule

    /// Longest answer that is read.
    private static let longestAnswer = 64 << 20

    /// - Parameters:
    ///   - url: Of the service, with whatever path is in front of `/api/v1`.
    ///   - token: Goes to that service only.
    /// - Throws: `.invalidArgument` for what is no `http` or `https` URL.
    package init(url: String, token: String, transport: any HTTPTransport) throws(CodeForgeError) {
        let parsed: HTTPURL
        do throws(CodeForgeError) {
            parsed = try HTTPURL(url)
        } catch {
            throw CodeForgeError(.invalidArgument, "'\(url)' is no URL of a service: \(error.message)")
        }
        base = parsed.origin + (parsed.path.hasSuffix("/") ? String(parsed.path.dropLast()) : parsed.path)
        self.token = token
        self.transport = transport
        // The operator named it: it may be this host, or in a private network.
        addresses = try AddressRule(exceptions: ["\(parsed.host):\(parsed.port)"])
    }

    /// Sends a request and reads the JSON of its answer.
    ///
    /// - Parameters:
    ///   - path: From `/api/v1` on, escaped; with its query.
    ///   - body: Sent as JSON; without one a POST is empty.
    ///   - accepted: A status that is an answer like those of 200 to 299.
    ///   - patience: Longest time for all of it; most requests are answered within 60 s.
    /// - Throws: What the service answered: `.notFound`, `.conflict`, `.unauthorized`, `.invalidArgument` …;
    ///   `.unavailable` when it can't be reached, or speaks something else.
    package func send(
        _ method: String, _ path: String, _ body: JSONValue? = nil, headers: HeaderList = [:],
        accepting accepted: Int? = nil,
        patience: Duration = .seconds(65)
    ) async throws(CodeForgeError) -> JSONValue {
        let response = try await request(
            method, path, body: body, headers: headers, total: patience, idle: patience)
        let bytes = try await response.body.collect(upTo: APIClient.longestAnswer)
        guard (200..<300).contains(response.status) || response.status == accepted else {
            throw APIClient.failure(response.status, bytes)
        }
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        } catch {
            throw CodeForgeError(.unavailable, "\(base) does not answer with JSON: is it a CodeForge service?")
        }
    }

    /// Reads an answer that is no JSON: a diff.
    ///
    /// - Returns: Its bytes, and the head's fields.
    /// - Throws: As `send`.
    package func bytes(_ path: String) async throws(CodeForgeError) -> (body: [UInt8], headers: HeaderList) {
        let response = try await request("GET", path, headers: [:], total: .seconds(300), idle: .seconds(65))
        let bytes = try await response.body.collect(upTo: APIClient.longestAnswer)
        guard (200..<300).contains(response.status) else { throw APIClient.failure(response.status, bytes) }
        return (bytes, response.headers)
    }

    package func get(_ path: String) async throws(CodeForgeError) -> JSONValue { try await send("GET", path) }

    /// Follows a stream of server-sent events, and goes on after the last one it saw when the connection breaks.
    ///
    /// - Parameters:
    ///   - after: Id of the event to go on after; `nil` begins with the first.
    ///   - receive: Gets each event; `false` ends the following. `done` always does.
    /// - Throws: What the service answered, or `.unavailable` after some tries in a row that brought nothing.
    package func follow(
        _ path: String, after: String? = nil, _ receive: (ServerEvent) async throws(CodeForgeError) -> Bool
    ) async throws(CodeForgeError) {
        var last = after
        var failures = 0
        while true {
            do throws(CodeForgeError) {
                var headers: HeaderList = ["accept": "text/event-stream"]
                if let last { headers.append("last-event-id", last) }
                let response = try await request("GET", path, headers: headers, total: nil, idle: .seconds(60))
                guard response.status == 200 else {
                    throw APIClient.failure(response.status, try await response.body.collect(upTo: 65_536))
                }
                var reader = ServerEventReader()
                for try await chunk in response.body {
                    for event in reader.read(chunk) {
                        failures = 0
                        if let id = event.id { last = id }
                        let goesOn = try await receive(event)
                        if !goesOn || event.name == "done" { return }
                    }
                }
            } catch {
                failures += 1
                guard error.code == .unavailable || error.code == .timeout, failures < 5 else { throw error }
            }
            do {
                try await Task.sleep(for: .seconds(min(failures * 2, 10) + 1))
            } catch {
                throw CodeForgeError(.cancelled, "cancelled")
            }
        }
    }

    private func request(
        _ method: String, _ path: String, body: JSONValue? = nil, headers: HeaderList, total: Duration?, idle: Duration
    ) async throws(CodeForgeError) -> TransportResponse {
        var headers = headers
        headers.append("authorization", "Bearer " + token)
        var content = method == "POST" ? TransportRequest.Body.bytes([]) : .none
        if let body {
            var writer = JSONWriter()
            writer.value(body)
            headers.append("content-type", "application/json")
            content = .bytes(writer.bytes)
        }
        do throws(CodeForgeError) {
            return try await transport.send(
                TransportRequest(
                    method: method, url: base + path, headers: headers,
                    body: content,
                    limits: TransportLimits(idle: idle, total: total), addresses: addresses))
        } catch {
            guard error.code == .unavailable || error.code == .timeout else { throw error }
            throw CodeForgeError(.unavailable, "\(base) does not answer: \(error.message)")
        }
    }

    /// The error of the API's own shape, or what can be said without it.
    private static func failure(_ status: Int, _ bytes: [UInt8]) -> CodeForgeError {
        let body = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))  // a proxy's page is no JSON
        let message = body?["message"]?.stringValue ?? "the service answered with status \(status)"
        let code: CodeForgeError.Code =
            switch status {
            case 400, 422: .invalidArgument
            case 401: .unauthorized
            case 403: .forbidden
            case 404, 405: .notFound
            case 409: .conflict
            case 429: .limited
            case 502, 503, 504: .unavailable
            default: .internal
            }
        var fields: [(name: String, reason: String)] = []
        if case .object(let reasons) = body?["fields"] {
            fields = reasons.sorted { $0.key < $1.key }.compactMap { field in
                field.value.stringValue.map { (field.key, $0) }
            }
        }
        return CodeForgeError(code, message, fields: fields)
    }
}
