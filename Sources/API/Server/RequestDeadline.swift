import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// The time a client may take to send one request, head and body together: who sends a byte now and then does not hold
/// a connection for ever. The server's own time for the answer does not count, and neither do pauses between requests.
///
/// Confined to its connection's event loop.
final class RequestDeadline {
    private let limit: TimeAmount
    /// Bytes came of a request that has not ended.
    private var isReading = false
    /// Its head is complete.
    private var isInBody = false
    /// Requests whose answers have not ended.
    private var unanswered = 0
    private var timer: Scheduled<Void>?

    private init(limit: TimeAmount) { self.limit = limit }

    /// Puts a deadline on a connection whose pipeline is complete. Called on its event loop.
    static func add(_ limit: TimeAmount, to channel: any Channel) throws {
        let deadline = RequestDeadline(limit: limit)
        let pipeline = channel.pipeline.syncOperations
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        try pipeline.addHandler(Parts(deadline), position: .after(decoder))
        try pipeline.addHandler(Bytes(deadline), position: .first)
    }

    /// Bytes were read and have been looked at. A request that came in one piece never gets here unended.
    private func check(_ context: ChannelHandlerContext) {
        let isSlow = isInBody ? unanswered <= 1 : isReading && unanswered == 0
        guard isSlow, timer == nil else { return }
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    private func stop() {
        timer?.cancel()
        timer = nil
    }

    /// Sees what comes in before anything else does.
    private final class Bytes: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let deadline: RequestDeadline

        init(_ deadline: RequestDeadline) { self.deadline = deadline }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            deadline.isReading = true
            context.fireChannelRead(data)
        }

        func channelReadComplete(context: ChannelHandlerContext) {
            context.fireChannelReadComplete()
            deadline.check(context)
        }

        func channelInactive(context: ChannelHandlerContext) {
            deadline.stop()
            context.fireChannelInactive()
        }

        func handlerRemoved(context: ChannelHandlerContext) { deadline.stop() }
    }

    /// Sees where requests and their answers begin and end.
    private final class Parts: ChannelDuplexHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundIn = HTTPServerResponsePart

        private let deadline: RequestDeadline

        init(_ deadline: RequestDeadline) { self.deadline = deadline }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head:
                deadline.isInBody = true
                deadline.unanswered += 1
            case .body: break
            case .end:
                deadline.isReading = false
                deadline.isInBody = false
                deadline.stop()
            }
            context.fireChannelRead(data)
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if case .end = unwrapOutboundIn(data) {
                deadline.unanswered = max(0, deadline.unanswered - 1)
                deadline.check(context)
            }
            context.write(data, promise: promise)
        }
    }
}
