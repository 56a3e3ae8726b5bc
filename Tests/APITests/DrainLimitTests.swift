import ServiceLifecycle
import Synchronization
import Testing

@testable import API

@Suite struct DrainLimitTests {
    private struct Stubborn: Service {
        /// How long it goes on after it was asked to stop, unless it is cancelled.
        let after: Duration
        let wasCancelled = Flag()

        func run() async throws {
            try await gracefulShutdown()
            do {
                try await Task.sleep(for: after)
            } catch {
                wasCancelled.set()
                throw error
            }
        }
    }

    private final class Flag: Sendable {
        private let state = Mutex(false)
        var isSet: Bool { state.withLock { $0 } }
        func set() { state.withLock { $0 = true } }
    }

    private func stop(_ service: Stubborn, limit: Duration) async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: DrainLimit(service, limit: limit))], logger: .init(label: "test")))
        let running = Task { try await group.run() }
        try await Task.sleep(for: .milliseconds(50))  // until it waits
        await group.triggerGracefulShutdown()
        try await running.value
    }

    @Test func whatStopsInTimeIsLeftAlone() async throws {
        let service = Stubborn(after: .milliseconds(100))
        try await stop(service, limit: .seconds(30))
        #expect(!service.wasCancelled.isSet)
    }

    @Test func whatDoesNotIsCancelledAndThatIsNoError() async throws {
        let service = Stubborn(after: .seconds(3600))
        let start = ContinuousClock.now
        try await stop(service, limit: .milliseconds(200))
        #expect(service.wasCancelled.isSet && ContinuousClock.now - start < .seconds(20))
    }

    @Test func anErrorIsPassedOn() async throws {
        struct Broken: Service {
            struct Problem: Error {}
            func run() async throws { throw Problem() }
        }
        await #expect(throws: Broken.Problem.self) {
            try await DrainLimit(Broken(), limit: .seconds(30)).run()
        }
    }
}
