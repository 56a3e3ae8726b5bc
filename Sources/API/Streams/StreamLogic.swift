import Domain

/// What a stream of one task's events shows, and when it ends. Pure: inputs in, actions out.
///
/// Facts it stands on: a run's end is written to the record first and to the log (`done`) after it, so
/// - a `done` in the log means that the record already said so, and a look at the record then tells whether that run
///   was the last one or a follow-up has begun;
/// - a finished task whose review is still on its way to the forge has its `done` after that;
/// - a record that says "finished" while the log does not yet means that `done` is about to come, or that the log lost
///   it; so it is waited for, but not for long.
struct StreamLogic {
    /// The run a record is about: a follow-up or a review after it is another one.
    struct Run: Equatable {
        var iteration: Int
        var isReview: Bool
    }

    /// As much of a task's record as matters here: a stream that waits should be small.
    struct Record: Equatable {
        var id: String
        var status: TaskStatus
        var changes: ChangesSummary?
        var run: Run
        var isSettled: Bool

        init(_ task: CodeTask) {
            id = task.id
            status = task.status
            changes = task.changes
            run = Run(iteration: task.iteration, isReview: task.status == .reviewing)
            isSettled = task.isSettled
        }
    }

    enum Input {
        case batch(EventBatch)
        /// The record, as asked for by `.check`; `nil` when the task is gone.
        case record(Record?)
        /// The record can't be read now.
        case recordUnavailable
        /// Nothing was written for a while.
        case idle
        /// The wait that `.settle` began is over.
        case settled
        case timeout
        /// The server stops, or the log ended.
        case stop
    }

    enum Action: Equatable {
        /// Events only, in order.
        case send([LoggedEvent])
        /// Read the record and hand it in.
        case check
        /// Hand in `.settled` soon, unless something else comes first.
        case settle
        case keepalive
        /// The last frame; the stream closes.
        case done(Done)
        /// Say that time is up, and close.
        case timeout
        case close
    }

    /// The data of the `done` frame.
    enum Done: Equatable {
        /// As the log has it.
        case logged(LoggedEvent)
        /// For a task that was finished before the stream began.
        case brief(Record)
        /// For a run whose `done` never reached the log.
        case full(Record)
    }

    private enum State {
        /// Reading history; `ending` is its last entry when that is a `done`.
        case replaying(ending: LoggedEvent?)
        /// History is over; the record is being read.
        case checkingHistory(ending: LoggedEvent?)
        case live(Run)
        /// A `done` came; whether it is the end is being found out. `rest` came with it.
        case checkingDone(Run, LoggedEvent, rest: [LoggedEvent])
        case checkingIdle(Run)
        /// The record is finished, its `done` is still to come.
        case settling(Record)
        case closed
    }

    private var state = State.replaying(ending: nil)
    private let first: Record
    private let endedJustNow: Bool

    /// - Parameters:
    ///   - first: The record when the stream began.
    ///   - endedJustNow: It was finished, and so recently that its `done` may still be on the way.
    init(_ first: Record, endedJustNow: Bool) {
        self.first = first
        self.endedJustNow = endedJustNow
    }

    var isClosed: Bool {
        if case .closed = state { return true }
        return false
    }

    mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .batch(let batch): return take(batch)
        case .record(let task): return check(task)
        case .recordUnavailable: return checkFailed()
        case .idle: return idle()
        case .settled:
            guard case .settling(let task) = state else { return [] }
            return end(.done(first.isSettled ? .brief(task) : .full(task)))
        case .timeout: return isClosed ? [] : end(.timeout)
        case .stop: return isClosed ? [] : end(.close)
        }
    }

    private mutating func take(_ batch: EventBatch) -> [Action] {
        switch state {
        case .replaying(let ending): return replay(batch, ending)
        case .live(let run): return follow(batch.entries, run)
        case .settling(let task):
            guard let index = batch.entries.firstIndex(where: \.isDone) else { return send(batch.entries) }
            let done: Done = first.isSettled ? .brief(task) : .logged(batch.entries[index])
            return send(Array(batch.entries[..<index])) + end(.done(done))
        case .checkingHistory, .checkingDone, .checkingIdle, .closed: return []
        }
    }

    /// Every `done` in the history is the end of some run; only the very last entry can be that of the run watched.
    private mutating func replay(_ batch: EventBatch, _ ending: LoggedEvent?) -> [Action] {
        let last = batch.entries.last.map { $0.isDone ? $0 : nil } ?? ending
        let shown = send(batch.entries)
        guard batch.caughtUp else {
            state = .replaying(ending: last)
            return shown
        }
        guard first.isSettled else {
            state = .checkingHistory(ending: last)
            return shown + [.check]
        }
        if last == nil, endedJustNow {
            state = .settling(first)
            return shown + [.settle]
        }
        return shown + end(.done(.brief(first)))
    }

    private mutating func follow(_ entries: [LoggedEvent], _ run: Run) -> [Action] {
        guard let index = entries.firstIndex(where: \.isDone) else { return send(entries) }
        state = .checkingDone(run, entries[index], rest: Array(entries[(index + 1)...]))
        return send(Array(entries[..<index])) + [.check]
    }

    private mutating func check(_ task: Record?) -> [Action] {
        guard let task else { return isClosed ? [] : end(.close) }
        switch state {
        case .checkingHistory(let ending):
            if let ending, task.status.isFinished { return end(.done(.logged(ending))) }
            guard task.isSettled else {
                state = .live(task.run)
                return []
            }
            state = .settling(task)
            return [.settle]
        case .checkingDone(let run, let done, let rest):
            // Finished: this is the end. Another run by now: the watched one must have ended. Else it is the late
            // `done` of a run before the one watched.
            if task.status.isFinished || task.run != run { return end(.done(.logged(done))) }
            state = .live(run)
            return follow(rest, run)
        case .checkingIdle(let run):
            guard task.isSettled else {
                state = .live(run)
                return []
            }
            state = .settling(task)
            return [.settle]
        case .replaying, .live, .settling, .closed: return []
        }
    }

    /// Without the record the log alone decides.
    private mutating func checkFailed() -> [Action] {
        switch state {
        case .checkingHistory: state = .live(first.run)
        case .checkingDone(_, let done, _): return end(.done(.logged(done)))
        case .checkingIdle(let run): state = .live(run)
        case .replaying, .live, .settling, .closed: break
        }
        return []
    }

    /// A quiet stream looks at the record too: a log that lost the end must not keep its readers for ten minutes.
    private mutating func idle() -> [Action] {
        switch state {
        case .live(let run):
            state = .checkingIdle(run)
            return [.keepalive, .check]
        case .replaying, .settling: return [.keepalive]
        case .checkingHistory, .checkingDone, .checkingIdle, .closed: return []
        }
    }

    private func send(_ entries: [LoggedEvent]) -> [Action] {
        let events = entries.contains(where: \.isDone) ? entries.filter { !$0.isDone } : entries
        return events.isEmpty ? [] : [.send(events)]
    }

    private mutating func end(_ action: Action) -> [Action] {
        state = .closed
        return [action]
    }
}

extension LoggedEvent {
    fileprivate var isDone: Bool {
        if case .done = body { return true }
        return false
    }
}
