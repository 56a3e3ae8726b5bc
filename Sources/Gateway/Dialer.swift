import Domain
import NIOCore
import NIOPosix
import Synchronization

/// Opens TCP connections to names: looked up once, every address checked, and a checked one dialled.
struct Dialer: Sendable {
    let resolver: any NameResolver
    let addresses: AddressRule
    let eventLoop: any EventLoop
    /// Name lookup and connection together.
    var limit: Duration = .seconds(10)

    /// What the kernel may keep of an answer that nobody reads yet; all of it is taken over when the peer closes.
    private static let receiveBuffer = 256 * 1024

    /// - Throws: `.forbidden` when the address rule refuses; `.unavailable`, `.timeout`, `.cancelled`.
    func dial(_ host: HTTPURL.Host, port: UInt16) async throws(CodeForgeError) -> ByteChannel {
        let deadline = ContinuousClock().now + limit
        var found: [IPAddress]
        switch host {
        case .address(let address): found = [address]
        case .name(let name): found = try await resolver.addresses(of: name, within: limit)
        }
        try addresses.check(found, host: host, port: port)
        found = Array(found.prefix(6))
        var failure = CodeForgeError(.unavailable, "\(host): no connection")
        for (i, address) in found.enumerated() {
            if Task.isCancelled { throw CodeForgeError(.cancelled, "\(host): given up") }
            let left = (deadline - ContinuousClock().now) / (found.count - i)
            guard left > .zero else { throw CodeForgeError(.timeout, "\(host): no connection in time") }
            do {
                return try await connect(address, port, within: left)
            } catch let error as ChannelError {
                if case .connectTimeout = error {
                    failure = CodeForgeError(.timeout, "\(host): \(address) did not answer in time")
                } else {
                    failure = CodeForgeError(.unavailable, "\(host): \(address): \(error)")
                }
            } catch {
                failure = CodeForgeError(.unavailable, "\(host): \(address): \(error)")
            }
        }
        if Task.isCancelled { throw CodeForgeError(.cancelled, "\(host): given up") }
        throw failure
    }

    private func connect(_ address: IPAddress, _ port: UInt16, within limit: Duration) async throws -> ByteChannel {
        let pending = Pending()
        let target = try SocketAddress(ipAddress: "\(address)", port: Int(port))
        let future = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(limit))
            .channelOption(.autoRead, value: false)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16 * 1024))
            .channelOption(.socketOption(.so_rcvbuf), value: Dialer.receiveBuffer)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                pending.hold(channel)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        ByteChannel(channel, maximumReceived: 4 * Dialer.receiveBuffer) { _ in })
                }
            }
            .connect(to: target)
        let channel = try await withTaskCancellationHandler {
            try await future.get()
        } onCancel: {
            pending.cancel()
        }
        return try await channel.pipeline.handler(type: ByteChannel.self).get()
    }

    /// Lets a connection that is being made be given up.
    private final class Pending: Sendable {
        private let state = Mutex<(channel: (any Channel)?, isCancelled: Bool)>((nil, false))

        func hold(_ channel: any Channel) {
            let isCancelled = state.withLock { state in
                state.channel = channel
                return state.isCancelled
            }
            if isCancelled { channel.close(promise: nil) }
        }

        func cancel() {
            let channel = state.withLock { state in
                state.isCancelled = true
                return state.channel
            }
            channel?.close(promise: nil)
        }
    }
}
