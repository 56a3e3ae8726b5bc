import HummingbirdCore
import Logging
import NIOCore

/// HTTP/1.1 as this service speaks it: with a deadline for each request, on the connection's event loop, and in little
/// memory.
struct APIChannel: HTTPChannelHandler {
    typealias Value = HTTP1Channel.Value

    private let base: HTTP1Channel
    private let readLimit: TimeAmount

    /// Of the first buffer of a connection; it grows with what comes. Requests have few bytes, and the buffer stays.
    private static let firstReadBytes = 512

    init(responder: @escaping Responder, idleTimeout: TimeAmount, readLimit: TimeAmount) {
        base = HTTP1Channel(responder: responder, configuration: .init(idleTimeout: idleTimeout))
        self.readLimit = readLimit
    }

    var responder: Responder { base.responder }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let readLimit = readLimit
        return base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            try channel.syncOptions?.setOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 64, initial: APIChannel.firstReadBytes, maximum: 65_536))
            try RequestDeadline.add(readLimit, to: channel)
            try channel.pipeline.syncOperations.addHandler(ConnectionEnd(), position: .first)
            return value
        }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await handleHTTP(asyncChannel: value, logger: logger)
        }
    }
}
