import NIOCore

/// Runs a connection's tasks on its event loop: a request that needs nobody else is answered without a change of
/// thread, which costs more than the rest of it.
///
/// As on the common pool, what runs here must not block.
final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
