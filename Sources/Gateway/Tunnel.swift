import Domain
import Synchronization

/// A byte pipe between a client that asked for `CONNECT` and the host it asked for.
///
/// Only TLS passes, and only for the name that was asked for: the gateway reads the first record, and not a byte goes
/// out before it is found good. What comes behind is sealed from us. When one end closes, what it had sent is still
/// delivered, then the other is closed.
struct Tunnel: Sendable {
    struct Outcome: Sendable {
        var reason: String
        var detail: String?
        var bytesOut = 0
        var bytesIn = 0
    }

    let client: ByteChannel
    let upstream: ByteChannel
    let target: Router.TunnelTarget
    let policy: GatewayPolicy
    let ledger: Ledger

    /// Reads and judges the client's first record.
    ///
    /// - Parameter early: What came right behind the request.
    /// - Returns: Every byte read so far; all of it is to go out first.
    static func hello(
        _ client: ByteChannel, early: [UInt8], target: Router.TunnelTarget, within limit: Duration
    ) async throws(Refusal) -> [UInt8] {
        var bytes = early
        let deadline = ContinuousClock().now + limit
        while true {
            let hello: ClientHello?
            do throws(ClientHello.Rejection) {
                hello = try ClientHello.read(bytes)
            } catch {
                switch error {
                case .notTLS: throw .hello("tls_required", detail: "the tunnel's first bytes are no TLS ClientHello")
                case .malformed(let why): throw .hello("tls_malformed", detail: "ClientHello: \(why)")
                case .encryptedName: throw .hello("ech_refused", detail: "the server name is encrypted (ECH)")
                }
            }
            if let hello {
                guard hello.isFor(target.host) else {
                    let name = hello.serverName.map { "the server name is \(PlainText.start(of: $0, 253))" }
                    throw .hello("sni_mismatch", detail: name ?? "there is no server name")
                }
                return bytes
            }
            switch await client.receive(within: deadline - ContinuousClock().now) {
            case .bytes(let more): bytes += more
            case .end: throw .hello("client_gone", detail: "before the end of its ClientHello")
            case .timeout: throw .hello("request_timeout", detail: "no ClientHello in time")
            }
        }
    }

    /// A fatal `unrecognized_name` alert (RFC 8446, 6.2), which clients turn into an error that says so.
    static let alert: [UInt8] = [21, 3, 3, 0, 2, 2, 112]

    /// - Parameter first: The client's bytes so far.
    func run(first: [UInt8]) async -> Outcome {
        let flow = Flow()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                if await pass(first, to: upstream, flow, isOut: true) {
                    await pump(from: client, to: upstream, flow, isOut: true)
                }
                await upstream.close()
            }
            group.addTask {
                await pump(from: upstream, to: client, flow, isOut: false)
                // Closing with unread bytes of the client's would reset the connection and lose what is on its way.
                await client.closeOutput()
                try? await Task.sleep(for: .seconds(1))  // Cut short when the client closes.
                await client.close()
            }
            await group.next()
            group.cancelAll()
        }
        return flow.outcome
    }

    private func pump(from source: ByteChannel, to sink: ByteChannel, _ flow: Flow, isOut: Bool) async {
        while true {
            switch await source.receive(within: flow.left(of: policy.tunnelIdleTimeout)) {
            case .bytes(let bytes):
                guard await pass(bytes, to: sink, flow, isOut: isOut) else { return }
            case .end: return
            case .timeout:
                // The other direction may have been busy meanwhile.
                if flow.left(of: policy.tunnelIdleTimeout) > .zero { continue }
                return flow.end("idle_timeout", nil)
            }
        }
    }

    private func pass(_ bytes: [UInt8], to sink: ByteChannel, _ flow: Flow, isOut: Bool) async -> Bool {
        do {
            if isOut { try ledger.take(out: bytes.count) } else { try ledger.take(in: bytes.count) }
        } catch {
            flow.end(error.error, error.detail)
            return false
        }
        guard await sink.write(bytes, within: policy.idleTimeout) else { return false }
        flow.moved(bytes.count, isOut: isOut)
        return true
    }

    /// What both directions know of each other.
    private final class Flow: Sendable {
        private struct State {
            var last = ContinuousClock().now
            var outcome = Outcome(reason: "ok")
        }
        private let state = Mutex(State())

        var outcome: Outcome { state.withLock { $0.outcome } }

        func moved(_ count: Int, isOut: Bool) {
            state.withLock { state in
                state.last = ContinuousClock().now
                if isOut { state.outcome.bytesOut += count } else { state.outcome.bytesIn += count }
            }
        }

        func left(of limit: Duration) -> Duration { state.withLock { $0.last + limit - ContinuousClock().now } }

        /// The first word on why it ended stays.
        func end(_ reason: String, _ detail: String?) {
            state.withLock { state in
                guard state.outcome.reason == "ok" else { return }
                state.outcome.reason = reason
                state.outcome.detail = detail
            }
        }
    }
}
