import Domain

/// Passes one answer on to the client: filtered, scrubbed, metered, and no faster than the client takes it.
struct ResponseRelay: Sendable {
    struct Outcome: Sendable {
        /// Why nothing was passed on; the client is to be told.
        var refusal: Refusal?
        var reason: String
        /// For the audit only.
        var detail: String?

        static let ok = Outcome(refusal: nil, reason: "ok")
    }

    let client: ByteChannel
    let policy: GatewayPolicy
    var scrubber: Scrubber
    let isMetered: Bool
    let ledger: Ledger
    /// Whether the peer is one that the client chose: its redirects, codings and cookies are the client's affair.
    let isProxied: Bool
    /// `HEAD` has no body whatever the headers say.
    let isHead: Bool
    var meter = TokenMeter(isEventStream: false)
    /// 0 until the head was passed on.
    private(set) var status = 0
    private(set) var sentBytes = 0
    private var isChunked = false

    init(
        client: ByteChannel, policy: GatewayPolicy, ledger: Ledger, secrets: [[UInt8]],
        destination: Router.Destination, method: String
    ) {
        self.client = client
        self.policy = policy
        self.ledger = ledger
        isMetered = destination.isMetered
        isProxied = destination.route == .egress
        isHead = method == "HEAD"
        // A host that the client chose was told no secret.
        scrubber = Scrubber(isProxied ? [] : secrets)
    }

    mutating func run(_ response: TransportResponse, keepAlive: Bool) async -> Outcome {
        if !isProxied, let refusal = ResponseRelay.unusable(response) {
            return Outcome(refusal: refusal, reason: refusal.error)
        }
        let isEventStream = response.headers["content-type"]?.lowercased().hasPrefix("text/event-stream") == true
        meter = TokenMeter(isEventStream: isEventStream)
        guard await writeHead(response, keepAlive: keepAlive) else {
            return Outcome(refusal: nil, reason: "client_gone")
        }
        var body = response.body.makeAsyncIterator()
        do throws(CodeForgeError) {
            while let chunk = try await body.next() {
                if isMetered { meter.read(chunk) }
                do {
                    try ledger.take(in: chunk.count)
                } catch {
                    // Too late for another status here as well.
                    return Outcome(refusal: nil, reason: error.error, detail: error.detail)
                }
                guard await pass(scrubber.scrub(chunk)) else { return Outcome(refusal: nil, reason: "client_gone") }
            }
        } catch {
            // Too late for another status: a body without its end tells the client.
            let reason = error.code == .cancelled ? "client_gone" : Refusal(error).error
            return Outcome(refusal: nil, reason: reason, detail: error.message)
        }
        guard await pass(scrubber.finish()) else { return Outcome(refusal: nil, reason: "client_gone") }
        if isChunked {
            guard await client.write(Array("0\r\n\r\n".utf8), within: policy.idleTimeout) else {
                return Outcome(refusal: nil, reason: "client_gone")
            }
        }
        return .ok
    }

    private static func unusable(_ response: TransportResponse) -> Refusal? {
        if (300..<400).contains(response.status), response.status != 304 {
            return Refusal(
                status: 502,
                error: "upstream_redirect",
                message:
                    "The upstream answers with a redirect (\(response.status)), which the gateway does not follow; "
                    + "configure the address it leads to."
            )
        }
        let codings = response.headers.all("content-encoding").map { $0.lowercased() }
        guard codings.allSatisfy({ $0.isEmpty || $0 == "identity" }) else {
            return Refusal(
                status: 502,
                error: "upstream_encoding",
                message: "The upstream compresses its answer although it was asked not to."
            )
        }
        return nil
    }

    private mutating func writeHead(_ response: TransportResponse, keepAlive: Bool) async -> Bool {
        var head = "HTTP/1.1 \(response.status) \(ResponseRelay.reason(response.status))\r\n"
        let fields =
            isProxied
            ? RequestFilter.proxiedResponseHeaders(response.headers)
            : RequestFilter.responseHeaders(response.headers, scrubber: scrubber)
        for field in fields {
            head += "\(field.name): \(field.value)\r\n"
        }
        // The transport holds the body against the length, and scrubbing keeps it.
        let lengths = Set(response.headers.all("content-length"))
        if response.status != 204, response.status != 304 {
            if response.headers["transfer-encoding"] == nil, lengths.count == 1, let text = lengths.first,
                text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(text)
            {
                head += "content-length: \(length)\r\n"
            } else if !isHead {
                head += "transfer-encoding: chunked\r\n"
                isChunked = true
            }
        }
        head += (keepAlive ? "" : "connection: close\r\n") + "\r\n"
        guard await client.write(Array(head.utf8), within: policy.idleTimeout) else { return false }
        status = response.status
        return true
    }

    private mutating func pass(_ bytes: [UInt8]) async -> Bool {
        guard !bytes.isEmpty else { return true }
        sentBytes += bytes.count
        guard isChunked else { return await client.write(bytes, within: policy.idleTimeout) }
        var framed = Array((String(bytes.count, radix: 16) + "\r\n").utf8)
        framed.reserveCapacity(framed.count + bytes.count + 2)
        framed += bytes
        framed += [0x0D, 0x0A]
        return await client.write(framed, within: policy.idleTimeout)
    }

    static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Status"
        }
    }
}
