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

    func response(for task: CodeTask, after: String?, _ request: Request, _ context: APIContext) -> Response {
        let age = task.finishedAt.map { clock.now().nanoseconds - $0.nanoseconds } ?? .max
        let logic = StreamLogic(task, endedJustNow: task.status.isFinished && age < EventStreams.recentNanoseconds)
        let channel = context.channel
        let stream = self
        return StreamHost.response { writer in
            let session = EventStreamSession(stream, task: task, after: after, channel: channel)
            try await session.run(logic, request.body, &writer)
        }
    }

    /// Of every stream.
    static let headers: HTTPFields = [
        .contentType: "text/event-stream", .cacheControl: "no-cache", .connection: "keep-alive", .accelBuffering: "no",
    ]

    static let open = Meter(label: "codeforge_http_streams")
}
