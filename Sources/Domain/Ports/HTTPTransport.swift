/// Sends one HTTP request to the outside and streams the answer back.
///
/// An implementation follows no redirect, uses no proxy, always verifies TLS, speaks `http` and `https` only, resolves
/// the name once, holds every resolved address against `TransportRequest.addresses` and dials exactly those addresses.
package protocol HTTPTransport: Sendable {
    /// Returns as soon as the response head is there; the request body may still be on its way then.
    ///
    /// Cancelling the calling task, or dropping the response's body, ends the transfer and closes its connection.
    ///
    /// - Throws: `.invalidArgument` for a URL, method or header that is not sent as it is; `.forbidden` when the
    ///   address rule refuses; `.timeout` with the limit that passed; `.unavailable` when the peer cannot be reached
    ///   or breaks the protocol; `.cancelled` when the caller is.
    func send(_ request: TransportRequest) async throws(CodeForgeError) -> TransportResponse
}

/// One request to the outside.
package struct TransportRequest: Sendable {
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Chunks are pulled when the connection can take them. `length` in bytes becomes `Content-Length` and must be
        /// right; without it the body goes out chunked.
        case stream(TransportBody, length: Int64?)
    }

    /// An HTTP token such as `GET`; case is kept.
    package var method: String
    /// Absolute `http` or `https` URL as `HTTPURL` reads it.
    package var url: String
    /// Sent in this order. Framing and connection headers belong to the transport and are refused.
    package var headers: HeaderList
    package var body: Body
    package var limits: TransportLimits
    package var addresses: AddressRule

    package init(
        method: String = "GET",
        url: String,
        headers: HeaderList = [:],
        body: Body = .none,
        limits: TransportLimits = TransportLimits(),
        addresses: AddressRule = .publicOnly
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.limits = limits
        self.addresses = addresses
    }
}

/// The head of a response, and its body to pull.
package struct TransportResponse: Sendable {
    /// 200…599; interim (1xx) responses are swallowed.
    package var status: Int
    package var headers: HeaderList
    package var body: TransportBody

    package init(status: Int, headers: HeaderList, body: TransportBody) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// How long a transfer may take.
package struct TransportLimits: Sendable, Hashable {
    /// Name lookup, TCP and TLS together.
    package var connect: Duration
    /// Longest time in which the network moves no byte either way; a pause that our own side asked for does not count.
    package var idle: Duration
    /// Everything, up to the last byte of the response; `nil` is no limit.
    package var total: Duration?

    package init(connect: Duration = .seconds(10), idle: Duration = .seconds(60), total: Duration? = nil) {
        self.connect = connect
        self.idle = idle
        self.total = total
    }
}

/// Body bytes in chunks, pulled one at a time: no chunk is fetched before it is asked for, but for a bounded buffer.
///
/// One consumer only; what was read once is gone.
package struct TransportBody: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    package typealias Failure = CodeForgeError

    private let pull: @Sendable () async throws(CodeForgeError) -> [UInt8]?

    /// - Parameter pull: The next chunk, never empty, or `nil` at the end. What it captures lives as long as the body.
    package init(_ pull: @escaping @Sendable () async throws(CodeForgeError) -> [UInt8]?) { self.pull = pull }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let pull: @Sendable () async throws(CodeForgeError) -> [UInt8]?

        package mutating func next() async throws(CodeForgeError) -> [UInt8]? { try await pull() }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(CodeForgeError) -> [UInt8]? {
            try await pull()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pull: pull) }

    /// The whole body.
    /// - Throws: `.limited` when it is longer than `limit` bytes, otherwise what the transfer throws.
    package func collect(upTo limit: Int) async throws(CodeForgeError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let chunk = try await pull() {
            guard bytes.count + chunk.count <= limit else {
                throw CodeForgeError(.limited, "the body is longer than \(limit) bytes")
            }
            bytes += chunk
        }
        return bytes
    }
}
