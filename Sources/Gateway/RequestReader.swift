import Domain

/// Reads requests off a connection. The connection's task reads heads; the transport pulls the body between.
actor RequestReader {
    private let client: ByteChannel
    private let policy: GatewayPolicy
    private let ledger: Ledger
    private var parser: RequestParser
    /// Why the body of the current request could not be read to its end.
    private(set) var bodyRefusal: Refusal?
    private(set) var bodyBytes = 0
    /// Counts requests: a transport that asks late for more of an earlier body must not get the next one's.
    private var number = 0

    init(_ client: ByteChannel, policy: GatewayPolicy, ledger: Ledger) {
        self.client = client
        self.policy = policy
        self.ledger = ledger
        parser = RequestParser(maxHeaderBytes: policy.maxHeaderBytes)
    }

    /// Whether the next request starts where the connection stands.
    var isBodyDone: Bool { parser.isBodyDone && bodyRefusal == nil }

    /// The next head; `nil` when the client ends the connection or stays silent between requests.
    func head() async throws(Refusal) -> RequestHead? {
        let clock = ContinuousClock()
        var deadline: ContinuousClock.Instant?
        while true {
            if let head = try parser.head() { return head }
            let limit: Duration
            if parser.isEmpty {
                limit = policy.idleTimeout
            } else {
                let until = deadline ?? clock.now + policy.headerTimeout
                deadline = until
                limit = until - clock.now
                guard limit > .zero else { throw Refusal.slowHeaders }
            }
            switch await client.receive(within: limit) {
            case .bytes(let bytes): parser.append(bytes)
            case .end: return nil
            case .timeout:
                if parser.isEmpty { return nil }
                throw Refusal.slowHeaders
            }
        }
    }

    /// - Returns: The request's number, to ask for its body with.
    func startBody(_ framing: RequestHead.Framing, limit: Int) -> Int {
        number += 1
        parser.startBody(framing, limit: limit)
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
                let chunk = try parser.body()
                try ledger.take(out: chunk.count)
                bodyBytes += chunk.count
                if !chunk.isEmpty { return chunk }
            } catch {
                bodyRefusal = error
                break
            }
            if parser.isBodyDone { return nil }
            switch await client.receive(within: policy.idleTimeout) {
            case .bytes(let bytes): parser.append(bytes)
            case .end: throw CodeForgeError(.cancelled, "the client is gone")
            case .timeout: bodyRefusal = .slowBody
            }
        }
        throw CodeForgeError(.invalidArgument, "the request's body is refused")
    }

    /// What came behind the last request, for whoever goes on with the connection.
    func takeRest() -> [UInt8] { parser.takeRest() }

    /// Reads and drops what the client still sends, so that closing does not destroy the answer on its way (a close
    /// with unread bytes is a reset).
    func drain() async {
        var left = 1 << 20
        while left > 0, case .bytes(let bytes) = await client.receive(within: .seconds(1)) { left -= bytes.count }
    }
}
