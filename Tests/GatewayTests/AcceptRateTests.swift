import Domain
import TestKit
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(1))) struct AcceptRateTests {
    private let start = ContinuousClock.now

    private func isPause(_ verdict: AcceptRate.Verdict, new: Bool) -> Bool {
        if case .pause(let time, let isNew) = verdict { return isNew == new && time > .zero && time < .seconds(2) }
        return false
    }

    @Test func aBurstPassesAndWhatFollowsIsHeldToTheRate() {
        let rate = AcceptRate(perSecond: 10, now: start)
        for _ in 0..<19 { #expect(rate.take(at: start) == .goOn) }
        #expect(isPause(rate.take(at: start), new: true))
        // One more that came before the pause took hold; the next after it pays for both.
        #expect(rate.take(at: start + .milliseconds(50)) == .goOn)
        #expect(isPause(rate.take(at: start + .milliseconds(120)), new: false))
        #expect(rate.take(at: start + .seconds(2)) == .goOn)
    }

    @Test func aFloodIsNewAfterAWhileOfQuiet() {
        let rate = AcceptRate(perSecond: 1, now: start)
        _ = rate.take(at: start)
        #expect(isPause(rate.take(at: start), new: true))
        #expect(isPause(rate.take(at: start + .seconds(1)), new: false))
        let later = start + .seconds(1) + AcceptRate.quiet * 2
        #expect(rate.take(at: later) == .goOn)
        #expect(isPause(rate.take(at: later), new: true))
    }

    /// They never become requests, so no other limit counts them.
    @Test func malformedHeadsComeNoFasterThanConnectionsMay() async throws {
        let upstream = Upstream()
        var policy = try GatewayHarness.policy(upstream.port)
        policy.limits.connectionsPerSecond = 5
        try await GatewayHarness.run(policy) { gateway in
            let start = ContinuousClock.now
            for _ in 0..<18 { #expect(await gateway.exchange("nonsense\r\n\r\n").hasPrefix("HTTP/1.1 400")) }
            #expect(ContinuousClock.now - start > .seconds(1))
            // Held up, not refused; and told once.
            let decisions = try await gateway.decisions(19)
            #expect(decisions.count { $0.reason == "connection_rate" } == 1)
            #expect(decisions.count { $0.reason == "bad_request" } == 18)
        }
    }
}
