import Domain
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// Answers each request in a task of its own. What a task needed at its deepest it keeps to its end, and a connection's
/// goes on for as long as a client likes.
final class RequestTasks: Sendable {
    fileprivate let responder: RouterResponder<APIContext>
    fileprivate let logger: Logger
    private let clock: any WallClock
    /// The second that is, in words.
    private let date: Mutex<(second: Int64, text: String)>

    init(_ responder: RouterResponder<APIContext>, clock: any WallClock, logger: Logger) {
        self.responder = responder
        self.clock = clock
        self.logger = logger
        date = Mutex((.min, ""))
    }

    func answer(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        var response = try await RequestTask(self, request, channel).response()
        response.headers[.date] = dateText()
        do {
            try await writer.write(response: response.head, body: response.body)
        } catch is HTTPParserError {
            // As such it would be answered, and an answer is on its way already.
            throw CancellationError()
        }
    }

    private func dateText() -> String {
        let now = clock.now()
        return date.withLock { date in
            if date.second != now.seconds { date = (now.seconds, now.httpDate) }
            return date.text
        }
    }
}

/// One request under way.
private final class RequestTask: Sendable {
    private let task: Task<Response, any Error>

    init(_ tasks: RequestTasks, _ request: Request, _ channel: any Channel) {
        task = Task(executorPreference: EventLoopExecutor(channel.eventLoop)) {
            try await withLogger(tasks.logger) { logger in
                let context = APIContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
                return try await tasks.responder.respond(to: request, context: context)
            }
        }
    }

    func response() async throws -> Response {
        try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
