/// Wakes one who waits for something to do; wakes that nobody waited for become one.
public struct Waker: Sendable {
    /// An element, at the latest, after each `wake`.
    public let wakes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    public init() {
        (wakes, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    public func wake() { continuation.yield() }

    /// Until somebody wakes, the time is over, or the task is cancelled.
    public func wait(atMost limit: Duration) async {
        let alarm = Task { [continuation] in
            try await Task.sleep(for: limit)
            continuation.yield()
        }
        for await _ in wakes { break }
        alarm.cancel()
    }
}
