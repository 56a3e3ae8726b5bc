package import Domain
import Logging
import ServiceLifecycle
import Synchronization

/// Posts the reviews of runs that are to be posted without a client asking, and ends their streams.
///
/// What is to be posted is on record with the end of its run. A posting that was cut short is looked for on the forge by
/// its marker before it is tried again: it neither comes twice nor gets lost. Nothing here changes a task's status.
package final class ReviewOutbox: Service {
    /// Postings begun for one review before it is given up: each was cut short by an end of the server.
    private static let mostAttempts = 3
    /// Postings at a time.
    private static let concurrency = 8

    private let store: any TaskStore
    private let events: any EventLog
    private let poster: ReviewPoster
    private let destination: @Sendable (CodeTask) async throws(CodeForgeError) -> ReviewDestination
    private let callbacks: CallbackService?
    private let clock: any WallClock
    /// By marker: what could not be told yet.
    private let results = Mutex<[String: TaskEvent]>([:])
    private let waker = Waker()

    /// - Parameter destination: Where a task's review goes, as whom; throws what to tell when it can go nowhere.
    package init(
        store: any TaskStore, events: any EventLog, poster: ReviewPoster, callbacks: CallbackService?,
        clock: any WallClock,
        destination: @escaping @Sendable (CodeTask) async throws(CodeForgeError) -> ReviewDestination
    ) {
        self.store = store
        self.events = events
        self.poster = poster
        self.callbacks = callbacks
        self.clock = clock
        self.destination = destination
    }

    /// Something became ready.
    package func wake() { waker.wake() }

    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.work() }
    }

    private func work() async {
        while !Task.isCancelled {
            let ready = (try? await store.tasksToPost())?.filter { $0.posting?.isReady == true } ?? []  // next round
            await withTaskGroup(of: Void.self) { group in
                for (index, task) in ready.enumerated() {
                    if index >= ReviewOutbox.concurrency { await group.next() }
                    group.addTask { await self.deliver(task) }
                }
            }
            // Half a minute at most, for what failed.
            if ready.isEmpty { await waker.wait(atMost: .seconds(30)) }
        }
    }

    private func deliver(_ seen: CodeTask) async {
        guard let posting = seen.posting else { return }
        do throws(CodeForgeError) {
            guard let event = try await outcome(seen, posting) else { return }  // the next start goes on
            results.withLock { $0[posting.marker] = event }
            let task = seen
            try await events.appendOnce(
                [.event(json: event.json), .done(posting.run, status: .completed, changes: task.changes)],
                to: task.id, key: "posted:\(posting.run.iteration):\(posting.run.attempt)")
            try await store.update(task.id) { task throws(CodeForgeError) in
                if task.posting?.marker == posting.marker { task.posting = nil }
                return nil
            }
            results.withLock { $0[posting.marker] = nil }
            try await callbacks?.release(task: task.id)
        } catch {
            Logger.current.warning(
                "review not settled, trying again", metadata: ["task.id": "\(seen.id)", "error": "\(error)"])
            try? await Task.sleep(for: .seconds(1))  // cancelled: the loop ends
        }
    }

    /// What came of it, once; it is on record before it begins that something may be on the forge from here on.
    private func outcome(_ seen: CodeTask, _ posting: ReviewPosting) async throws(CodeForgeError) -> TaskEvent? {
        if let known = results.withLock({ $0[posting.marker] }) { return known }
        let task = try await store.update(seen.id) { task throws(CodeForgeError) in
            if task.posting?.marker == posting.marker { task.posting?.attempts += 1 }
            return nil
        }
        guard task.posting?.marker == posting.marker, let review = task.review else { return nil }
        return await post(review, of: task, posting)
    }

    /// - Returns: What to tell; `nil` when the server stops.
    private func post(_ review: ReviewResult, of task: CodeTask, _ posting: ReviewPosting) async -> TaskEvent? {
        func failed(_ why: String) -> TaskEvent {
            TaskEvent(.system, "review_post_failed", data: ["error": .string(why)], time: clock.now())
        }
        guard posting.attempts < ReviewOutbox.mostAttempts else { return failed("posting was cut short each time") }
        let place: ReviewDestination
        do throws(CodeForgeError) {
            place = try await destination(task)
        } catch {
            return error.code == .cancelled ? nil : failed(error.message)
        }
        do throws(ForgeError) {
            let posted = try await poster.post(
                review, on: task.config?.prNumber ?? 0, at: place, marker: posting.marker,
                isRepeated: posting.attempts > 0)
            return TaskEvent(
                .system, "review_posted",
                data: ["review_url": .string(posted.url), "comments_posted": .int(Int64(posted.comments))],
                time: clock.now())
        } catch {
            return error.reason == .cancelled ? nil : failed(error.message)
        }
    }
}
