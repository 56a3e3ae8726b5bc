import Logging
package import ServiceLifecycle

/// A service that is cancelled when it does not stop by itself soon enough.
///
/// For HTTP: requests under way may end when the server stops, and no request holds the stop up for ever.
package struct DrainLimit<Inner: Service>: Service {
    private let inner: Inner
    private let limit: Duration

    /// - Parameter limit: From the beginning of the stop.
    package init(_ inner: Inner, limit: Duration) {
        self.inner = inner
        self.limit = limit
    }

    private enum Ending { case ended, timeIsUp, notAsked }

    package func run() async throws {
        try await withThrowingTaskGroup(of: Ending.self) { group in
            group.addTask { [inner] in
                try await inner.run()
                return .ended
            }
            group.addTask { [limit] in
                do {
                    try await gracefulShutdown()
                    try await Task.sleep(for: limit)
                    return .timeIsUp
                } catch {
                    return .notAsked  // it ended before
                }
            }
            defer { group.cancelAll() }
            while let ending = try await group.next() {
                switch ending {
                case .ended: return
                case .notAsked: continue
                case .timeIsUp:
                    Logger.current.warning("requests cut off", metadata: ["after": "\(limit)"])
                    group.cancelAll()
                    // Whatever it says now: it was told to end.
                    while await group.nextResult() != nil {}
                    return
                }
            }
        }
    }
}
