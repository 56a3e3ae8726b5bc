import Domain
import Testing

@testable import API

@Suite struct StreamLogicTests {
    private typealias Action = StreamLogic.Action

    // A task in a status; iteration 1 unless said.
    private func task(
        _ status: TaskStatus, _ iteration: Int = 1, posting: ReviewPosting? = nil
    ) -> StreamLogic.Record {
        var task = CodeTask(
            id: "t",
            status: status,
            repoURL: "r",
            prompt: "p",
            workspaceSlug: "s",
            createdAt: Timestamp(nanoseconds: 0)
        )
        task.iteration = iteration
        task.posting = posting
        return StreamLogic.Record(task)
    }

    private func event(_ n: Int) -> LoggedEvent { LoggedEvent(id: "\(n)-0", body: .event(json: Array("{}".utf8))) }
    private func done(_ n: Int) -> LoggedEvent { LoggedEvent(id: "\(n)-0", body: .done(json: Array("{}".utf8))) }

    private func batch(_ entries: [LoggedEvent], caughtUp: Bool = true) -> StreamLogic.Input {
        .batch(EventBatch(entries: entries, caughtUp: caughtUp))
    }

    /// A stream that is live on the given run, history being empty.
    private func live(_ status: TaskStatus = .running, _ iteration: Int = 1) -> StreamLogic {
        var logic = StreamLogic(task(status, iteration), endedJustNow: false)
        #expect(logic.handle(batch([])) == [.check])
        #expect(logic.handle(.record(task(status, iteration))) == [])
        return logic
    }

    @Test(arguments: [TaskStatus.completed, .failed, .prCreated])
    func finishedTaskShowsHistoryThenDone(status: TaskStatus) {
        var logic = StreamLogic(task(status), endedJustNow: false)
        #expect(logic.handle(batch([event(1), done(2)], caughtUp: false)) == [.send([event(1)])])
        #expect(logic.handle(batch([event(3), done(4)])) == [.send([event(3)]), .done(.brief(task(status)))])
        #expect(logic.isClosed)
    }

    @Test func finishedTaskWithoutHistoryIsDoneAtOnce() {
        var logic = StreamLogic(task(.completed), endedJustNow: false)
        #expect(logic.handle(batch([])) == [.done(.brief(task(.completed)))])
    }

    @Test func justFinishedTaskWaitsForItsLastEvents() {
        var logic = StreamLogic(task(.completed), endedJustNow: true)
        #expect(logic.handle(batch([event(1)])) == [.send([event(1)]), .settle])
        #expect(
            logic.handle(batch([event(2), done(3)])) == [.send([event(2)]), .done(.brief(task(.completed)))]
        )
    }

    @Test func justFinishedTaskDoesNotWaitForLong() {
        var logic = StreamLogic(task(.failed), endedJustNow: true)
        #expect(logic.handle(batch([event(1)])) == [.send([event(1)]), .settle])
        #expect(logic.handle(.settled) == [.done(.brief(task(.failed)))])
    }

    @Test func endsOfEarlierIterationsAreNotShown() {
        var logic = StreamLogic(task(.running, 2), endedJustNow: false)
        #expect(logic.handle(batch([event(1), done(2), event(3)])) == [.send([event(1), event(3)]), .check])
        #expect(logic.handle(.record(task(.running, 2))) == [])
        #expect(logic.handle(batch([event(4)])) == [.send([event(4)])])
        #expect(logic.handle(batch([event(5), done(6)])) == [.send([event(5)]), .check])
        #expect(logic.handle(.record(task(.completed, 2))) == [.done(.logged(done(6)))])
    }

    @Test func aQueuedFollowUpIsWaitedFor() {
        // History ends with the first iteration's `done`, the follow-up has not begun.
        var logic = StreamLogic(task(.awaitingInstruction, 2), endedJustNow: false)
        #expect(logic.handle(batch([event(1), done(2)])) == [.send([event(1)]), .check])
        #expect(logic.handle(.record(task(.awaitingInstruction, 2))) == [])
        #expect(!logic.isClosed)
        #expect(logic.handle(batch([done(3)])) == [.check])
        #expect(logic.handle(.record(task(.failed, 2))) == [.done(.logged(done(3)))])
    }

    @Test func taskThatFinishesWhileHistoryIsRead() {
        var logic = StreamLogic(task(.running), endedJustNow: false)
        #expect(logic.handle(batch([event(1), done(2)])) == [.send([event(1)]), .check])
        #expect(logic.handle(.record(task(.completed))) == [.done(.logged(done(2)))])
    }

    @Test func taskThatFinishesBetweenHistoryAndRecord() {
        // The record says finished, its `done` is not in the log yet.
        var logic = StreamLogic(task(.running), endedJustNow: false)
        #expect(logic.handle(batch([event(1)])) == [.send([event(1)]), .check])
        #expect(logic.handle(.record(task(.completed))) == [.settle])
        #expect(logic.handle(batch([event(2), done(3), event(4)])) == [.send([event(2)]), .done(.logged(done(3)))])
    }

    @Test func endThatNeverReachedTheLog() {
        var logic = StreamLogic(task(.running), endedJustNow: false)
        #expect(logic.handle(batch([])) == [.check])
        #expect(logic.handle(.record(task(.failed))) == [.settle])
        #expect(logic.handle(.settled) == [.done(.full(task(.failed)))])
    }

    @Test func quietStreamNoticesAnEndTheLogLost() {
        var logic = live()
        #expect(logic.handle(.idle) == [.keepalive, .check])
        #expect(logic.handle(.record(task(.running))) == [])
        #expect(logic.handle(.idle) == [.keepalive, .check])
        #expect(logic.handle(.record(task(.completed))) == [.settle])
        #expect(logic.handle(.idle) == [.keepalive])
        #expect(logic.handle(.settled) == [.done(.full(task(.completed)))])
    }

    @Test func lateEndOfAnEarlierRunDoesNotEndTheStream() {
        // The first iteration's `done` comes after the follow-up was accepted.
        var logic = live(.awaitingInstruction, 2)
        #expect(logic.handle(batch([done(1), event(2)])) == [.check])
        #expect(logic.handle(.record(task(.running, 2))) == [.send([event(2)])])
        #expect(!logic.isClosed)
        #expect(logic.handle(batch([done(3)])) == [.check])
        #expect(logic.handle(.record(task(.completed, 2))) == [.done(.logged(done(3)))])
    }

    @Test func twoEndsInOneBatch() {
        var logic = live(.awaitingInstruction, 2)
        #expect(logic.handle(batch([done(1), event(2), done(3)])) == [.check])
        #expect(logic.handle(.record(task(.running, 2))) == [.send([event(2)]), .check])
        #expect(logic.handle(.record(task(.completed, 2))) == [.done(.logged(done(3)))])
    }

    @Test func followUpThatStartsRightAfterTheEndDoesNotHideIt() {
        var logic = live(.running, 1)
        #expect(logic.handle(batch([done(1)])) == [.check])
        #expect(logic.handle(.record(task(.awaitingInstruction, 2))) == [.done(.logged(done(1)))])
        var reviewed = live(.running, 1)
        #expect(reviewed.handle(batch([done(1)])) == [.check])
        #expect(reviewed.handle(.record(task(.reviewing, 1))) == [.done(.logged(done(1)))])
    }

    @Test func reviewEndsItsStream() {
        var logic = StreamLogic(task(.reviewing), endedJustNow: false)
        #expect(logic.handle(batch([event(1), done(2), event(3)])) == [.send([event(1), event(3)]), .check])
        #expect(logic.handle(.record(task(.reviewing))) == [])
        #expect(logic.handle(batch([done(4)])) == [.check])
        #expect(logic.handle(.record(task(.completed))) == [.done(.logged(done(4)))])
    }

    /// Its last events come after, and the record may say for a moment longer that they do not.
    @Test func aReviewStillToBePostedIsWaitedFor() {
        let run = RunID(taskID: "t", iteration: 1, attempt: 1, purpose: .review)
        let posting = task(.completed, posting: ReviewPosting(run: run, marker: "m"))
        var logic = StreamLogic(posting, endedJustNow: true)
        #expect(logic.handle(batch([event(1)])) == [.send([event(1)]), .check])
        #expect(logic.handle(.record(posting)) == [])
        #expect(logic.handle(.idle) == [.keepalive, .check])
        #expect(logic.handle(.record(posting)) == [])
        #expect(logic.handle(batch([event(2), done(3)])) == [.send([event(2)]), .check])
        #expect(logic.handle(.record(posting)) == [.done(.logged(done(3)))])
    }

    @Test func trimmedHistoryIsLikeAShortOne() {
        // Everything before entry 900 is gone, that iteration's `done` too.
        var logic = StreamLogic(task(.running, 3), endedJustNow: false)
        #expect(logic.handle(batch([event(900)])) == [.send([event(900)]), .check])
        #expect(logic.handle(.record(task(.running, 3))) == [])
        #expect(logic.handle(batch([done(901)])) == [.check])
        #expect(logic.handle(.record(task(.completed, 3))) == [.done(.logged(done(901)))])
    }

    @Test func withoutTheRecordTheLogDecides() {
        var logic = live()
        #expect(logic.handle(batch([done(1)])) == [.check])
        #expect(logic.handle(.recordUnavailable) == [.done(.logged(done(1)))])
        var starting = StreamLogic(task(.running), endedJustNow: false)
        #expect(starting.handle(batch([])) == [.check])
        #expect(starting.handle(.recordUnavailable) == [])
        #expect(!starting.isClosed)
    }

    @Test func goneTaskTimeoutAndStopClose() {
        var gone = live()
        #expect(gone.handle(.idle) == [.keepalive, .check])
        #expect(gone.handle(.record(nil)) == [.close])
        var late = live()
        #expect(late.handle(.timeout) == [.timeout])
        #expect(late.handle(batch([event(1)])) == [])
        #expect(late.handle(.stop) == [])
        var stopped = live()
        #expect(stopped.handle(.stop) == [.close])
        #expect(stopped.isClosed)
    }
}

@Suite struct StreamWatchTests {
    private let start = ContinuousClock.now
    private func watch() -> StreamWatch { StreamWatch(limits: StreamWatch.Limits(), now: start) }

    @Test func keepaliveAfterFifteenQuietSecondsOnce() {
        let watch = watch()
        #expect(watch.tick(start + .seconds(14)) == nil)
        #expect(watch.tick(start + .seconds(15)) == .idle)
        #expect(watch.tick(start + .seconds(16)) == nil)
        watch.sawIdle()
        watch.beginWrite(start + .seconds(17))
        watch.endWrite(start + .seconds(17))
        #expect(watch.tick(start + .seconds(31)) == nil)
        #expect(watch.tick(start + .seconds(32)) == .idle)
    }

    @Test func aWriteMayTakeThirtySeconds() {
        let watch = watch()
        watch.beginWrite(start + .seconds(5))
        #expect(watch.tick(start + .seconds(34)) == nil)
        #expect(watch.tick(start + .seconds(35)) == .stuck)
        watch.endWrite(start + .seconds(36))
        #expect(watch.tick(start + .seconds(37)) == nil)
    }

    @Test func tenMinutesAreTheEnd() {
        let watch = watch()
        #expect(watch.tick(start + .seconds(15)) == .idle)
        #expect(watch.tick(start + .seconds(599)) == nil)
        #expect(watch.tick(start + .seconds(600)) == .timeout)
        #expect(watch.tick(start + .seconds(601)) == nil)
    }

    @Test func settlingTakesTwoSeconds() {
        let watch = watch()
        watch.beginSettling(start + .seconds(3))
        #expect(watch.tick(start + .seconds(4)) == nil)
        #expect(watch.tick(start + .seconds(5)) == .settled)
        #expect(watch.tick(start + .seconds(6)) == nil)
    }
}

@Suite struct StreamFramesTests {
    @Test func lineBreaksInAPayloadCannotEndItsFrame() {
        var frames = StreamFrames()
        frames.event(LoggedEvent(id: "1-0", body: .event(json: Array("{\"a\":\r\n1}".utf8))))
        #expect(String(buffer: frames.take()) == "id: 1-0\ndata: {\"a\":  1}\n\n")
        #expect(frames.count == 0)
    }
}
