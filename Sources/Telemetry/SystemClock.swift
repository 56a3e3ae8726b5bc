package import Domain

/// The machine's wall clock.
package struct SystemClock: WallClock {
    package init() {}

    package func now() -> Timestamp { LineLogHandler.systemTime() }
}
