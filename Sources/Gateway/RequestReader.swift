import Domain

/// Cuts a connection's bytes into requests. The connection's task reads heads; the transport pulls the body between.
actor RequestReader {
    private let client: ClientChannel
    private let policy: GatewayPolicy
    private var rest: ArraySlice<UInt8> = []
    private var decoder = BodyDecoder(.none, limit: 0)
    /// Why the body of the current request could not be read to its end.
    private(set) var bodyRefusal: Refusal?
    private(set) var bodyBytes = 0
    /// Counts requests: a transport that asks late for more of an earlier body must not get the next one's.
    private var number = 0

    init(_ client: ClientChannel, policy: GatewayPolicy) {
        self.client = client
        self.policy = policy
    }

    /// Whether the next request starts where the connection stands.
    var isBodyDone: Bool { decoder.isDone && bodyRefusal == nil }

    /// The next head; `nil` when the client ends the connection or stays silent between requests.
    func head() async throws(Refusal) -> RequestHead? {
        let clock = ContinuousClock()
        var deadline: ContinuousClock.Instant?
        var scanned = rest.startIndex
        while true {
            if let end = try scan(&scanned) {
                let bytes = rest[..<end]
                rest = rest[(end + 2)...]
                return try RequestHead(bytes)
            }
            let limit: Duration
            if rest.isEmpty {
                limit = policy.idleTimeout
            } else {
                let until = deadline ?? clock.now + policy.headerTimeout
                deadline = until
                limit = until - clock.now
                guard limit > .zero else { throw Refusal.slowHeaders }
            }
            switch await client.receive(within: limit) {
            case .bytes(let bytes):
                let done = scanned - rest.startIndex
                rest = (rest.isEmpty ? bytes : rest + bytes)[...]
                scanned = rest.startIndex + done
            case .end: return nil
            case .timeout:
                if rest.isEmpty { return nil }
                throw Refusal.slowHeaders
            }
        }
    }

    /// Looks for the empty line.
    ///
    /// - Parameter scanned: Where to go on; a line end on its own is refused as soon as it is seen.
    /// - Returns: The index of the empty line's CR.
    private func scan(_ scanned: inout Int) throws(Refusal) -> Int? {
        while let i = rest[scanned...].firstIndex(of: 0x0A) {
            guard i > rest.startIndex, rest[i - 1] == 0x0D else {
                throw Refusal.malformed("a line ends in something else than CR LF")
            }
            scanned = i + 1
            if i - 1 == rest.startIndex { throw Refusal.malformed("the request starts with an empty line") }
            if i - 2 > rest.startIndex, rest[i - 2] == 0x0A {
                guard i - rest.startIndex < policy.maxHeaderBytes else { throw Refusal.headersTooLarge }
                return i - 1
            }
        }
        guard rest.count < policy.maxHeaderBytes else { throw Refusal.headersTooLarge }
        scanned = rest.endIndex
        return nil
    }

    /// - Returns: The request's number, to ask for its body with.
    func startBody(_ framing: RequestHead.Framing, limit: Int) -> Int {
        number += 1
        decoder = BodyDecoder(framing, limit: limit)
        bodyRefusal = nil
        bodyBytes = 0
        return number
    }

    /// The next piece of the body; `nil` at its end.
    /// - Throws: `.cancelled` when the client is gone; `.invalidArgument` when `bodyRefusal` says why.
    func bodyChunk(of request: Int) async throws(CodeForgeError) -> [UInt8]? {
        while bodyRefusal == nil {
            guard request == number else { return nil }
            do {
                let chunk = try decoder.decode(&rest)
                bodyBytes += chunk.count
                if !chunk.isEmpty { return chunk }
            } catch {
                bodyRefusal = error
                break
            }
            if decoder.isDone { return nil }
            switch await client.receive(within: policy.idleTimeout) {
            case .bytes(let bytes): rest = bytes[...]
            case .end: throw CodeForgeError(.cancelled, "the client is gone")
            case .timeout: bodyRefusal = .slowBody
            }
        }
        throw CodeForgeError(.invalidArgument, "the request's body is refused")
    }

    /// Reads and drops what the client still sends, so that closing does not destroy the answer on its way (a close
    /// with unread bytes is a reset).
    func drain() async {
        var left = 1 << 20
        while left > 0, case .bytes(let bytes) = await client.receive(within: .seconds(1)) { left -= bytes.count }
    }
}
