import Domain
import Engine
import HTTPTypes
import Hummingbird
import Metrics
import NIOCore

/// Serves tasks' events as server-sent events.
struct EventStreams: Sendable {
    let tasks: TaskService
    let ticker: Ticker
    let clock: any WallClock
    var limits = StreamWatch.Limits()

    /// How long after its end a task's `done` may still be on the way to the log.
    private static let recentNanoseconds: Int64 = 5_000_000_000

    func response(for task: CodeTask, after: String?, _ context: APIContext) -> Response {
        let age = task.finishedAt.map { clock.now().nanoseconds - $0.nanoseconds } ?? .max
        let session = EventStreamSession(
            tasks, StreamLogic.Record(task),
            endedJustNow: task.status.isFinished && age < EventStreams.recentNanoseconds, after: after)
        return StreamHost.response(session, ticker: ticker, channel: context.channel, limits: limits)
    }

    /// Of every stream.
    static var headers: HTTPFields {
        var fields = HTTPFields()
        fields.reserveCapacity(8)  // with those every answer has: they stay as long as the stream
        fields[.contentType] = "text/event-stream"
        fields[.cacheControl] = "no-cache"
        fields[.connection] = "keep-alive"
        fields[.accelBuffering] = "no"
        return fields
    }

    static let open = Meter(label: "codeforge_http_streams")
}
