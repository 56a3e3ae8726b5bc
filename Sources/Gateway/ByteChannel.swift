import NIOCore
import Synchronization

/// One connection as an async task sees it: bytes on demand, writes that wait for the socket, and a word when the peer
/// is gone even while nobody reads.
///
/// Nothing is read ahead: the kernel's buffer is the only one that grows, so each end is held back as the other is.
final class ByteChannel: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    enum Received: Sendable {
        case bytes([UInt8])
        /// The peer closed its side, or the connection broke.
        case end
        case timeout
    }

    private struct State {
        var received: [UInt8] = []
        var isClosed = false
        var waiter: CheckedContinuation<Received, Never>?
        var timer: Scheduled<Void>?
        var onClose: (@Sendable () -> Void)?

        mutating func endWait() {
            waiter = nil
            timer?.cancel()
            timer = nil
        }
    }

    private let state = Mutex(State())
    private let channel: any Channel
    /// What a peer that closed may leave behind in the kernel and is still read; the rest is dropped. The socket's
    /// receive buffer is smaller.
    private let maximumReceived: Int
    private let accept: @Sendable (ByteChannel) -> Void

    /// - Parameter accept: Called when the connection stands.
    init(_ channel: any Channel, maximumReceived: Int, accept: @escaping @Sendable (ByteChannel) -> Void) {
        self.channel = channel
        self.maximumReceived = maximumReceived
        self.accept = accept
    }

    // MARK: - The event loop's side

    func channelActive(context: ChannelHandlerContext) { accept(self) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        let bytes = Array(buffer.readableBytesView)
        let waiter = state.withLock { state -> CheckedContinuation<Received, Never>? in
            guard let waiter = state.waiter else {
                if state.received.count < maximumReceived { state.received += bytes }
                return nil
            }
            state.endWait()
            return waiter
        }
        waiter?.resume(returning: .bytes(bytes))
    }

    func channelInactive(context: ChannelHandlerContext) { ended() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func ended() {
        let (waiter, onClose) = state.withLock { state in
            defer {
                state.endWait()
                state.isClosed = true
                state.onClose = nil
            }
            return (state.waiter, state.onClose)
        }
        waiter?.resume(returning: .end)
        onClose?()
    }

    // MARK: - The task's side

    /// Calls `action` once when the connection is gone, at once if it is already.
    func onClose(_ action: @escaping @Sendable () -> Void) {
        let isClosed = state.withLock {
            if !$0.isClosed { $0.onClose = action }
            return $0.isClosed
        }
        if isClosed { action() }
    }

    /// The next bytes; one caller at a time.
    func receive(within limit: Duration) async -> Received {
        await withCheckedContinuation { waiter in
            let ready: Received? = state.withLock { state in
                if !state.received.isEmpty {
                    defer { state.received = [] }
                    return .bytes(state.received)
                }
                if state.isClosed || state.waiter != nil { return .end }
                state.waiter = waiter
                state.timer = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { [weak self] in self?.timedOut() }
                return nil
            }
            if let ready { return waiter.resume(returning: ready) }
            channel.read()
        }
    }

    private func timedOut() {
        let waiter = state.withLock { state in
            defer { state.endWait() }
            return state.waiter
        }
        waiter?.resume(returning: .timeout)
    }

    /// Returns when the socket took everything.
    /// - Returns: `false` when the peer is gone or took nothing for `limit`, which closes the connection.
    func write(_ bytes: [UInt8], within limit: Duration) async -> Bool {
        let channel = channel
        let timer = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { channel.close(promise: nil) }
        defer { timer.cancel() }
        do {
            try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
            return true
        } catch {
            return false
        }
    }

    /// Ends our direction, so that what was written arrives even when the peer is still sending.
    func closeOutput() async { _ = try? await channel.close(mode: .output).get() }  // Gone already: as good.

    func close() async { _ = try? await channel.close().get() }  // Gone already: as good.
}
