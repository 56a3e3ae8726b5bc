import NIOCore

/// Notices what ends an answer without an end of its own: the client closed its side of the connection (there is nothing
/// more for it to say, so it is taken as gone), its request was cancelled, or the server stops.
///
/// Confined to its connection's event loop.
final class ConnectionEnd: ChannelInboundHandler {
    typealias InboundIn = Any

    private var hasCome = false
    private var observer: (@Sendable () -> Void)?

    /// Calls `observer` at the end, or now when it has come already; `nil` calls nobody. May be called from anywhere.
    static func observe(_ channel: any Channel, _ observer: (@Sendable () -> Void)?) {
        channel.eventLoop.execute {
            guard let handler = try? channel.pipeline.syncOperations.handler(type: ConnectionEnd.self) else {
                // Closed, and its handlers gone; or one of a test without a connection.
                if !channel.isActive { observer?() }
                return
            }
            handler.observer = observer
            if handler.hasCome { observer?() }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Hummingbird closes the input of a connection whose task is cancelled.
        if event is ChannelShouldQuiesceEvent || event as? ChannelEvent == .inputClosed { come() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        come()
        context.fireChannelInactive()
    }

    private func come() {
        hasCome = true
        observer?()
    }
}
