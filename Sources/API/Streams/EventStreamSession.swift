import Domain
import Engine

/// One client's stream of a task's events: carries out what `StreamLogic` decides.
///
/// What one client can hold while it is served: one batch of the log, and one buffer of about `chunkBytes`.
struct EventStreamSession: StreamSession {
    private let tasks: TaskService
    private let task: String
    private let after: String?
    /// Once it has begun.
    private var reader: (any EventReader)?
    private var logic: StreamLogic
    private var frames = StreamFrames()

    /// Bytes that are gathered before they are written.
    private static let chunkBytes = 65_536

    init(_ tasks: TaskService, _ task: StreamLogic.Record, endedJustNow: Bool, after: String?) {
        self.tasks = tasks
        self.task = task.id
        self.after = after
        logic = StreamLogic(task, endedJustNow: endedJustNow)
        frames.connected(task)
    }

    mutating func serve(_ reasons: StreamHost.Reasons, _ host: StreamHost) async throws -> Bool {
        if reasons.contains(.start) { reader = tasks.reader(of: task, after: after) { host.wake(.news) } }
        try await host.write(frames.take())
        for (reason, input) in EventStreamSession.inputs where reasons.contains(reason) {
            try await perform(logic.handle(input), host)
        }
        guard !logic.isClosed, !reasons.isDisjoint(with: [.start, .news]) else { return !logic.isClosed }
        let batch: EventBatch?
        do throws(CodeForgeError) {
            batch = try await reader?.next()
        } catch {
            return false  // the log is away: the client comes back with the id of the last event it got
        }
        guard let batch else { return true }
        try await perform(logic.handle(.batch(batch)), host)
        host.wake(.news)
        return !logic.isClosed
    }

    private static let inputs: [(StreamHost.Reasons, StreamLogic.Input)] = [
        (.stop, .stop), (.idle, .idle), (.settled, .settled), (.timeout, .timeout),
    ]

    private mutating func perform(_ actions: [StreamLogic.Action], _ host: StreamHost) async throws {
        var actions = actions
        while !actions.isEmpty {
            var next: [StreamLogic.Action] = []
            for action in actions { next += try await carryOut(action, host) }
            actions = next
        }
        try await host.write(frames.take())
    }

    private mutating func carryOut(
        _ action: StreamLogic.Action, _ host: StreamHost
    ) async throws -> [StreamLogic.Action] {
        switch action {
        case .send(let events):
            for event in events {
                frames.event(event)
                if frames.count >= EventStreamSession.chunkBytes { try await host.write(frames.take()) }
            }
        case .check:
            do throws(CodeForgeError) {
                return logic.handle(.record(StreamLogic.Record(try await tasks.task(task))))
            } catch {
                return logic.handle(error.code == .notFound ? .record(nil) : .recordUnavailable)
            }
        case .settle: host.settle()
        case .keepalive: frames.keepalive()
        case .done(let done): frames.done(done)
        case .timeout: frames.timeout()
        case .close: break
        }
        return []
    }
}
