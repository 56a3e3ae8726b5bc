import Domain
import FoundationEssentials

/// One request to a forge, and what is expected of its answer.
struct ForgeCall {
    var method = "GET"
    var url: String
    var headers: HeaderList
    var body: JSONValue?
    /// The one status that means it was done.
    var expected = 200
    /// From the name lookup to the last byte.
    var seconds = 15
    /// Longest body read, in bytes.
    var limit = 2 << 20
    /// What must not be in a message, whatever the peer sends back.
    var token: String?
}

/// Sends calls and turns everything else than the expected answer into one kind of error.
struct ForgeHTTP: Sendable {
    let transport: any HTTPTransport
    let addresses: AddressRule
    /// What the peer is called in messages: `GitHub API`.
    let title: String
    /// Bytes of a peer's own words in a message.
    let quoted: Int

    /// Bytes read of an answer that is an error.
    private static let longestError = 65_536

    init(_ transport: any HTTPTransport, _ addresses: AddressRule, title: String, quoted: Int = 500) {
        self.transport = transport
        self.addresses = addresses
        self.title = title
        self.quoted = quoted
    }

    /// - Returns: The head and the whole body.
    func send(_ call: ForgeCall) async throws(ForgeError) -> (headers: HeaderList, body: [UInt8]) {
        let limit = Duration.seconds(call.seconds)
        var request = TransportRequest(
            method: call.method, url: call.url, headers: call.headers,
            limits: TransportLimits(connect: min(limit, .seconds(10)), idle: limit, total: limit),
            addresses: addresses)
        // GitHub refuses requests without one.
        request.headers.append("User-Agent", "codeforge")
        if let body = call.body {
            var json = JSONWriter()
            json.value(body)
            request.headers.append("Content-Type", "application/json")
            request.body = .bytes(json.bytes)
        }
        let response: TransportResponse
        let body: [UInt8]
        do throws(CodeForgeError) {
            response = try await transport.send(request)
            let isExpected = response.status == call.expected
            body = isExpected ? try await response.body.collect(upTo: call.limit) : try await start(of: response.body)
        } catch {
            throw failure(error, hiding: call.token)
        }
        guard response.status == call.expected else { throw refusal(response, body, hiding: call.token) }
        return (response.headers, body)
    }

    /// Sends a call and reads its answer.
    func ask<Value: Decodable>(_ call: ForgeCall, for type: Value.Type = Value.self) async throws(ForgeError) -> Value {
        let reply = try await send(call)
        return try decode(type, from: reply.body)
    }

    /// Entries of a full page.
    private static let pageSize = 100
    /// GitHub lists no more files than fit on these.
    private static let mostPages = 30

    /// Reads a list to its end, or to as much of it as one wants to read; 30 s and 8 MiB for each page.
    ///
    /// - Parameter call: Makes the call, of a path to which the page was added as a query.
    func pages<Item: Decodable>(
        of path: String, _ call: (String) -> ForgeCall, as type: Item.Type = Item.self
    ) async throws(ForgeError) -> [Item] {
        var items: [Item] = []
        for page in 1...ForgeHTTP.mostPages {
            var call = call("\(path)?per_page=\(ForgeHTTP.pageSize)&page=\(page)")
            call.seconds = 30
            call.limit = 8 << 20
            let found = try await ask(call, for: [Item].self)
            items += found
            if found.count < ForgeHTTP.pageSize { break }
        }
        return items
    }

    func decode<Value: Decodable>(_ type: Value.Type, from body: [UInt8]) throws(ForgeError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch {
            throw ForgeError(.unreadable, "\(title) answered with something else than it documents")
        }
    }

    private func start(of body: TransportBody) async throws(CodeForgeError) -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in body {
            bytes += chunk
            if bytes.count >= ForgeHTTP.longestError { break }
        }
        return bytes
    }

    private func refusal(_ response: TransportResponse, _ body: [UInt8], hiding token: String?) -> ForgeError {
        let words = SafeText.start(of: masked(String(decoding: body, as: UTF8.self), token).utf8, limit: quoted)
        if let limit = RateLimitNote(response, words: words) {
            return ForgeError(.limited(until: limit.until), "\(title) rate limit is used up\(limit.phrase)")
        }
        var message = "\(title) returned \(response.status)"
        if (300..<400).contains(response.status) { message += " (it moved; redirects are not followed)" }
        return ForgeError(.status(response.status), words.isEmpty ? message : "\(message): \(words)")
    }

    private func failure(_ error: CodeForgeError, hiding token: String?) -> ForgeError {
        var message = "\(title) request failed: \(masked(error.message, token))"
        if error.code == .forbidden { message += " (gateway.allow_private_hosts)" }
        switch error.code {
        case .cancelled: return ForgeError(.cancelled, message)
        case .limited: return ForgeError(.unreadable, message)
        default: return ForgeError(.unreachable, message)
        }
    }

    private func masked(_ text: String, _ token: String?) -> String {
        guard let token, !token.isEmpty else { return text }
        return text.replacing(token, with: "***")
    }
}

/// What an answer says about a used up rate limit.
///
/// Source: GitHub documentation, "Rate limits for the REST API" (403 or 429; `x-ratelimit-remaining` 0, or
/// `retry-after`); GitLab documentation, "User and IP rate limits" (429, `RateLimit-Reset`).
struct RateLimitNote {
    var until: Timestamp?
    /// Goes on after `… is used up`.
    var phrase: String

    /// - Returns: `nil` for any other answer.
    init?(_ response: TransportResponse, words: String) {
        let headers = response.headers
        let wait = headers["retry-after"].flatMap { Int64($0) }
        switch response.status {
        case 429: break
        case 403:
            guard headers["x-ratelimit-remaining"] == "0" || wait != nil || words.contains("rate limit") else {
                return nil
            }
        default: return nil
        }
        let reset = (headers["x-ratelimit-reset"] ?? headers["ratelimit-reset"]).flatMap { Int64($0) }
        if let reset, (0...32_503_680_000).contains(reset) {
            let time = Timestamp(nanoseconds: min(reset, Int64.max / 1_000_000_000) * 1_000_000_000)
            (until, phrase) = (time, " until \(time)")
        } else if let wait, wait >= 0 {
            phrase = "; it asks to wait \(wait)s"
        } else {
            phrase = ""
        }
    }
}
